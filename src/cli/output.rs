//! How is a list printed? As a table on a terminal, as tab-separated lines in a pipe, as one JSON document on request.

use std::fmt;
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

/// Appends a name and what stands under it, in columns.
pub(super) fn line(text: &mut String, name: &str, value: &str) {
    // Writing into a String cannot fail.
    fmt::Write::write_fmt(text, format_args!("{name:<12} {value}\n")).unwrap_or_default();
}

/// Rows that are read or written at once: a long list is neither one long read nor one long transaction.
pub(super) const PAGE: usize = 500;

/// Gathers what `keep` makes of each row, from pages that each begin after the row with the key.
pub(super) fn pages<T, K, U, E>(
    key: impl Fn(&T) -> K,
    mut read: impl FnMut(Option<K>, usize) -> Result<Vec<T>, E>,
    keep: impl Fn(T) -> Option<U>,
) -> Result<Vec<U>, E> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = read(after, PAGE)?;
        let is_last = page.len() < PAGE;
        after = page.last().map(&key);
        found.extend(page.into_iter().filter_map(&keep));
        if is_last {
            return Ok(found);
        }
    }
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

    #[test]
    fn pages_hold_every_row_once_wherever_the_last_one_ends() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE] {
            let all: Vec<usize> = (1..=count).collect();
            let read = |after: Option<usize>, limit| {
                Ok::<_, ()>(all.iter().copied().filter(|row| Some(*row) > after).take(limit).collect())
            };
            assert_eq!(pages(|row| *row, read, Some).unwrap(), all);
            assert!(pages(|row| *row, read, |row| (row % 2 == 0).then_some(row)).unwrap().len() == count / 2);
        }
    }
}
