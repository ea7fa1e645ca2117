//! `plexsync review`: which matches are too uncertain to be written, and which of them are right?

use clap::Subcommand;

use super::exit::{Exit, Failed};
use super::steer::{self, Answer};
use super::{Global, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::ids::{RatingKey, SceneId};
use crate::store::reviews::{Accepted, accept, open_reviews, reject, review};
use crate::store::{Reader, Writer};
use crate::telemetry::PathStyle;
use crate::web::reviews::ReviewDetail;

#[derive(Debug, Subcommand)]
pub(super) enum ReviewCommand {
    /// Every scene that waits for a decision, with its best candidate
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// One scene with all its candidates, their scores and the reasons
    Show {
        /// The scene's number in Stash
        scene: SceneId,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// The scene is this item: remember it, and write it now
    Accept {
        /// The scene's number in Stash
        scene: SceneId,
        /// The item in Plex, one of the candidates
        rating_key: RatingKey,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// The scene is none of these items: never propose them for it again
    Reject {
        /// The scene's number in Stash
        scene: SceneId,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn review_command(global: &Global, command: ReviewCommand) -> Result<(), Failed> {
    let config = global.load(Purpose::Inspect)?.config;
    match command {
        ReviewCommand::List { json } => list(&config, json),
        ReviewCommand::Show { scene, json } => {
            let found = review(&mut Reader::open(&config.storage.path)?, scene)?;
            let found = found.ok_or_else(|| Failed::text(Exit::Reported, nothing(scene)))?;
            let detail = ReviewDetail::of(found, paths(&config));
            if json { output::json(&detail) } else { output::text(&shown(&detail)) }
        }
        ReviewCommand::Accept { scene, rating_key, json } => {
            let now = SystemClock::new().now();
            let mut writer = Writer::open(&config.storage.path)?;
            let came = writer.write(|tx| accept(tx, scene, &rating_key, now))?;
            steer::tell(&config, json, "SCENE", &[accepted(scene, &rating_key, came)])
        }
        ReviewCommand::Reject { scene, json } => {
            let now = SystemClock::new().now();
            let came = Writer::open(&config.storage.path)?.write(|tx| reject(tx, scene, now))?;
            steer::tell(&config, json, "SCENE", &[rejected(scene, came.as_deref())])
        }
    }
}

fn list(config: &Config, json: bool) -> Result<(), Failed> {
    let mut reader = Reader::open(&config.storage.path)?;
    let read = |after, limit| open_reviews(&mut reader, after, limit);
    let shown = |review| Some(ReviewDetail::of(review, paths(config)));
    let found = output::pages(|review| review.scene, read, shown)?;
    if json {
        return output::json(&found);
    }
    let row = |review: &ReviewDetail| {
        let best = review.candidates.first();
        [
            review.scene_id.to_string(),
            review.code.clone(),
            review.candidates.len().to_string(),
            best.map(|best| best.rating_key.to_string()).unwrap_or_default(),
            best.map(|best| format!("{:.2}", best.confidence)).unwrap_or_default(),
            best.map(|best| best.path.clone()).unwrap_or_default(),
            review.path.clone(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    output::rows(["SCENE", "CODE", "CANDIDATES", "BEST", "SCORE", "IN PLEX", "IN STASH"], &rows)
}

fn paths(config: &Config) -> PathStyle {
    PathStyle::obfuscated_if(config.log.obfuscate_paths)
}

fn shown(detail: &ReviewDetail) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| output::line(&mut text, name, &value);
    let ReviewDetail { scene_id, code, title, path, opened_at, correlation_id, .. } = detail;
    line("scene", format!("{scene_id} {title:?}"));
    line("in Stash", path.clone());
    line("why", format!("{} ({code})", detail.detail));
    line("since", opened_at.to_string());
    line("correlation", correlation_id.clone());
    for candidate in &detail.candidates {
        line("item", format!("{}, {:.2}", candidate.rating_key, candidate.confidence));
        line("  in Plex", candidate.path.clone());
        for reason in &candidate.reasons {
            line(&format!("  {:+.2}", reason.weight), reason.text.clone());
        }
        if let Some(holder) = candidate.held_by {
            line("  held by", format!("scene {holder}"));
        }
    }
    let which = detail.candidates.first().map_or("RATING_KEY", |best| best.rating_key.as_str());
    line(
        "next",
        format!("`plexsync review accept {scene_id} {which}`, or `plexsync review reject {scene_id}`"),
    );
    text
}

fn accepted(scene: SceneId, key: &RatingKey, came: Accepted) -> Answer {
    let id = scene.get();
    match came {
        Accepted::Ready { held_by } => {
            let from = held_by.map_or_else(String::new, |holder| format!(" and not scene {holder} any more"));
            let text = format!("item {key} is scene {scene}{from}; it is written as soon as there is room");
            Answer::done(id, "accepted", text)
        }
        Accepted::NotACandidate(keys) => {
            let keys: Vec<_> = keys.iter().map(RatingKey::as_str).collect();
            let text =
                format!("item {key} is no candidate for scene {scene}; these are: {}", keys.join(", "));
            Answer::refused(id, "not_a_candidate", text)
        }
        Accepted::NothingToReview => Answer::refused(id, "nothing_to_review", nothing(scene)),
    }
}

fn rejected(scene: SceneId, came: Option<&[RatingKey]>) -> Answer {
    let Some(keys) = came else {
        return Answer::refused(scene.get(), "nothing_to_review", nothing(scene));
    };
    let keys: Vec<_> = keys.iter().map(RatingKey::as_str).collect();
    let text =
        format!("scene {scene} is never matched with {} again; the rest is judged anew", keys.join(", "));
    Answer::done(scene.get(), "rejected", text)
}

fn nothing(scene: SceneId) -> String {
    format!("scene {scene} waits for no decision; `plexsync review list` shows those that do")
}
