//! Text with tabs as a table: Go's tabwriter as Docker sets it. A column is at least 10 wide, 3
//! more than its widest cell, and goes on only as long as every line has a cell in it.

use crate::text::width;
use std::ops::Range;

/// Narrowest column, its gap included.
const MIN_WIDTH: usize = 10;

/// Spaces after the widest cell of a column.
const GAP: usize = 3;

/// Puts cells that end with a tab under one another; what follows a line's last tab is as it is.
pub fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let rows = 0..lines.len();
    block(&lines, rows, &mut Vec::new(), &mut out);
    // Every line got its end; the last has none.
    out.pop();
    out
}

/// Lines that agree in the columns whose widths are known.
fn block(lines: &[Vec<&str>], rows: Range<usize>, widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let has_cell = |row: usize| column + 1 < lines[row].len();
    let mut next = rows.start;
    while next < rows.end {
        if !has_cell(next) {
            write(&lines[next], widths, out);
            next += 1;
            continue;
        }
        let end = (next..rows.end).find(|row| !has_cell(*row)).unwrap_or(rows.end);
        let cells = lines[next..end].iter().map(|line| width(line[column]) + GAP);
        widths.push(MIN_WIDTH.max(cells.max().unwrap_or(0)));
        block(lines, next..end, widths, out);
        widths.pop();
        next = end;
    }
}

fn write(line: &[&str], widths: &[usize], out: &mut String) {
    for (column, cell) in line.iter().enumerate() {
        out.push_str(cell);
        if let Some(known) = widths.get(column) {
            out.extend(std::iter::repeat_n(' ', known.saturating_sub(width(cell))));
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_ten_wide_or_three_more_than_their_widest_cell() {
        let text = "ID\tCOMMAND\tNAMES\n0123456789ab\t\"ls\"\t이름\n";
        assert_eq!(align(text), "ID             COMMAND   NAMES\n0123456789ab   \"ls\"      이름\n");
    }

    #[test]
    fn a_line_without_tabs_ends_the_columns_above_it() {
        let text = "a\tb\nlonger than ten\tb\nheading\na\tb\n";
        assert_eq!(align(text), "a                 b\nlonger than ten   b\nheading\na         b\n");
    }

    #[test]
    fn an_empty_cell_keeps_its_place() {
        assert_eq!(align("a\t\tc\nb\td\te"), "a                   c\nb         d         e");
    }
}
