//! How does the plugin get to those who prefer files? As the very files that Stash would unpack.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::{Exit, Failed};
use crate::cli::output;
use crate::plugin::{Plugin, Target, Variant, own_program};

pub(super) fn export(target: &Target, folder: &Path, variant: Variant) -> Result<(), Failed> {
    let failed = |error: std::io::Error| Failed::new(Exit::Io, error);
    let plugin = Plugin::make(variant, target, &own_program()).map_err(failed)?;
    fs::create_dir_all(folder).map_err(failed)?;
    for file in &plugin.files {
        let path = folder.join(file.name);
        let mut options = OpenOptions::new();
        let written = options.write(true).create(true).truncate(true).mode(file.mode).open(&path);
        written
            .and_then(|mut opened| {
                opened.write_all(&file.content)?;
                opened.set_permissions(fs::Permissions::from_mode(file.mode))
            })
            .map_err(|error| Failed::text(Exit::Io, format!("cannot write {}: {error}", path.display())))?;
    }
    output::text(&format!(
        "wrote version {} to {}; put the folder below Stash's plugins folder and reload the plugins there\n",
        plugin.version,
        folder.display()
    ))
}
