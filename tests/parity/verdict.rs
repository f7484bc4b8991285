//! Which lines answer like Docker, and whether their marks say so.

use super::Answers;
use super::marks::{self, Marks};
use super::session::{self, Excuse, Line, Session, Way};
use super::transcript::{self, Entry};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What came out.
pub struct Report {
    pub text: String,
    /// What the sessions' files should say.
    pub marks: Marks,
    /// Lines that are not as their marks say, and snapshots that are not as Docker says.
    pub wrong: usize,
}

/// How many lines are what.
#[derive(Default)]
struct Counts {
    same: usize,
    known: usize,
    not_yet: usize,
    wrong: usize,
}

/// Judges everything that was answered. `recording` keeps Docker's answers; `whole` is not set
/// when some sessions were left out.
pub fn judge(sessions: &[Session], answers: &Answers, recording: bool, whole: bool) -> Report {
    let known = session::known();
    let (mut text, mut counts, mut used) = (String::new(), Counts::default(), BTreeSet::new());
    let mut mended = Marks::default();
    for session in sessions {
        let answered = answers.get(&(session.name.clone(), Way::Docker));
        if let (true, Some(entries)) = (recording, answered) {
            transcript::record(&session.name, entries);
        }
        let recorded = transcript::recorded(&session.name).unwrap_or_default();
        let ours = Way::OURS.map(|way| (way, &answers[&(session.name.clone(), way)]));
        for (at, line) in session.lines().enumerate() {
            let place = format!("{}:{}", session.name, line.number);
            let Some((_, expected)) = recorded.get(at).filter(|(command, _)| *command == line.command) else {
                counts.wrong += 1;
                writeln!(text, "\n{place}: {}: not recorded", line.command).expect("a string");
                continue;
            };
            if let Some((_, live)) = answered.map(|entries| &entries[at])
                && live != expected
            {
                // Docker's own answer depends on the moment here and there: named, no error.
                writeln!(text, "\n{place}: {}: Docker does not answer as recorded", line.command)
                    .expect("a string");
                compare(&mut text, expected, live);
            }
            let ours = ours.map(|(way, entries)| (way, &entries[at]));
            let judged = judge_line(&place, line, expected, &ours);
            counts.count(&judged);
            text += &judged.complaints;
            text += &judged.remarks;
            let changed = !judged.complaints.is_empty() || !judged.remarks.is_empty();
            if changed || judged.is_not_yet() {
                mended.set(&session.name, line, &judged.differing);
            }
            used.extend(line.marks.iter().filter_map(|mark| match &mark.excuse {
                Excuse::Known(key) => Some(key.clone()),
                Excuse::NotYet(_) => None,
            }));
        }
    }
    let keys: BTreeSet<String> = known.keys().cloned().collect();
    for key in used.difference(&keys) {
        counts.wrong += 1;
        writeln!(text, "\nknown.md gives no reason for {key:?}").expect("a string");
    }
    for key in keys.difference(&used).filter(|_| whole) {
        counts.wrong += 1;
        writeln!(text, "\nknown.md explains {key:?}, which no line shows").expect("a string");
    }
    let Counts { same, known, not_yet, wrong } = counts;
    let lines = sessions.iter().flat_map(Session::lines).count();
    writeln!(text, "\nparity: {same} same, {known} known, {not_yet} not yet, {lines} lines")
        .expect("a string");
    Report { text, marks: mended, wrong }
}

/// What a line's answers and marks amount to.
struct Judged {
    /// The ways that differ, each with its excuse: the mark's key, or what came instead.
    differing: Vec<(Way, Excuse)>,
    /// What is wrong with the marks.
    complaints: String,
    /// Marks that could go. No error: some lines depend on the moment, and a lucky one must not
    /// stop a change.
    remarks: String,
}

impl Judged {
    fn is_not_yet(&self) -> bool {
        self.differing.iter().any(|(_, excuse)| matches!(excuse, Excuse::NotYet(_)))
    }
}

fn judge_line(place: &str, line: &Line, expected: &str, ours: &[(Way, &Entry)]) -> Judged {
    let (mut differing, mut complaints, mut remarks) = (Vec::new(), String::new(), String::new());
    for (way, (_, answer)) in ours {
        match (answer == expected, line.mark(*way)) {
            (true, None) => {}
            (false, Some(mark)) => differing.push((
                *way,
                match &mark.excuse {
                    Excuse::Known(key) => Excuse::Known(key.clone()),
                    // What is to be mended changes as others are at it: what comes now.
                    Excuse::NotYet(_) => Excuse::NotYet(marks::reason(expected, answer)),
                },
            )),
            (false, None) => {
                differing.push((*way, Excuse::NotYet(marks::reason(expected, answer))));
                writeln!(complaints, "\n{place}: {}: differs through {}", line.command, way.name())
                    .expect("a string");
                compare(&mut complaints, expected, answer);
            }
            (true, Some(mark)) => {
                let (command, way, number) = (&line.command, way.name(), mark.number);
                writeln!(
                    remarks,
                    "\n{place}: {command}: the same through {way}: it may go out of line {number}"
                )
                .expect("a string");
            }
        }
    }
    Judged { differing, complaints, remarks }
}

impl Counts {
    /// Counts a line once, by the worst of its ways.
    fn count(&mut self, judged: &Judged) {
        match judged {
            Judged { complaints, .. } if !complaints.is_empty() => self.wrong += 1,
            Judged { differing, .. } if differing.is_empty() => self.same += 1,
            judged if judged.is_not_yet() => self.not_yet += 1,
            _ => self.known += 1,
        }
    }
}

/// Both answers, one below the other.
fn compare(text: &mut String, expected: &str, answer: &str) {
    let indent = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    writeln!(text, "  Docker:\n{}  here:\n{}", indent(expected), indent(answer)).expect("a string");
}
