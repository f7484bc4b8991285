//! `learn top`: a container's processes, as the host's ps lists them.

use super::args::Top;
use crate::cli::{Context, Failure, output};
use unicode_width::UnicodeWidthStr;

/// Least columns of a cell, and blanks after its text: those of Docker's table here.
const CELL: usize = 20;
const BLANKS: usize = 3;

/// Prints the table.
pub async fn top(context: &Context, top: Top) -> Result<(), Failure> {
    let listed = context.client.top(&top.container, &top.arguments).await?;
    let rows: Vec<Vec<String>> = std::iter::once(listed.titles).chain(listed.processes).collect();
    output::text(&aligned(&rows))
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let texts = rows.iter().filter_map(|row| row.get(column)).map(|text| text.width() + BLANKS);
        texts.max().unwrap_or_default().max(CELL)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for row in rows {
        for (place, text) in row.iter().enumerate() {
            table.push_str(text);
            if place + 1 < row.len() {
                table.push_str(&" ".repeat(widths[place] - text.width()));
            }
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_twenty_wide_or_wider_and_the_last_is_as_it_is() {
        let rows = [["UID", "PID", "CMD"], ["root", "12345678901234567890", "sh"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let table = aligned(&rows);
        assert_eq!(
            table,
            "UID                 PID                    CMD\nroot                12345678901234567890   sh\n"
        );
    }
}
