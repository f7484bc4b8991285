//! Depth `kernel`: one operation, its system call and the line a learner could type instead.

use super::detailed::Stand;
use super::lines::Place;
use super::paint::Tone;
use crate::op::Op;
use crate::text::{self, glossary};

/// Columns the lines below the heading are indented by.
const STEP: usize = 2;

/// Columns of the labels before them.
const LABEL: usize = 4;

/// What is about to be done.
pub fn announce(stand: &mut Stand<'_>, place: Place, op: &Op) {
    let name = op.name();
    let lang = stand.speaker.lang;
    let indent = place.indent + STEP;
    stand.page.breathe(place.block);
    match glossary().op(&name) {
        Some(entry) => {
            stand.page.heading(place.block, place.indent, "+ ", entry.title.get(lang), &name);
            if stand.speaker.first_time(&name) {
                stand.page.paragraph(place.block, indent, "", Tone::Plain, entry.say.get(lang));
            }
        }
        None => stand.page.heading(place.block, place.indent, "+ ", &name, ""),
    }
    let call = label(stand, "call");
    stand.page.paragraph(place.block, indent, &call, Tone::Quiet, &op.syscall());
    let line = label(stand, "do");
    stand.page.command(place.block, indent, &line, &op.shell());
}

/// What came of it.
pub fn result(stand: &mut Stand<'_>, place: Place, tone: Tone, body: &str) {
    let got = label(stand, "got");
    stand.page.paragraph(place.block, place.indent + STEP, &got, tone, body);
}

fn label(stand: &Stand<'_>, key: &str) -> String {
    format!("{}  ", text::pad(&stand.speaker.word(key), LABEL))
}
