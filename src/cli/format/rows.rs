//! Tables whose cells are texts already, and that no template chooses among.

use super::tabs;

/// The table, each line with its end.
pub fn render(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: String = rows.map(|row| row.join("\t") + "\n").collect();
    tabs::align(&format!("{}\n{rows}", heading.join("\t")))
}
