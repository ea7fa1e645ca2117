//! How is a list printed? As a table on a terminal, as tab-separated lines in a pipe, as one JSON document on request.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::exit::{Exit, Failed};

/// Writes a text as it is. A reader that has gone away is no failure.
pub(super) fn text(text: &str) -> Result<(), Failed> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failed::new(Exit::Io, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes one JSON document.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failed> {
    let document = serde_json::to_string_pretty(value).map_err(|error| Failed::new(Exit::Internal, error))?;
    text(&format!("{document}\n"))
}

/// Writes rows, the id first. The heading is for people only.
pub(super) fn rows<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Result<(), Failed> {
    if !io::stdout().is_terminal() {
        let line =
            |row: &[String; N]| row.iter().map(|cell| one_line(cell)).collect::<Vec<_>>().join("\t") + "\n";
        return text(&rows.iter().map(line).collect::<String>());
    }
    text(&format!("{}\n", table(heading, rows)))
}

/// A table without lines, as wide as the terminal.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    table
}

/// A cell must not break the line it stands in, nor steer the terminal.
fn one_line(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
