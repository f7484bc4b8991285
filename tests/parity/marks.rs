//! The marks a line should carry, and putting them into its file.

use super::session::{Excuse, Line, Way, path};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The longest reason that is taken from an answer, in characters.
const REASON: usize = 90;

/// Changes to the sessions' files.
#[derive(Default)]
pub struct Marks(BTreeMap<String, Changes>);

#[derive(Default)]
struct Changes {
    /// Lines that go, from 1.
    gone: BTreeSet<usize>,
    /// What is put before a line, from 1.
    added: BTreeMap<usize, Vec<String>>,
}

impl Marks {
    /// Gives a line the marks for the ways that differ, each with its excuse.
    pub fn set(&mut self, session: &str, line: &Line, differing: &[(Way, Excuse)]) {
        let changes = self.0.entry(session.to_owned()).or_default();
        changes.gone.extend(line.marks.iter().map(|mark| mark.number));
        let text = |(way, excuse): &(Option<Way>, Excuse)| {
            let way = way.map(|way| format!(", {}", way.name())).unwrap_or_default();
            match excuse {
                Excuse::NotYet(reason) => format!("# not-yet{way}: {reason}"),
                Excuse::Known(key) => format!("# known{way}: {key}"),
            }
        };
        let marks = match differing {
            [(_, one), (_, other)] if one == other => vec![(None, one.clone())],
            _ => differing.iter().map(|(way, excuse)| (Some(*way), excuse.clone())).collect(),
        };
        changes.added.insert(line.number, marks.iter().map(text).collect());
    }

    /// Writes the files.
    pub fn write(&self) {
        for (session, changes) in &self.0 {
            let path = path(session);
            let old = fs::read_to_string(&path).expect("a session");
            let mut new = String::new();
            for (number, line) in (1..).zip(old.split_inclusive('\n')) {
                for mark in changes.added.get(&number).into_iter().flatten() {
                    new += mark;
                    new.push('\n');
                }
                if !changes.gone.contains(&number) {
                    new += line;
                }
            }
            fs::write(&path, new).expect("a session");
        }
    }
}

/// What came instead: the first line of the answer that Docker does not give, else the first that
/// is missing.
pub fn reason(expected: &str, answer: &str) -> String {
    let lacks = |line: &&str, other: &str| !other.lines().any(|there| there == *line);
    let extra = answer.lines().find(|line| lacks(line, expected)).map(str::to_owned);
    let missing = expected.lines().find(|line| lacks(line, answer)).map(|line| format!("lacks {line}"));
    let told = extra.or(missing).unwrap_or_else(|| "the order".to_owned());
    let told = told.trim_start_matches(['|', '!', '~', ' ']).replace("Error response from daemon: ", "");
    let told = if told.is_empty() { "an empty line".to_owned() } else { told.replace("= ", "exit code ") };
    told.chars().take(REASON).collect::<String>().trim_end().to_owned()
}

#[test]
fn a_reason_is_what_came_instead() {
    assert_eq!(reason("| a\n", "! Error response from daemon: no\n= 1\n"), "no");
    assert_eq!(reason("| a\n| b\n", "| b\n"), "lacks | a");
}
