//! Tables with the columns of Go's tabwriter as Docker sets it: at least 10 wide, 3 spaces
//! between, the last column as it is.

use crate::text::width;

/// Narrowest column, its gap included.
const MIN_WIDTH: usize = 10;

/// Spaces after the widest cell of a column.
const GAP: usize = 3;

/// Rows of cells under a heading.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heading.
    pub fn new(heading: &[&str]) -> Table {
        Table { rows: vec![heading.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text, each line with its end.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                MIN_WIDTH.max(cells.map(|cell| width(cell) + GAP).max().unwrap_or(0))
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                text.push_str(cell);
                if column + 1 < row.len() {
                    let gap = widths[column] - width(cell);
                    text.extend(std::iter::repeat_n(' ', gap));
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_ten_wide_or_three_more_than_their_widest_cell() {
        let mut table = Table::new(&["ID", "COMMAND", "NAMES"]);
        table.row(vec!["0123456789ab".to_owned(), "\"ls\"".to_owned(), "이름".to_owned()]);
        assert_eq!(table.render(), "ID             COMMAND   NAMES\n0123456789ab   \"ls\"      이름\n");
    }
}
