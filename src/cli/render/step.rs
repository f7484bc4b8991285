//! `--step`: the narration, and a prompt wherever the work waits.
//!
//! [`Stepper`] decides what a key means and knows nothing of terminals; [`Session`] narrates,
//! asks it, and hands back the learner's decision.

use super::evidence::{self, Evidence};
use super::paint::Tone;
use super::say::{errno, shorten};
use super::terminal::Keys;
use super::{Depth, Narrator, Options, story};
use crate::op::Op;
use crate::text::{self, Lang, glossary};
use crate::trace::{Decision, Event, Note, Record, Scope};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::Write;

/// A key the prompt knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Let the waiting work go on.
    Enter,
    /// Look one back.
    Back,
    /// Look one forth.
    Forth,
    /// Run the evidence command.
    Evidence,
    /// Run to the end.
    Run,
    /// Abort.
    Quit,
    /// Explain the keys.
    Help,
    /// Anything else.
    Other,
}

impl Key {
    /// From what a terminal sends. A Korean keyboard in Hangul mode sends the jamo on the same
    /// key; arrows walk; Ctrl-C aborts.
    pub fn from_bytes(bytes: &[u8]) -> Key {
        match bytes {
            b"\x1b[D" | b"\x1bOD" => return Key::Back,
            b"\x1b[C" | b"\x1bOC" => return Key::Forth,
            _ => {}
        }
        match String::from_utf8_lossy(bytes).chars().next() {
            Some('\r' | '\n') => Key::Enter,
            Some('b' | 'B' | 'ㅠ') => Key::Back,
            Some('n' | 'N' | 'ㅜ') => Key::Forth,
            Some('e' | 'E' | 'ㄷ' | 'ㄸ') => Key::Evidence,
            Some('c' | 'C' | 'ㅊ') => Key::Run,
            Some('q' | 'Q' | 'ㅂ' | 'ㅃ' | '\x03' | '\x04') => Key::Quit,
            Some('?' | 'h' | 'H' | 'ㅗ') => Key::Help,
            _ => Key::Other,
        }
    }
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answer the gate.
    Decide(Decision),
    /// Show this card again.
    Show(usize),
    /// Run this card's evidence command.
    Evidence(usize),
    /// Show the keys.
    Help,
    /// There is nothing further back.
    Oldest,
    /// There is nothing further forth: the work waits here.
    Newest,
    /// Nothing.
    Ignore,
}

/// Where the learner stands among what was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepper {
    shown: usize,
    position: usize,
}

impl Stepper {
    /// One more was shown; the learner stands at it.
    pub fn push(&mut self) -> usize {
        self.position = self.shown;
        self.shown += 1;
        self.position
    }

    /// What `key` leads to.
    pub fn key(&mut self, key: Key) -> Action {
        match key {
            Key::Enter => Action::Decide(Decision::Next),
            Key::Run => Action::Decide(Decision::Free),
            Key::Quit => Action::Decide(Decision::Abort),
            Key::Back if self.position == 0 => Action::Oldest,
            Key::Back => {
                self.position -= 1;
                Action::Show(self.position)
            }
            Key::Forth if self.position + 1 >= self.shown => Action::Newest,
            Key::Forth => {
                self.position += 1;
                Action::Show(self.position)
            }
            Key::Evidence => Action::Evidence(self.position),
            Key::Help => Action::Help,
            Key::Other => Action::Ignore,
        }
    }
}

/// What was shown at one stop.
struct Card {
    scope: u32,
    title: String,
    say: String,
    evidence: Option<String>,
    /// What came to light since.
    lines: Vec<String>,
}

/// A stepping session: feed it the records, pass its decisions on.
pub struct Session {
    narrator: Narrator,
    keys: Box<dyn Keys>,
    lang: Lang,
    simulated: bool,
    stepper: Stepper,
    cards: Vec<Card>,
    /// What each scope announced last and has not done yet: an operation, or itself (`None`).
    pending: HashMap<u32, Option<Op>>,
    explained: bool,
    /// Told at depth `story`: a stop is a stage of it.
    story: bool,
    /// The scope whose opening or announcement was the last thing told.
    told: Option<u32>,
    /// A pull of this session that is complete, by its reference, and whether the learner stopped.
    pulled: Option<String>,
    aborted: bool,
    /// What evidence commands find in their environment.
    environment: Vec<(&'static str, String)>,
}

impl Session {
    /// A session that writes to `out` and reads from `keys`.
    pub fn new(options: Options, out: Box<dyn Write + Send>, keys: Box<dyn Keys>) -> Session {
        let options = Options { stepping: true, ..options };
        Session {
            narrator: Narrator::new(options, out),
            keys,
            lang: options.lang,
            simulated: options.simulated,
            stepper: Stepper::default(),
            cards: Vec::new(),
            pending: HashMap::new(),
            explained: false,
            story: options.depth == Depth::Story,
            told: None,
            pulled: None,
            aborted: false,
            environment: Vec::new(),
        }
    }

