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

/// Writes a sentence beside the result, for a person.
#[expect(clippy::print_stderr, reason = "the command line speaks to a person")]
pub(super) fn remark(sentence: &str) {
    eprintln!("plexsync: {}", one_line(sentence));
}

/// Writes rows, the id first.
pub(super) fn rows<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Result<(), Failed> {
    text(&listed(heading, rows, io::stdout().is_terminal()))
}

/// The heading is for people only: in a pipe each row is one plain line.
fn listed<const N: usize>(heading: [&str; N], rows: &[[String; N]], terminal: bool) -> String {
    if terminal {
        return format!("{}\n", table(heading, rows));
    }
    let line =
        |row: &[String; N]| row.iter().map(|cell| one_line(cell)).collect::<Vec<_>>().join("\t") + "\n";
    rows.iter().map(line).collect()
}

/// Columns; below this a table is not fitted into the terminal.
const NARROWEST: u16 = 40;

/// A table without lines, as wide as the terminal.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Table {
    let mut table = Table::new();
    // A terminal that does not know its width says 0, and columns of one letter help nobody.
    let arrangement = match table.width() {
        Some(width) if width >= NARROWEST => ContentArrangement::Dynamic,
        Some(_) | None => ContentArrangement::Disabled,
    };
    table.load_style(NOTHING).set_content_arrangement(arrangement).set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    table
}

/// A cell must not break the line it stands in, nor steer the terminal.
fn one_line(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> [String; 3] {
        cells.map(str::to_owned)
    }

    #[test]
    fn in_a_pipe_each_row_is_one_plain_line_with_the_id_first() {
        let rows = [row(["7", "ready", "a\tb\nc\u{1b}[31m"]), row(["12", "dead", ""])];
        let text = listed(["ID", "STATE", "WHY"], &rows, false);
        assert_eq!(text, "7\tready\ta b c [31m\n12\tdead\t\n");
        assert_eq!(listed(["ID", "STATE", "WHY"], &[], false), "");
    }

    #[test]
    fn on_a_terminal_the_columns_stand_below_their_headings() {
        let rows = [row(["7", "ready", "first"]), row(["12345", "dead", "two\nlines"])];
        let text = listed(["ID", "STATE", "WHY"], &rows, true);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        for (column, words) in
            [["ID", "7", "12345"], ["STATE", "ready", "dead"], ["WHY", "first", "two lines"]]
                .into_iter()
                .enumerate()
        {
            let starts: Vec<_> = lines.iter().zip(words).map(|(line, word)| line.find(word)).collect();
            assert!(
                starts.iter().all(|start| start.is_some() && *start == starts[0]),
                "column {column}: {text}"
            );
        }
    }
}
