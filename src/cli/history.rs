//! `plexsync history`: what was written into Plex for a scene, and what stood there before?

use clap::Args;

use super::exit::{Exit, Failed};
use super::{Global, output};
use crate::config::Purpose;
use crate::domain::ids::SceneId;
use crate::store::writes::writes_of;
use crate::store::{Readers, StoreError};
use crate::web::status::WriteLine;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The scene's number in Stash
    scene: SceneId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn history(global: &Global, args: &HistoryArgs) -> Result<(), Failed> {
    let config = global.load(Purpose::Inspect)?.config;
    let writes = all(&Readers::open(&config.storage.path)?, args.scene)?;
    if args.json {
        return output::json(&writes);
    }
    if writes.is_empty() {
        return Err(Failed::text(
            Exit::Reported,
            format!("nothing is on record as written for scene {}", args.scene),
        ));
    }
    let rows: Vec<_> = writes.iter().map(row).collect();
    output::rows(["WRITE", "WHEN", "ITEM", "FIELD", "BEFORE", "AFTER", "OUTCOME", "NOTE"], &rows)
}

fn all(readers: &Readers, scene: SceneId) -> Result<Vec<WriteLine>, StoreError> {
    let read = |before, limit| readers.with(|reader| writes_of(reader, scene, before, limit));
    output::pages(|write| write.id, read, |write| Some(WriteLine::from(write)))
}

fn row(write: &WriteLine) -> [String; 8] {
    [
        write.write_id.to_string(),
        format!("{:.0}", write.written_at),
        write.rating_key.clone(),
        write.field.clone(),
        write.before.to_string(),
        write.after.to_string(),
        write.outcome.clone(),
        write.note.clone().unwrap_or_default(),
    ]
}
