//! `--step`: what keys lead to, and what a session shows.

use super::{options, trace};
use learn::cli::render::step::{Action, Key, Session, Stepper};
use learn::cli::render::terminal::{Keys, LineKeys, SingleKeys};
use learn::cli::render::{Depth, Options, Shared};
use learn::text::Lang;
use learn::trace::{Decision, Event, Note, Record, Scope};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, OutputFlags, tcgetattr};
use std::io::{self, Cursor};
use std::process::{Command, Stdio};

#[test]
fn keys_walk_back_and_forth_and_decide() {
    let mut stepper = Stepper::default();
    for _ in 0..3 {
        stepper.push();
    }
    let walk = [Key::Back, Key::Back, Key::Back, Key::Forth, Key::Evidence, Key::Forth, Key::Forth];
    let actions: Vec<Action> = walk.iter().map(|key| stepper.key(*key)).collect();
    let expected = [
        Action::Show(1),
        Action::Show(0),
        Action::Oldest,
        Action::Show(1),
        Action::Evidence(1),
        Action::Show(2),
        Action::Newest,
    ];
    assert_eq!(actions, expected);
    assert_eq!(stepper.key(Key::Enter), Action::Decide(Decision::Next));
    assert_eq!(stepper.key(Key::Run), Action::Decide(Decision::Free));
    assert_eq!(stepper.key(Key::Quit), Action::Decide(Decision::Abort));
    assert_eq!((stepper.key(Key::Help), stepper.key(Key::Other)), (Action::Help, Action::Ignore));
}

#[test]
fn a_new_stop_brings_the_learner_back_to_where_the_work_waits() {
    let mut stepper = Stepper::default();
    stepper.push();
    stepper.push();
    stepper.key(Key::Back);
    assert_eq!(stepper.push(), 2);
    assert_eq!(stepper.key(Key::Forth), Action::Newest);
}

#[test]
fn bytes_of_a_terminal_become_keys_in_hangul_mode_too() {
    let keys = [
        ("\r", Key::Enter),
        ("\n", Key::Enter),
        ("b", Key::Back),
        ("ㅠ", Key::Back),
        ("\x1b[D", Key::Back),
        ("\x1b[C", Key::Forth),
        ("ㅜ", Key::Forth),
        ("ㄷ", Key::Evidence),
        ("\x03", Key::Quit),
        ("ㅂ", Key::Quit),
        ("?", Key::Help),
        ("x", Key::Other),
        ("\x1b", Key::Other),
    ];
    for (bytes, key) in keys {
        assert_eq!(Key::from_bytes(bytes.as_bytes()), key, "{bytes:?}");
    }
}

#[test]
fn a_dumb_terminal_types_a_letter_and_enter_and_its_end_lets_the_work_run() {
    let mut keys = LineKeys(Cursor::new("\nb\n  e \nnonsense\n"));
    let read: Vec<Key> = (0..5).map(|_| keys.next().unwrap()).collect();
    assert_eq!(read, [Key::Enter, Key::Back, Key::Evidence, Key::Forth, Key::Run]);
}

/// Keys prepared in advance.
struct Script(Vec<Key>);

impl Keys for Script {
    fn next(&mut self) -> io::Result<Key> {
        Ok(if self.0.is_empty() { Key::Run } else { self.0.remove(0) })
    }
}

/// The cold run with a stop before two scopes.
fn held() -> Vec<Record> {
    let mut records = Vec::new();
    for record in trace::hello_world_cached() {
        let stop = match &record.event {
            Event::Opened { id, kind: Scope::ImageLookup | Scope::ContainerCreate, .. } => Some(*id),
            _ => None,
        };
        records.push(record.clone());
        records.extend(stop.map(|scope| Record { scope, event: Event::Held, ..record }));
    }
    records
}

