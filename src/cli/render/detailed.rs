//! Depths `stage` and `kernel`: every scope as an indented tree; with `kernel`, every operation.

use super::page::Page;
use super::paint::Tone;
use super::say::{Speaker, duration, errno, shorten};
use super::tree::{Node, Tree};
use crate::lesson::known::Known;
use crate::op::{FsOp, HttpOp, Op, WriteReason};
use crate::text::{self, Entry, glossary};
use crate::trace::{Decision, Event, Facts, Note, Record, Scope};
use std::collections::HashMap;

/// Columns a level of the tree is indented by.
const STEP: usize = 2;

/// The display.
#[derive(Debug)]
pub struct Detailed {
    /// Every operation, not only scopes and facts.
    kernel: bool,
    /// A learner stands at the gate: every command shown can be run now.
    stepping: bool,
    /// The operation announced last in each scope.
    announced: HashMap<u32, Op>,
    /// The scope the last line belonged to; an ending elsewhere is named.
    last: u32,
    /// The request being told asked for an image that is not here; that turns the work, and its
    /// error is no failure.
    missed: bool,
    /// Written values in each open scope: the first few are shown, the rest counted.
    written: HashMap<u32, usize>,
}

/// Written values shown per scope at depth `stage`.
const VALUES: usize = 4;

/// What a display works with.
pub struct Stand<'a> {
    /// Where lines go.
    pub page: &'a mut Page,
    /// Who finds the words.
    pub speaker: &'a mut Speaker,
    /// The scopes, this record's included.
    pub tree: &'a Tree,
    /// What was shown, this record's included.
    pub known: &'a Known,
}

impl Detailed {
    /// A display that has shown nothing yet.
    pub fn new(kernel: bool, stepping: bool) -> Detailed {
        Detailed {
            kernel,
            stepping,
            announced: HashMap::new(),
            last: 0,
            missed: false,
            written: HashMap::new(),
        }
    }

