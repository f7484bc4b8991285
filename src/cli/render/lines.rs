//! Facts below the sentence they belong to.

use super::detailed::Stand;
use super::page::Page;
use super::paint::Tone;
use crate::text::{self, glossary};

/// Where lines go.
#[derive(Clone, Copy)]
pub struct Place {
    /// The block they wait in.
    pub block: Option<u32>,
    /// Columns before them.
    pub indent: usize,
}

/// Columns between columns.
const GUTTER: usize = 3;

/// Columns facts are indented by.
const STEP: usize = 2;

/// All on one line, wrapped.
pub fn facts(stand: &mut Stand<'_>, place: Place, facts: &[(String, String)]) {
    if facts.is_empty() {
        return;
    }
    let list = stand.speaker.list(facts);
    stand.page.paragraph(place.block, place.indent + STEP, "", Tone::Quiet, &list);
}

/// One fact a line, behind its label.
pub fn labelled(stand: &mut Stand<'_>, place: Place, facts: &[(String, String)]) {
    let lang = stand.speaker.lang;
    let label = |name: &String| glossary().facts.get(name).map_or(name.clone(), |t| t.get(lang).to_owned());
    let labels: Vec<String> = facts.iter().map(|(name, _)| label(name)).collect();
    let columns = labels.iter().map(|label| text::width(label)).max().unwrap_or(0);
    let padded = labels.iter().map(|label| text::pad(label, columns));
    let named: Vec<_> = padded.zip(facts).map(|(label, (_, value))| (label, value.clone())).collect();
    rows(stand.page, place, &named);
}

/// As many a line as fit, in columns.
pub fn columns(page: &mut Page, place: Place, cells: &[(String, String)]) {
    let cells: Vec<String> = cells.iter().map(|(name, value)| format!("{name}  {value}")).collect();
    let wide = cells.iter().map(|cell| text::width(cell)).max().unwrap_or(0) + GUTTER;
    let room = page.width().saturating_sub(place.indent + STEP) + GUTTER;
    for line in cells.chunks((room / wide.max(1)).max(1)) {
        let line: String = line.iter().map(|cell| text::pad(cell, wide)).collect();
        page.line(place.block, place.indent + STEP, Tone::Quiet, line.trim_end());
    }
}

/// One a line, labels as they are.
pub fn rows(page: &mut Page, place: Place, rows: &[(String, String)]) {
    for (name, value) in rows {
        page.row(place.block, place.indent + STEP, name, value);
    }
}
