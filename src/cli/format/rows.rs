//! Tables whose cells are texts already.

use super::Table;

/// The table, each line with its end.
pub fn render(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new(heading);
    rows.for_each(|row| table.row(row));
    table.render()
}
