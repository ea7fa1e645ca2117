//! What is in effect, and where did it come from? The text of `plexsync config show`.

use std::fmt::Write as _;

use super::layers::PATH_MAP;
use super::{Loaded, Setting};

/// The effective configuration as TOML, each value followed by its origin, secrets masked.
pub fn render_show(loaded: &Loaded) -> String {
    let mut shown = match &loaded.file {
        Some(file) => format!("# configuration file: {}\n", file.display()),
        None => "# configuration file: none\n".to_owned(),
    };
    let width = loaded
        .settings
        .iter()
        .map(|setting| line(setting).chars().count())
        .filter(|width| *width <= WIDEST)
        .max();
    let width = width.unwrap_or_default();
    // A list of blocks can stand in one line only in front of all sections.
    let (path_map, keys): (Vec<_>, Vec<_>) =
        loaded.settings.iter().partition(|setting| setting.key == PATH_MAP);
    let mut section = "";
    for setting in path_map.into_iter().chain(keys) {
        if let Some((own, _)) = setting.key.split_once('.')
            && own != section
        {
            section = own;
            push(&mut shown, format_args!("\n[{section}]\n"));
        }
        push(&mut shown, format_args!("{:width$}  # {}\n", line(setting), setting.origin));
    }
    shown
}

/// Lines longer than this do not push the origins of all others to the right.
const WIDEST: usize = 60;

fn line(setting: &Setting) -> String {
    let key = setting.key.rsplit('.').next().unwrap_or_default();
    format!("{key} = {}", setting.value)
}

#[expect(
    clippy::expect_used,
    reason = "writing to a String fails only if a Display does, and none here does"
)]
fn push(shown: &mut String, text: std::fmt::Arguments<'_>) {
    shown.write_fmt(text).expect("a String takes any text");
}
