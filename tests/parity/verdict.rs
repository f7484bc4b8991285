//! Which lines answer like Docker, and whether their marks say so.

use super::Answers;
use super::session::{self, Excuse, Line, Session, Way};
use super::transcript::{self, Entry};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What came out.
pub struct Report {
    pub text: String,
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
                counts.wrong += 1;
                writeln!(text, "\n{place}: {}: Docker does not answer as recorded", line.command)
                    .expect("a string");
                compare(&mut text, expected, live);
            }
            count(
                &mut counts,
                &mut text,
                &place,
                line,
                expected,
                &ours.map(|(way, entries)| (way, &entries[at])),
            );
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
    Report { text, wrong }
}

/// Counts a line once, by the worst of its ways.
fn count(
    counts: &mut Counts,
    text: &mut String,
    place: &str,
    line: &Line,
    expected: &str,
    ours: &[(Way, &Entry)],
) {
    let (mut known, mut not_yet, mut wrong) = (false, false, false);
    for (way, (_, answer)) in ours {
        let (equal, mark) = (answer == expected, line.mark(*way));
        match (equal, mark.map(|mark| &mark.excuse)) {
            (true, None) => {}
            (false, Some(Excuse::Known(_))) => known = true,
            (false, Some(Excuse::NotYet(_))) => not_yet = true,
            (false, None) => {
                wrong = true;
                writeln!(text, "\n{place}: {}: differs through {}", line.command, way.name())
                    .expect("a string");
                compare(text, expected, answer);
            }
            // A mark for both ways covers the one that differs.
            (true, Some(_))
                if ours.iter().any(|(_, (_, answer))| answer != expected)
                    && mark.is_some_and(|mark| mark.way.is_none()) => {}
            (true, Some(_)) => {
                wrong = true;
                let mark = mark.map_or(0, |mark| mark.number);
                writeln!(
                    text,
                    "\n{place}: {}: the same through {}: remove the mark in line {mark}",
                    line.command,
                    way.name()
                )
                .expect("a string");
            }
        }
    }
    match (wrong, not_yet, known) {
        (true, ..) => counts.wrong += 1,
        (_, true, _) => counts.not_yet += 1,
        (_, _, true) => counts.known += 1,
        _ => counts.same += 1,
    }
}

/// Both answers, one below the other.
fn compare(text: &mut String, expected: &str, answer: &str) {
    let indent = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    writeln!(text, "  Docker:\n{}  here:\n{}", indent(expected), indent(answer)).expect("a string");
}
