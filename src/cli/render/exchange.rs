//! A request to a registry and what came of it, as one line: its status, where it was sent on to,
//! and that what came is what was promised.

use super::say::{Speaker, shorten};
use crate::text;
use crate::trace::{Facts, Note};
use std::collections::HashMap;

/// Lines that may still grow, by their scope.
#[derive(Debug, Default)]
pub struct Exchanges(HashMap<u32, Exchange>);

#[derive(Debug)]
struct Exchange {
    line: String,
    /// The registry sent the client elsewhere, and the answer from there is still to come.
    sent_on: bool,
}

impl Exchanges {
    /// A request was answered.
    pub fn answered(
        &mut self,
        speaker: &mut Speaker,
        scope: u32,
        asked: (&str, &str),
        facts: &[(String, String)],
    ) {
        let (method, url) = asked;
        let status = facts.iter().find(|(name, _)| name == "status");
        let status = status.map(|(_, status)| format!(" -> {status}")).unwrap_or_default();
        if let Some(exchange) = self.0.get_mut(&scope).filter(|exchange| exchange.sent_on) {
            exchange.line.push_str(&status);
            exchange.sent_on = false;
            return;
        }
        let line = shorten(&format!("{method} {}{status}", speaker.target(url)));
        self.0.insert(scope, Exchange { line, sent_on: false });
    }

    /// Takes a note in that adds to the line of its scope; `false` when it stands for itself.
    pub fn add(&mut self, speaker: &Speaker, scope: u32, note: Note, facts: &Facts) -> bool {
        let Some(exchange) = self.0.get_mut(&scope) else { return false };
        let fact = |name: &str| facts.get(name).cloned().unwrap_or_default();
        let words = match note {
            Note::Redirected => text::ui(speaker.lang, "narration.sent-on", &[("host", &fact("host"))]),
            // The line names the digest already.
            Note::DigestEqual if exchange.line.contains(&shorten(&fact("digest"))) => {
                speaker.word("as-promised")
            }
            _ => return false,
        };
        exchange.sent_on |= note == Note::Redirected;
        exchange.line.push_str(&words);
        true
    }

    /// Whether the answer of a request in this scope goes on in a line that is there.
    pub fn goes_on(&self, scope: u32) -> bool {
        self.0.get(&scope).is_some_and(|exchange| exchange.sent_on)
    }

    /// The line of a scope, which is whole now.
    pub fn finish(&mut self, scope: u32) -> Option<String> {
        Some(self.0.remove(&scope)?.line)
    }
}
