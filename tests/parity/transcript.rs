//! What was answered, as it is kept below `snapshots/parity/`.
//!
//! ```text
//! $ docker rm nosuch
//! ! Error response from daemon: No such container: nosuch
//! = 1
//! ```
//!
//! `|` begins a line of the output, `!` one of the error output; with `~` after it the line had
//! no end. `=` is the exit code when it is not 0.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

/// What a command answered, normalised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

impl Answer {
    /// As it is kept.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (mark, stream) in [('|', &self.stdout), ('!', &self.stderr)] {
            for line in stream.split_inclusive('\n') {
                match line.strip_suffix('\n') {
                    Some("") => writeln!(text, "{mark}"),
                    Some(line) => writeln!(text, "{mark} {line}"),
                    None => writeln!(text, "{mark}~ {line}"),
                }
                .expect("a string takes it");
            }
        }
        if self.code != 0 {
            writeln!(text, "= {}", self.code).expect("a string takes it");
        }
        text
    }
}

/// A command and what is kept of its answer.
pub type Entry = (String, String);

/// The answers of a session, as text.
pub fn write(entries: &[Entry]) -> String {
    let entry = |(command, answer): &Entry| format!("$ {}\n{answer}", command.replace('\n', "\n> "));
    entries.iter().map(entry).collect()
}

/// The same read back.
pub fn read(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), entries.last_mut()) {
            (Some(command), ..) => entries.push((command.trim_end_matches('\n').to_owned(), String::new())),
            (None, Some(more), Some((command, _))) => {
                command.push('\n');
                *command += more.trim_end_matches('\n');
            }
            (None, None, Some((_, answer))) => *answer += line,
            (None, _, None) => panic!("a transcript begins with a command, not with {line:?}"),
        }
    }
    entries
}

fn path(session: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots/parity").join(format!("{session}.txt"))
}

/// What Docker answered when it was recorded; `None` when it never was.
pub fn recorded(session: &str) -> Option<Vec<Entry>> {
    match fs::read_to_string(path(session)) {
        Ok(text) => Some(read(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path(session).display()),
    }
}

/// Keeps what Docker answers now.
pub fn record(session: &str, entries: &[Entry]) {
    fs::write(path(session), write(entries)).expect("a place for snapshots");
}

#[test]
fn a_transcript_is_read_as_it_was_written() {
    let answer = Answer { stdout: "a\n\nno end".into(), stderr: "$ not a command\n".into(), code: 3 };
    let entries = vec![("docker a\nb".to_owned(), answer.text()), ("docker b".to_owned(), String::new())];
    assert_eq!(read(&write(&entries)), entries);
    assert_eq!(answer.text(), "| a\n|\n|~ no end\n! $ not a command\n= 3\n");
}
