//! Parity: the same command lines through Docker and through `learn`, answer against answer.
//!
//! ```text
//!  sessions/*.txt ──▶ docker ──▶ Docker Engine   what is right; kept in snapshots/parity/
//!                ├──▶ docker ──▶ learn's daemon
//!                └──▶ learn  ──▶ learn's daemon
//! ```
//!
//! A line whose answer differs carries a mark: `not-yet` when it is to be mended, `known` when it
//! stays ([known.md](known.md)). A mark whose line answers like Docker is named, so that the lists
//! shrink. `LEARN_PARITY_DOCKER` brings a Docker Engine in, of whose answers the snapshots are
//! then also proved: `unix://…` one that runs (with the images of `shelf.rs`), `start` one that is
//! started for the suite, in a network of its own. With `INSTA_UPDATE=always` its answers are kept.
//! `LEARN_PARITY_ONLY=name` plays the sessions whose names contain that. `LEARN_PARITY_MARKS=mend`
//! takes out marks that are no longer needed and puts one, with what comes instead, where a line
//! differs: to be looked at before it is committed.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;
#[path = "../support/network.rs"]
mod network;
#[path = "../support/peer/mod.rs"]
mod peer;

mod marks;
mod normal;
mod room;
mod session;
mod shelf;
mod table;
mod transcript;
mod verdict;

use live::{privileged, unable};
use peer::{DockerEngine, DockerRegistry};
use room::{Peer, Room};
use session::{Session, Way};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use transcript::Entry;

/// The client whose words the snapshots hold.
const CLIENT: &str = "Docker version 28.";

/// Threads that play sessions on `learn`.
const PLAYERS: usize = 2;

/// What was answered, by session and way.
type Answers = BTreeMap<(String, Way), Vec<Entry>>;

/// Whether the suite can run here.
fn able() -> bool {
    if !privileged() {
        return false;
    }
    let version = Command::new("docker").arg("--version").output();
    let version = version.map(|output| live::stdout(&output)).unwrap_or_default();
    if !version.starts_with(CLIENT) {
        return unable(&format!("the docker command line is not {CLIENT}…: {version:?}"));
    }
    DockerRegistry::missing().is_none_or(|missing| unable(&format!("{missing} is not installed")))
}

/// Plays jobs one after the other, in a network of its own with a registry of its own.
fn play(jobs: &Mutex<Vec<(&Session, Way)>>, shelf: &Path, answers: &Mutex<Answers>) {
    network::own_network();
    let registry = DockerRegistry::on(shelf).expect("Debian's registry");
    loop {
        let Some((session, way)) = jobs.lock().expect("the jobs").pop() else { return };
        let entries = Room::learn(way, &registry).play(session);
        answers.lock().expect("the answers").insert((session.name.clone(), way), entries);
    }
}

/// Plays all sessions on the Docker Engine that was asked for.
fn play_docker(asked: &str, sessions: &[Session], shelf: &Path, answers: &Mutex<Answers>) {
    let peer = if asked == "start" {
        assert_eq!(DockerEngine::missing(), None, "a Docker Engine was asked for and cannot be started here");
        network::own_network();
        None
    } else {
        Some(Peer::Given(asked.to_owned()))
    };
    let registry = DockerRegistry::on(shelf).expect("Debian's registry");
    let peer = peer.unwrap_or_else(|| {
        Peer::Own(Box::new(DockerEngine::with_network(registry.address()).expect("a Docker Engine")))
    });
    let room = Room::docker(&peer.host(), registry.address());
    for session in sessions {
        room.tidy();
        let entries = room.play(session);
        answers.lock().expect("the answers").insert((session.name.clone(), Way::Docker), entries);
    }
    room.tidy();
}

#[test]
fn every_line_answers_as_docker_does() {
    if !able() {
        return;
    }
    let only = std::env::var("LEARN_PARITY_ONLY").unwrap_or_default();
    let sessions: Vec<Session> =
        session::all().into_iter().filter(|session| session.name.contains(&only)).collect();
    let shelf = DockerRegistry::start().expect("Debian's registry");
    shelf::fill(&shelf);
    let asked = std::env::var("LEARN_PARITY_DOCKER").ok().filter(|asked| !asked.is_empty());
    let jobs = sessions.iter().rev().flat_map(|session| Way::OURS.map(|way| (session, way))).collect();
    let (jobs, answers) = (Mutex::new(jobs), Mutex::new(Answers::new()));
    let data = shelf.data();
    thread::scope(|scope| {
        if let Some(asked) = &asked {
            scope.spawn(|| play_docker(asked, &sessions, data, &answers));
        }
        for _ in 0..PLAYERS {
            scope.spawn(|| play(&jobs, data, &answers));
        }
    });
    let answers = answers.into_inner().expect("the answers");
    let recording = asked.is_some() && std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always");
    let report = verdict::judge(&sessions, &answers, recording, only.is_empty());
    eprintln!("{}", report.text);
    if std::env::var("LEARN_PARITY_MARKS").is_ok_and(|value| value == "mend") {
        report.marks.write();
        return;
    }
    assert!(report.wrong == 0, "{} of the lines are not as their marks say", report.wrong);
}