    /// The same session, whose evidence commands run in this environment.
    #[must_use]
    pub fn among(self, environment: Vec<(&'static str, String)>) -> Session {
        Session { environment, ..self }
    }

    /// Tells one record. When the work waits, blocks until the learner decides and returns the
    /// decision, to be sent to the gate. Input that ends or fails lets the work run on.
    pub fn record(&mut self, record: &Record) -> Option<Decision> {
        self.narrator.record(record);
        match &record.event {
            Event::Opened { id, .. } => {
                self.pending.insert(*id, None);
            }
            Event::Will { op } => {
                self.pending.insert(record.scope, Some(op.clone()));
            }
            Event::Held => return Some(self.hold(record.scope)),
            event => self.note_on_cards(record.scope, event),
        }
        self.told = match &record.event {
            // The question every client asks first has no heading of its own.
            Event::Opened { about, .. } if about.ends_with("/_ping") => None,
            Event::Opened { id, .. } => Some(*id),
            Event::Will { .. } => Some(record.scope),
            _ => None,
        };
        self.remember(record);
        None
    }

    /// What is said at the end of a session that the learner stopped.
    fn remember(&mut self, record: &Record) {
        match &record.event {
            Event::Note { note: Note::Aborted, .. } => self.aborted = true,
            Event::Closed { error: None, .. } => {
                let node = self.narrator.tree.get(record.scope);
                if let Some(pull) = node.filter(|node| node.kind == Scope::ImagePull) {
                    self.pulled = Some(pull.about.clone());
                }
            }
            _ => {}
        }
    }

    /// Writes what is still kept back.
    pub fn finish(&mut self) {
        if let Some(image) = self.pulled.take().filter(|_| self.aborted) {
            let command = format!("learn rmi {image}");
            let words = text::ui(self.lang, "narration.image-stays", &[("command", &command)]);
            self.line(Tone::Plain, &words);
        }
        self.narrator.finish();
    }

    fn hold(&mut self, scope: u32) -> Decision {
        let card = self.card(scope);
        self.cards.push(card);
        let position = self.stepper.push();
        if self.told == Some(scope) {
            self.line(Tone::Title, &format!("|| {}", self.ui("waiting", &[])));
        } else {
            self.line(Tone::Plain, "");
            let heading = format!("|| {}: {}", self.ui("about-to", &[]), self.cards[position].title);
            self.line(Tone::Title, &heading);
        }
        self.show_evidence_hint(position);
        let prompt = if self.explained { "prompt-short" } else { "prompt" };
        self.explained = true;
        self.line(Tone::Quiet, &self.ui(prompt, &[]));
        loop {
            self.narrator.page.finish();
            let key = self.keys.next().unwrap_or(Key::Run);
            match self.stepper.key(key) {
                Action::Decide(decision) => {
                    self.say_decision(decision);
                    return decision;
                }
                Action::Show(position) => self.show(position),
                Action::Evidence(position) => self.run_evidence(position),
                Action::Help => self.line(Tone::Plain, &self.ui("help", &[])),
                Action::Oldest => self.line(Tone::Quiet, &self.ui("at-oldest", &[])),
                Action::Newest => self.line(Tone::Quiet, &self.ui("at-newest", &[])),
                Action::Ignore => continue,
            }
            self.line(Tone::Quiet, &self.ui("prompt-short", &[]));
        }
    }

    fn say_decision(&mut self, decision: Decision) {
        match decision {
            Decision::Next => self.line(Tone::Plain, ""),
            Decision::Free => self.line(Tone::Quiet, &self.ui("running-on", &[])),
            Decision::Abort => self.line(Tone::Quiet, &self.ui("aborting", &[])),
        }
    }

    /// What waits in `scope`: the operation announced last, else the scope itself.
    fn card(&self, scope: u32) -> Card {
        let node = self.narrator.tree.get(scope);
        let words = node.and_then(|node| glossary().scope(node.kind));
        let evidence = words.and_then(|entry| entry.evidence.clone());
        let stage = self.narrator.tree.stage(scope).filter(|_| self.story);
        if let Some((stage, entry)) = stage.and_then(|stage| Some((stage, glossary().stage(stage)?))) {
            let title = format!("{}. {}", story::number(stage), entry.title.get(self.lang));
            let say = entry.say.get(self.lang).to_owned();
            return Card { scope, title, say, evidence, lines: Vec::new() };
        }
        let (entry, about) = match self.pending.get(&scope) {
            Some(Some(op)) => (glossary().op(&op.name()), op.shell()),
            _ => (words, node.map(|node| shorten(&node.about)).unwrap_or_default()),
        };
        let title = entry.map(|entry| entry.title.get(self.lang).to_owned()).unwrap_or_default();
        let title = if about.is_empty() { title } else { format!("{title} · {about}") };
        let say = entry.map(|entry| entry.say.get(self.lang).to_owned()).unwrap_or_default();
        Card { scope, title, say, evidence, lines: Vec::new() }
    }

    fn note_on_cards(&mut self, scope: u32, event: &Event) {
        let speaker = &self.narrator.speaker;
        let lines = match event {
            Event::Note { note: note @ Note::NamespaceInodes, facts } => {
                let (sentence, rows) = speaker.note(*note, facts);
                let rows = rows.into_iter().map(|(kind, numbers)| format!("{kind}  {numbers}"));
                std::iter::once(sentence).chain(rows).collect()
            }
            Event::Note { note, facts } => {
                let (sentence, rest) = speaker.note(*note, facts);
                let more = format!("{sentence} ({})", speaker.list(&rest));
                vec![if rest.is_empty() { sentence } else { more }]
            }
            Event::Failed { op, error, errno: number, .. } => {
                let title = glossary().op(op).map_or(op.as_str(), |entry| entry.title.get(self.lang));
                let number = number.map(|number| format!(" ({})", errno(self.lang, number)));
                vec![format!("{title}: {error}{}", number.unwrap_or_default())]
            }
            _ => return,
        };
        if let Some(card) = self.cards.iter_mut().rfind(|card| card.scope == scope) {
            card.lines.extend(lines);
        }
    }

    fn show(&mut self, position: usize) {
        let Some(card) = self.cards.get(position) else { return };
        let (title, say, lines) = (card.title.clone(), card.say.clone(), card.lines.clone());
        let (at, count) = (position + 1, self.cards.len());
        self.line(Tone::Plain, "");
        self.line(Tone::Quiet, &self.ui("review", &[("position", &at), ("count", &count)]));
        self.line(Tone::Title, &title);
        self.line(Tone::Plain, &say);
        for line in lines {
            self.narrator.page.paragraph(None, 2, "- ", Tone::Plain, &line);
        }
        self.show_evidence_hint(position);
    }

    fn show_evidence_hint(&mut self, position: usize) {
        let card = &self.cards[position];
        let value = |name: &str| {
            let known = self.narrator.known.get(card.scope, name).map(str::to_owned);
            known.or_else(|| Some(format!("<{name}>")))
        };
        let command = card.evidence.as_deref().and_then(|template| text::fill(template, value).ok());
        if let Some(command) = command {
            let lead = format!("{}  ", self.ui("evidence", &[]));
            self.narrator.page.command(None, 0, &lead, &evidence::shown(&command));
        }
    }

    fn run_evidence(&mut self, position: usize) {
        let card = &self.cards[position];
        let Some(template) = card.evidence.clone() else {
            return self.line(Tone::Quiet, &self.ui("no-evidence", &[]));
        };
        let known = |name: &str| self.narrator.known.get(card.scope, name).map(str::to_owned);
        let argv = match evidence::command(&template, known) {
            Ok(argv) => argv,
            Err(missing) => {
                return self.line(Tone::Quiet, &self.ui("missing-fact", &[("name", &missing.0)]));
            }
        };
        let command = shell_words::join(&argv);
        if self.simulated {
            return self.line(Tone::Quiet, &self.ui("evidence-simulated", &[("command", &command)]));
        }
        self.narrator.page.command(None, 0, "$ ", &evidence::shown(&command));
        match evidence::run(&argv, &self.environment) {
            Ok(evidence) => self.show_output(&evidence),
            Err(error) => self.line(Tone::Bad, &self.ui("evidence-failed", &[("error", &error)])),
        }
    }

    fn show_output(&mut self, evidence: &Evidence) {
        for line in &evidence.lines {
            self.narrator.page.verbatim(&format!("  | {line}"));
        }
        if evidence.left_out > 0 {
            self.line(Tone::Quiet, &self.ui("evidence-cut", &[("count", &evidence.left_out)]));
        }
        if evidence.status != 0 {
            self.line(Tone::Quiet, &self.ui("evidence-status", &[("code", &evidence.status)]));
        }
    }

    fn line(&mut self, tone: Tone, body: &str) {
        if body.is_empty() {
            self.narrator.page.breathe(None);
        } else {
            self.narrator.page.paragraph(None, 0, "", tone, body);
        }
    }

    fn ui(&self, key: &str, args: &[(&str, &dyn Display)]) -> String {
        text::ui(self.lang, &format!("step.{key}"), args)
    }
}