    /// Shows one record.
    pub fn record(&mut self, stand: &mut Stand<'_>, record: &Record) {
        let place = self.place(stand.tree, record.scope);
        match &record.event {
            Event::Opened { id, kind, about } => {
                self.missed &= record.scope != 0;
                self.opened(stand, *id, *kind, about);
            }
            Event::Closed { error, took } => self.closed(stand, record.scope, error.as_deref(), *took),
            Event::Will { op } => {
                if self.kernel {
                    self.announce(stand, place, op);
                }
                self.announced.insert(record.scope, op.clone());
            }
            Event::Did { op, facts, took } => self.did(stand, place, record.scope, op, facts, *took),
            Event::Failed { op, errno, error, facts, took } => {
                let error = Failure { op, errno: *errno, error, facts, took: *took };
                self.failed(stand, place, record.scope, &error);
            }
            // Whose requests these are is said once; each request's title holds the rest.
            Event::Note { note: Note::Peer, facts } if !stand.speaker.first_time(&peer(facts)) => {}
            Event::Note { note, facts } => {
                self.missed |= *note == Note::CacheMiss;
                let (sentence, rest) = stand.speaker.note(*note, facts);
                stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &sentence);
                if *note == Note::NamespaceInodes {
                    self.rows(stand, place, &rest);
                } else {
                    self.facts(stand, place, &rest);
                }
            }
            Event::Missed { count } => {
                let missed = text::ui(stand.speaker.lang, "trace.missed-some", &[("count", count)]);
                stand.page.paragraph(place.block, place.indent, "! ", Tone::Bad, &missed);
            }
            Event::Released { decision: Decision::Abort } => {
                let sentence = glossary().note(Note::Aborted).map(|text| text.get(stand.speaker.lang));
                stand.page.paragraph(
                    place.block,
                    place.indent,
                    "! ",
                    Tone::Bad,
                    sentence.unwrap_or_default(),
                );
            }
            Event::Held | Event::Released { .. } => return,
        }
        self.last = match &record.event {
            Event::Opened { id, .. } => *id,
            _ => record.scope,
        };
    }

    fn opened(&self, stand: &mut Stand<'_>, id: u32, kind: Scope, about: &str) {
        let Some(node) = stand.tree.get(id) else { return };
        let block = self.block(node);
        if !self.stepping && node.block == Some(id) {
            stand.page.open_block(id);
        }
        let indent = node.depth * STEP;
        stand.page.breathe(block);
        let Some(entry) = glossary().scope(kind) else {
            stand.page.heading(block, indent, "> ", kind.name(), &shorten(about));
            return;
        };
        let lang = stand.speaker.lang;
        stand.page.heading(block, indent, "> ", entry.title.get(lang), &shorten(about));
        if stand.speaker.first_time(kind.name()) {
            let place = Place { block, indent: indent + STEP };
            stand.page.paragraph(block, place.indent, "", Tone::Plain, entry.say.get(lang));
            if let Some(corrects) = &entry.corrects {
                let lead = stand.speaker.word("precisely");
                let body = format!("{lead}: {}", corrects.get(lang));
                stand.page.paragraph(block, place.indent, "* ", Tone::Plain, &body);
            }
        }
    }

    fn closed(&mut self, stand: &mut Stand<'_>, id: u32, error: Option<&str>, took: u64) {
        let Some(node) = stand.tree.get(id) else { return };
        let place = self.place(stand.tree, id);
        let entry = glossary().scope(node.kind);
        if let Some(more) = self.written.remove(&id).and_then(|count| count.checked_sub(VALUES))
            && more > 0
        {
            let words = text::ui(stand.speaker.lang, "narration.more", &[("count", &more)]);
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Quiet, &words);
        }
        if let Some(command) = entry.and_then(|entry| self.evidence(stand, id, entry))
            && stand.speaker.first_time(&command)
        {
            let lead = format!("{}  ", stand.speaker.word("see"));
            stand.page.command(place.block, place.indent, &lead, &command);
        }
        let took = duration(took);
        let mut ending = match error.map(|error| stand.speaker.error(error)) {
            None => format!("{} ({took})", stand.speaker.word("end")),
            Some(error) => self.failure(stand, error, &took),
        };
        if self.last != id
            && let Some(entry) = entry
        {
            ending.push_str(&format!(" · {}", entry.title.get(stand.speaker.lang)));
        }
        let tone = if error.is_some() && !self.missed { Tone::Bad } else { Tone::Quiet };
        stand.page.paragraph(place.block, place.indent, "", tone, &ending);
        if !self.stepping && node.block == Some(id) {
            stand.page.close_block(id);
        }
    }

    /// How a scope that did not end well ends; `error` only when it was not told yet.
    fn failure(&self, stand: &Stand<'_>, error: Option<String>, took: &str) -> String {
        let key = if self.missed { "not-here" } else { "failed" };
        match error {
            None => format!("{} ({took})", stand.speaker.word(key)),
            Some(error) => {
                let key = format!("narration.{key}-with");
                let words = text::ui(stand.speaker.lang, &key, &[("error", &error)]);
                format!("{words} ({took})")
            }
        }
    }

    /// The scope's evidence command with its values, when they are known and the command can
    /// still tell something: a program's `/proc` entry is gone when it has ended, so those are
    /// shown only to a learner at the gate.
    fn evidence(&self, stand: &Stand<'_>, id: u32, entry: &Entry) -> Option<String> {
        let template = entry.evidence.as_deref()?;
        let fleeting = ["pid", "shim-pid", "cgroup", "url"];
        if !self.stepping && text::placeholders(template).iter().any(|name| fleeting.contains(name)) {
            return None;
        }
        text::fill(template, |name| stand.known.get(id, name).map(str::to_owned)).ok()
    }

    fn announce(&self, stand: &mut Stand<'_>, place: Place, op: &Op) {
        let name = op.name();
        let lang = stand.speaker.lang;
        stand.page.breathe(place.block);
        match glossary().op(&name) {
            Some(entry) => {
                stand.page.heading(place.block, place.indent, "+ ", entry.title.get(lang), &name);
                if stand.speaker.first_time(&name) {
                    stand.page.paragraph(
                        place.block,
                        place.indent + STEP,
                        "",
                        Tone::Plain,
                        entry.say.get(lang),
                    );
                }
            }
            None => stand.page.heading(place.block, place.indent, "+ ", &name, ""),
        }
        let indent = place.indent + STEP;
        let lead = |key: &str| format!("{}  ", text::pad(&stand.speaker.word(key), LABEL));
        stand.page.paragraph(place.block, indent, &lead("call"), Tone::Quiet, &op.syscall());
        stand.page.command(place.block, indent, &lead("do"), &op.shell());
    }

    fn did(&mut self, stand: &mut Stand<'_>, place: Place, scope: u32, op: &str, facts: &Facts, took: u64) {
        let announced = self.announced.remove(&scope).filter(|announced| announced.name() == op);
        let facts: Vec<(String, String)> = facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        if self.kernel {
            let mut body = duration(took);
            if !facts.is_empty() {
                body = format!("{} ({body})", stand.speaker.list(&facts));
            }
            let lead = format!("{}  ", text::pad(&stand.speaker.word("got"), LABEL));
            stand.page.paragraph(place.block, place.indent + STEP, &lead, Tone::Plain, &body);
            return;
        }
        if let Some(Op::Fs(FsOp::WriteFile { path, value, why })) = &announced {
            self.wrote(stand, place, scope, (path, value, *why));
        } else if let Some(Op::Http(HttpOp::Request { method, url, .. })) = &announced {
            let evidence = format!("{method} {url}");
            let status = facts.iter().find(|(name, _)| name == "status");
            let body = match status {
                Some((_, status)) => format!("{evidence} -> {status}"),
                None => evidence,
            };
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &shorten(&body));
        } else if !facts.is_empty() {
            let title = glossary().op(op).map_or(op, |entry| entry.title.get(stand.speaker.lang));
            let body = format!("{title}: {}", stand.speaker.list(&facts));
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &shorten(&body));
        }
    }

    /// What is written into kernel files is the evidence; v1 hierarchies and devices take dozens.
    fn wrote(
        &mut self,
        stand: &mut Stand<'_>,
        place: Place,
        scope: u32,
        (path, value, why): (&str, &str, WriteReason),
    ) {
        if !matches!(why, WriteReason::Cgroup | WriteReason::IdMap) {
            return;
        }
        let count = self.written.entry(scope).or_default();
        *count += 1;
        if *count <= VALUES {
            let body = shorten(&format!("{path} = {}", value.trim_end()));
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &body);
        }
    }

    fn failed(&mut self, stand: &mut Stand<'_>, place: Place, scope: u32, failure: &Failure<'_>) {
        self.announced.remove(&scope);
        let lang = stand.speaker.lang;
        let title = glossary().op(failure.op).map_or(failure.op, |entry| entry.title.get(lang));
        let error = stand.speaker.error(failure.error).unwrap_or_else(|| shorten(failure.error));
        let number = failure.errno.map(|number| format!(" ({})", errno(lang, number))).unwrap_or_default();
        let (mark, indent, body) = match self.kernel {
            true => {
                let lead = format!("{}  ", text::pad(&stand.speaker.word("got"), LABEL));
                let failed = text::ui(lang, "narration.failed-with", &[("error", &error)]);
                (lead, place.indent + STEP, format!("{failed}{number} ({})", duration(failure.took)))
            }
            false => ("! ".to_owned(), place.indent, format!("{title}: {error}{number}")),
        };
        stand.page.paragraph(place.block, indent, &mark, Tone::Bad, &body);
        let facts: Vec<_> = failure.facts.iter().map(|(n, v)| (n.clone(), shorten(v))).collect();
        self.facts(stand, place, &facts);
    }

    fn facts(&self, stand: &mut Stand<'_>, place: Place, facts: &[(String, String)]) {
        if facts.is_empty() {
            return;
        }
        let list = stand.speaker.list(facts);
        stand.page.paragraph(place.block, place.indent + STEP, "", Tone::Quiet, &list);
    }

    fn rows(&self, stand: &mut Stand<'_>, place: Place, rows: &[(String, String)]) {
        for (name, value) in rows {
            let lead = format!("{name}  ");
            stand.page.paragraph(place.block, place.indent + STEP, &lead, Tone::Quiet, value);
        }
    }

    fn place(&self, tree: &Tree, scope: u32) -> Place {
        match tree.get(scope) {
            Some(node) => Place { block: self.block(node), indent: (node.depth + 1) * STEP },
            None => Place { block: None, indent: 0 },
        }
    }

    fn block(&self, node: &Node) -> Option<u32> {
        if self.stepping { None } else { node.block }
    }
}

/// Columns of the labels before an operation's lines.
const LABEL: usize = 4;

#[derive(Clone, Copy)]
struct Place {
    block: Option<u32>,
    indent: usize,
}

struct Failure<'a> {
    op: &'a str,
    errno: Option<i32>,
    error: &'a str,
    facts: &'a Facts,
    took: u64,
}

fn peer(facts: &Facts) -> String {
    format!("peer {:?} {:?}", facts.get("client"), facts.get("pid"))
}
