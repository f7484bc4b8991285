//! Depths `stage` and `kernel`: every scope as an indented tree; with `kernel`, every operation.

use super::evidence;
use super::exchange::Exchanges;
use super::gist::Gathered;
use super::lines::{self, Place};
use super::operation;
use super::page::Page;
use super::paint::Tone;
use super::say::{Speaker, duration, errno, shorten};
use super::tree::{Node, Tree};
use crate::lesson::known::Known;
use crate::op::{HttpOp, Op, StoreOp};
use crate::text::{self, Entry, glossary};
use crate::trace::{Event, Facts, Note, Record, Scope};
use std::collections::{HashMap, HashSet};

/// Columns a level of the tree is indented by.
const STEP: usize = 2;

/// Levels of the tree with a blank line between their scopes; below, headings are enough.
const AIRY: usize = 2;

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
    /// The learner stopped: what fails from then on fails for that reason.
    aborted: bool,
    /// What each open scope did that is told at its end.
    gathered: HashMap<u32, Gathered>,
    /// Requests in which nothing was told yet: one in which nothing will be is a single line.
    silent: HashSet<u32>,
    /// What each open request was answered: told with the time it took.
    answered: HashMap<u32, String>,
    /// What the last heading was about; the same again is not repeated.
    about: String,
    /// Requests to a registry whose line is not whole yet.
    exchanges: Exchanges,
}

/// A digest that is right has a note of its own.
const VERIFY: &str = "store.verify-digest";

/// Written values shown per scope at depth `stage`; the rest are counted.
const VALUES: usize = 6;

