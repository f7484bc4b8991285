//! Sessions of command lines: the text files below `sessions/`.
//!
//! ```text
//! # What this session is about.
//! # images: alpine                    pulled before it begins; without this line both, `none` for none
//! # setup: docker run … alpine true   has to succeed, its answer is not compared
//! # let 5c7086fe84cf = docker ps -lq  from here on this word stands for what the command prints
//! # not-yet: reason                   the next line does not answer like Docker yet
//! # not-yet, learn: reason            … through `learn`; through the stock client (`docker`) it does
//! # known: key                        … and will not, for the reason known.md gives under this key
//! $ docker ps -a
//! ```
//!
//! A line that begins with `> ` goes on with the command before it. All other lines with `#` are
//! remarks. A mark covers the next command alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A client and an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// The stock client and Docker Engine: how it should be.
    Docker,
    /// The stock client and `learn`'s daemon.
    Stock,
    /// `learn` and its daemon.
    Learn,
}

impl Way {
    /// The ways that are compared with [`Way::Docker`].
    pub const OURS: [Way; 2] = [Way::Stock, Way::Learn];

    /// As marks name it: by its client.
    pub fn name(self) -> &'static str {
        match self {
            Way::Docker => "engine",
            Way::Stock => "docker",
            Way::Learn => "learn",
        }
    }
}

/// Why a line may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excuse {
    /// It is to be mended.
    NotYet(String),
    /// It stays, for the reason of this key in known.md.
    Known(String),
}

/// A remark before a command.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The only way it is about, if not both.
    pub way: Option<Way>,
    pub excuse: Excuse,
    /// Its line in the file, from 1.
    pub number: usize,
}

/// A command that is compared.
#[derive(Clone, Debug)]
pub struct Line {
    pub command: String,
    /// Its line in the file, from 1.
    pub number: usize,
    pub marks: Vec<Mark>,
}

impl Line {
    /// The mark that covers a way.
    pub fn mark(&self, way: Way) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.way.is_none_or(|only| only == way))
    }
}

/// What a session does, in order.
#[derive(Clone, Debug)]
pub enum Step {
    /// Has to succeed.
    Setup(String),
    /// A word that stands for what a command prints.
    Let { word: String, command: String },
    /// Compared.
    Line(Line),
}

/// One file.
#[derive(Clone, Debug)]
pub struct Session {
    /// The file's name without its ending.
    pub name: String,
    pub images: Vec<String>,
    pub steps: Vec<Step>,
}

/// What is there before a session that does not say.
const IMAGES: [&str; 2] = ["alpine", "hello-world"];

impl Session {
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.steps.iter().filter_map(|step| match step {
            Step::Line(line) => Some(line),
            _ => None,
        })
    }

    /// Reads a file.
    fn parse(path: &Path, text: &str) -> Session {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let images = IMAGES.map(str::to_owned).to_vec();
        let mut session = Session { name, images, steps: Vec::new() };
        let mut marks = Vec::new();
        for (number, text) in (1..).zip(text.lines()) {
            let place = format!("{}:{number}", path.display());
            if let Some(command) = text.strip_prefix("$ ") {
                let marks = std::mem::take(&mut marks);
                session.steps.push(Step::Line(Line { command: command.to_owned(), number, marks }));
            } else if let Some(more) = text.strip_prefix("> ") {
                let Some(Step::Line(line)) = session.steps.last_mut() else {
                    panic!("{place}: > after what?")
                };
                line.command = format!("{}\n{more}", line.command);
            } else if let Some(remark) = text.strip_prefix("# ") {
                session.remark(remark, number, &mut marks).unwrap_or_else(|| panic!("{place}: {text}"));
            } else {
                assert!(text.is_empty() || text == "#", "{place}: neither a command nor a remark: {text}");
            }
        }
        assert!(marks.is_empty(), "{}: a mark at the end covers nothing", path.display());
        session
    }

    /// `None`: it begins like something it is not.
    fn remark(&mut self, remark: &str, number: usize, marks: &mut Vec<Mark>) -> Option<()> {
        if let Some(images) = remark.strip_prefix("images: ") {
            self.images =
                images.split_whitespace().filter(|name| *name != "none").map(str::to_owned).collect();
        } else if let Some(command) = remark.strip_prefix("setup: ") {
            self.steps.push(Step::Setup(command.to_owned()));
        } else if let Some(pair) = remark.strip_prefix("let ") {
            let (word, command) = pair.split_once(" = ")?;
            self.steps.push(Step::Let { word: word.to_owned(), command: command.to_owned() });
        } else if remark.starts_with("not-yet") || remark.starts_with("known") {
            let (head, reason) = remark.split_once(": ")?;
            let (kind, way) = head.split_once(", ").map_or((head, None), |(kind, way)| (kind, Some(way)));
            let way = match way {
                None => None,
                Some(name) => Some(*Way::OURS.iter().find(|way| way.name() == name)?),
            };
            let excuse = match kind {
                "not-yet" => Excuse::NotYet(reason.to_owned()),
                "known" => Excuse::Known(reason.to_owned()),
                _ => return None,
            };
            marks.push(Mark { way, excuse, number });
        }
        Some(())
    }
}

/// All sessions, by name.
pub fn all() -> Vec<Session> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/sessions");
    let entries = fs::read_dir(&directory).expect("the sessions");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut sessions: Vec<Session> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| Session::parse(&path, &fs::read_to_string(&path).expect("a session")))
        .collect();
    sessions.sort_by(|a, b| a.name.cmp(&b.name));
    sessions
}

/// The reasons of known.md by their keys: a heading (`## key`) and what is below it.
pub fn known() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/known.md");
    let text = fs::read_to_string(path).expect("known.md");
    let sections = text.split("\n## ").skip(1);
    sections
        .filter_map(|section| section.split_once('\n'))
        .map(|(key, reason)| (key.trim().to_owned(), reason.trim().to_owned()))
        .collect()
}
