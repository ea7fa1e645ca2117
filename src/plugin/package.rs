//! How does the plugin travel? As a zip, named by an index with its checksum; the same files always make the same zip.

use std::io::{self, Cursor, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest::{Context, SHA256};
use secrecy::ExposeSecret as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::manifest::text;
use super::{ID, PluginFile, Target, ZIP_NAME};

/// The plugin as Stash fetches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The zip.
    pub bytes: Vec<u8>,
    /// SHA-256 of the zip, as hexadecimal digits.
    pub sha256: String,
}

impl Package {
    /// Packs the files as they are: compressing a program takes longer than sending it.
    pub fn of(files: &[PluginFile]) -> io::Result<Self> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for file in files {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .last_modified_time(DateTime::default())
                .unix_permissions(file.mode);
            zip.start_file(file.name, options)?;
            zip.write_all(&file.content)?;
        }
        let bytes = zip.finish()?.into_inner();
        Ok(Self { sha256: sha256(&[&bytes]), bytes })
    }
}

/// The index as YAML, for a zip with this checksum. Stash offers an update when `date` is later than the one it has.
pub fn index(sha256: &str, version: &str, date: Timestamp) -> String {
    let date = date.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S");
    format!(
        "- id: {ID}\n  \
           name: PlexSync hook\n  \
           metadata:\n    \
             description: Tells the PlexSync service about changes, so that they show in Plex.\n  \
           version: {version}\n  \
           date: {date}\n  \
           path: {ZIP_NAME}\n  \
           sha256: {sha256}\n",
        version = text(version),
        date = text(&date.to_string()),
    )
}

/// The version of the plugin: that of the program, and a part that differs when anything else does.
pub(super) fn version(runs: &[u8], target: &Target) -> String {
    let parts = [runs, b"\0", target.url.as_str().as_bytes(), b"\0", target.token.expose_secret().as_bytes()];
    let hash = sha256(&parts);
    format!("{}-{}", env!("CARGO_PKG_VERSION"), hash.get(..8).unwrap_or_default())
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