/// Work inside other work that took this long or longer says so, in microseconds.
const LONG: u64 = 100_000;

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
            aborted: false,
            gathered: HashMap::new(),
            silent: HashSet::new(),
            answered: HashMap::new(),
            about: String::new(),
            exchanges: Exchanges::default(),
        }
    }

    /// Shows one record.
    pub fn record(&mut self, stand: &mut Stand<'_>, record: &Record) {
        let place = self.place(stand.tree, record.scope);
        if !self.tell_exchange(stand, place, record) {
            return;
        }
        match &record.event {
            Event::Opened { id, kind, about } => {
                self.missed &= record.scope != 0;
                self.break_silence(stand, record.scope);
                self.opened(stand, *id, *kind, about);
            }
            Event::Closed { error, took } => self.closed(stand, record.scope, error.as_deref(), *took),
            Event::Will { op } => {
                self.break_silence(stand, record.scope);
                if self.kernel {
                    operation::announce(stand, place, op);
                }
                self.announced.insert(record.scope, op.clone());
            }
            Event::Did { op, facts, took } => self.did(stand, place, record.scope, op, facts, *took),
            Event::Failed { op, errno, error, facts, took } => {
                let error = Failure { op, errno: *errno, error, facts, took: *took };
                self.failed(stand, place, record.scope, &error);
            }
            Event::Note { note: Note::Answered, facts } => {
                let status = facts.get("status").cloned().unwrap_or_default();
                self.answered.insert(record.scope, status);
                return;
            }
            // Whose requests these are is said once; each request's title holds the rest.
            Event::Note { note: Note::Peer, facts }
                if stand.tree.is_ping(record.scope) || !stand.speaker.first_request(facts) =>
            {
                return;
            }
            // Each answer of the registry counts it down.
            Event::Note { note: Note::RateLimit, .. } if !stand.speaker.first_time("rate-limit") => return,
            Event::Note { note, facts } => {
                self.missed |= *note == Note::CacheMiss;
                self.aborted |= *note == Note::Aborted;
                self.break_silence(stand, record.scope);
                let (sentence, rest) = stand.speaker.remark(*note, facts);
                let (mark, tone) =
                    if *note == Note::Aborted { ("! ", Tone::Bad) } else { ("- ", Tone::Plain) };
                stand.page.paragraph(place.block, place.indent, mark, tone, &sentence);
                match note {
                    Note::NamespaceInodes => lines::columns(stand.page, place, &rest),
                    Note::FourHashes | Note::Overlay => lines::labelled(stand, place, &rest),
                    _ => lines::facts(stand, place, &rest),
                }
            }
            Event::Missed { count } => {
                let missed = text::ui(stand.speaker.lang, "trace.missed-some", &[("count", count)]);
                stand.page.paragraph(place.block, place.indent, "! ", Tone::Bad, &missed);
            }
            Event::Held | Event::Released { .. } => return,
        }
        self.last = match &record.event {
            Event::Opened { id, .. } => *id,
            _ => record.scope,
        };
    }

    /// Writes the request of this scope down as soon as nothing adds to it any more; `false` when
    /// this record did.
    fn tell_exchange(&mut self, stand: &mut Stand<'_>, place: Place, record: &Record) -> bool {
        match &record.event {
            Event::Note { note, facts } if self.exchanges.add(stand.speaker, record.scope, *note, facts) => {
                return false;
            }
            Event::Will { .. } | Event::Did { .. } if self.exchanges.goes_on(record.scope) => return true,
            // What a check found is the note that follows.
            Event::Will { op: Op::Store(StoreOp::VerifyDigest { .. }) } => return true,
            Event::Did { op, .. } if op == VERIFY => return true,
            _ => {}
        }
        if let Some(line) = self.exchanges.finish(record.scope) {
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &line);
        }
        true
    }

    fn opened(&mut self, stand: &mut Stand<'_>, id: u32, kind: Scope, about: &str) {
        if kind == Scope::Request && !self.stepping {
            self.silent.insert(id);
        } else if !stand.tree.is_ping(id) {
            self.head(stand, id, kind, about);
        }
    }

    /// Something in this scope is told: its heading comes first.
    fn break_silence(&mut self, stand: &mut Stand<'_>, scope: u32) {
        if let Some(node) = stand.tree.get(scope).filter(|_| self.silent.remove(&scope)) {
            self.head(stand, scope, node.kind, &node.about);
            self.last = scope;
        }
    }

    fn head(&mut self, stand: &mut Stand<'_>, id: u32, kind: Scope, about: &str) {
        let Some(node) = stand.tree.get(id) else { return };
        let block = self.block(node);
        if !self.stepping && node.block == Some(id) {
            stand.page.open_block(id);
        }
        let indent = node.depth * STEP;
        // Directly below its parent's heading no air is needed.
        if node.depth < AIRY && (self.last != node.parent || node.depth == 0) || self.kernel {
            stand.page.breathe(block);
        }
        let shown = if self.about == about { String::new() } else { shorten(about) };
        about.clone_into(&mut self.about);
        let Some(entry) = glossary().scope(kind) else {
            stand.page.heading(block, indent, "> ", kind.name(), &shown);
            return;
        };
        let lang = stand.speaker.lang;
        stand.page.heading(block, indent, "> ", entry.title.get(lang), &shown);
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
        if self.silent.remove(&id) || stand.tree.is_ping(id) {
            let answered = self.answered.remove(&id);
            return self.one_line(stand, node, answered, error, took);
        }
        self.tell_gathered(stand, place, id);
        // Of what failed there is nothing left to look at; an image that is not here is no failure.
        if (error.is_none() || self.missed)
            && let Some(command) = entry.and_then(|entry| self.evidence(stand, id, entry))
            && stand.speaker.first_time(&command)
        {
            let lead = format!("{}  ", stand.speaker.word("see"));
            stand.page.command(place.block, place.indent, &lead, &evidence::shown(&command));
        }
        // A learner at the gate would read how long they looked at it.
        let time = if self.stepping { String::new() } else { format!(" ({})", duration(took)) };
        let told = error.map(|error| stand.speaker.error(error));
        let ending = match (told, self.answered.remove(&id)) {
            (Some(_), _) if self.missed => None,
            (Some(_), _) if self.aborted => Some((Tone::Quiet, stand.speaker.word("stopped"))),
            (Some(error), _) => Some((Tone::Bad, format!("{}{time}", self.failure(stand, error)))),
            (None, Some(status)) => {
                let words = text::ui(stand.speaker.lang, "narration.answered", &[("status", &status)]);
                Some((Tone::Quiet, format!("{words}{time}")))
            }
            (None, None) if self.stepping || took < LONG => None,
            (None, None) => Some((Tone::Quiet, format!("{}{time}", stand.speaker.word("end")))),
        };
        if let Some((tone, mut ending)) = ending {
            let title = entry.map(|entry| entry.title.get(stand.speaker.lang));
            if let Some(title) = title.filter(|_| self.last != id && node.kind != Scope::Request) {
                ending.push_str(&format!(" · {title}"));
            }
            stand.page.paragraph(place.block, place.indent, "", tone, &ending);
        }
        if !self.stepping && node.block == Some(id) {
            stand.page.close_block(id);
        }
    }

    /// A request in which nothing happened that is told apart.
    fn one_line(
        &self,
        stand: &mut Stand<'_>,
        node: &Node,
        answered: Option<String>,
        error: Option<&str>,
        took: u64,
    ) {
        let lang = stand.speaker.lang;
        let (request, block) = (shorten(&node.about), self.block(node));
        let answer = answered.or_else(|| error.map(shorten)).unwrap_or_else(|| stand.speaker.word("end"));
        if node.about.ends_with("/_ping") {
            let words = text::ui(lang, "narration.ping", &[("request", &request), ("status", &answer)]);
            return stand.page.paragraph(block, 0, "- ", Tone::Plain, &words);
        }
        stand.page.breathe(block);
        let title = format!("{request} -> {answer} ({})", duration(took));
        stand.page.heading(block, node.depth * STEP, "> ", &title, "");
    }

    fn tell_gathered(&mut self, stand: &mut Stand<'_>, place: Place, id: u32) {
        let Some(gathered) = self.gathered.remove(&id) else { return };
        let lang = stand.speaker.lang;
        let mut tell = |body: &str| stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, body);
        for (name, items) in gathered.acts() {
            let title = glossary().op(name).map_or(name, |entry| entry.title.get(lang));
            tell(&shorten(&format!("{title}: {}", items.join(", "))));
        }
        let written = gathered.written();
        for (path, value) in written.iter().take(VALUES) {
            tell(&shorten(&format!("{path} = {value}")));
        }
        if let Some(more) = written.len().checked_sub(VALUES).filter(|more| *more > 0) {
            let words = text::ui(lang, "narration.more", &[("count", &more)]);
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Quiet, &words);
        }
    }

    /// How a scope that did not end well ends; `error` only when it was not told yet.
    fn failure(&self, stand: &Stand<'_>, error: Option<String>) -> String {
        match error {
            None => stand.speaker.word("failed"),
            Some(error) => text::ui(stand.speaker.lang, "narration.failed-with", &[("error", &error)]),
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
            operation::result(stand, place, Tone::Plain, &body);
            return;
        }
        let root = stand.tree.get(scope).map(|node| node.about.as_str()).unwrap_or_default();
        if let Some(Op::Http(HttpOp::Request { method, url, .. })) = &announced {
            self.exchanges.answered(stand.speaker, scope, (method, url), &facts);
        } else if announced.is_some_and(|op| self.gathered.entry(scope).or_default().take(&op, root)) {
            // Told at the scope's end.
        } else if !facts.is_empty() && op != VERIFY {
            // The sealed runtime has a note of its own.
            let facts: Vec<_> = facts.into_iter().filter(|(name, _)| name != "sealed").collect();
            let title = glossary().op(op).map_or(op, |entry| entry.title.get(stand.speaker.lang));
            let body = format!("{title}: {}", stand.speaker.list(&facts));
            stand.page.paragraph(place.block, place.indent, "- ", Tone::Plain, &shorten(&body));
        }
    }

    fn failed(&mut self, stand: &mut Stand<'_>, place: Place, scope: u32, failure: &Failure<'_>) {
        self.announced.remove(&scope);
        // Whether a registry answers is what choosing one is for; what follows from it is a note.
        if !self.kernel && stand.tree.get(scope).is_some_and(|node| node.kind == Scope::RegistryChoose) {
            return;
        }
        let lang = stand.speaker.lang;
        let title = glossary().op(failure.op).map_or(failure.op, |entry| entry.title.get(lang));
        let error = stand.speaker.error(failure.error).unwrap_or_else(|| shorten(failure.error));
        let number = failure.errno.map(|number| format!(" ({})", errno(lang, number))).unwrap_or_default();
        if self.kernel {
            let failed = text::ui(lang, "narration.failed-with", &[("error", &error)]);
            operation::result(
                stand,
                place,
                Tone::Bad,
                &format!("{failed}{number} ({})", duration(failure.took)),
            );
        } else {
            let body = format!("{title}: {error}{number}");
            stand.page.paragraph(place.block, place.indent, "! ", Tone::Bad, &body);
        }
        let facts: Vec<_> = failure.facts.iter().map(|(n, v)| (n.clone(), shorten(v))).collect();
        lines::facts(stand, place, &facts);
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

struct Failure<'a> {
    op: &'a str,
    errno: Option<i32>,
    error: &'a str,
    facts: &'a Facts,
    took: u64,
}