fn session(simulated: bool, keys: Vec<Key>, records: &[Record]) -> (Vec<Decision>, String) {
    let out = Shared::default();
    let options = Options { simulated, ..options(Lang::En, Depth::Stage) };
    let mut session = Session::new(options, Box::new(out.clone()), Box::new(Script(keys)));
    let decisions = records.iter().filter_map(|record| session.record(record)).collect();
    session.finish();
    (decisions, String::from_utf8(out.take()).unwrap())
}

#[test]
fn a_session_shows_what_is_about_to_happen_and_returns_the_decisions() {
    let keys = vec![Key::Enter, Key::Back, Key::Forth, Key::Forth, Key::Quit];
    let (decisions, told) = session(false, keys, &held());
    assert_eq!(decisions, [Decision::Next, Decision::Abort]);
    assert_eq!(told.matches("|| Waiting here: this has not been done yet.").count(), 2, "{told}");
    assert!(told.contains("evidence  cat <record>"), "what is not known yet is marked: {told}");
    assert!(told.contains("looking back 1/2") && told.contains("looking back 2/2"), "{told}");
    assert!(told.contains("is here already"), "walking back shows what came to light: {told}");
    assert!(told.contains("this is where the work waits"), "{told}");
    assert!(told.contains("stopping; what was done is undone"), "{told}");
}

#[test]
fn evidence_says_which_fact_is_missing() {
    let mut records = held();
    let lookup = records.iter().position(|record| record.event == Event::Held).unwrap();
    records.truncate(lookup);
    let id = 99;
    let opened = Event::Opened { id, kind: Scope::NamespacesEnter, about: String::new() };
    let last = records[lookup - 1].clone();
    records.push(Record { event: opened, ..last.clone() });
    records.push(Record { scope: id, event: Event::Held, ..last });
    let (_, told) = session(false, vec![Key::Evidence, Key::Enter], &records);
    assert!(told.contains("pid is not known yet"), "{told}");
}

#[test]
fn evidence_runs_here_and_now_but_never_for_a_simulation() {
    let pid = std::process::id();
    let facts = learn::trace::facts([("pid", &pid), ("program", &"/hello")]);
    let record = |scope, event| Record { seq: 0, at: 0, scope, event };
    let records = [
        record(0, Event::Note { note: Note::Running, facts }),
        record(0, Event::Opened { id: 1, kind: Scope::NamespacesEnter, about: "c0ffee00c0ff".into() }),
        record(1, Event::Held),
    ];
    let (_, told) = session(false, vec![Key::Evidence, Key::Enter], &records);
    assert!(told.contains(&format!("$ ls -l /proc/{pid}/ns")) && told.contains("mnt:["), "{told}");
    let (_, told) = session(true, vec![Key::Evidence, Key::Enter], &records);
    assert!(told.contains("a simulation has no real process") && !told.contains("mnt:["), "{told}");
}

/// Set for the child that [`a_single_key_needs_no_enter_and_the_terminal_is_put_back`] runs.
const CHILD: &str = "LEARN_TEST_READS_ONE_KEY";

#[test]
fn child_that_reads_one_key() {
    if std::env::var_os(CHILD).is_some() {
        println!("key: {:?}", SingleKeys.next().unwrap());
    }
}

#[test]
fn a_single_key_needs_no_enter_and_the_terminal_is_put_back() {
    let pty = openpty(None, None).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "step::child_that_reads_one_key", "--nocapture"])
        .env(CHILD, "1")
        .stdin(pty.slave.try_clone().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let before = loop {
        let now = tcgetattr(&pty.slave).unwrap();
        if !now.local_flags.contains(LocalFlags::ICANON) {
            break now;
        }
        assert!(child.try_wait().unwrap().is_none(), "the child ended without waiting for a key");
        std::thread::yield_now();
    };
    assert!(before.output_flags.contains(OutputFlags::OPOST), "a container's output keeps its shape");
    assert!(!before.local_flags.intersects(LocalFlags::ECHO | LocalFlags::ISIG));
    nix::unistd::write(&pty.master, b"n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("key: Forth"), "{output:?}");
    let after = tcgetattr(&pty.slave).unwrap().local_flags;
    assert!(after.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG));
}
