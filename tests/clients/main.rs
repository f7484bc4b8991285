//! Clients nobody here wrote drive the daemon: docker-py (Python) and bollard (Rust).
//!
//! Each speaks to a daemon in a network of its own. What the daemon refuses with 501 is listed as
//! not yet there; everything else has to be as these clients know it of Docker.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;
#[path = "../support/network.rs"]
mod network;

mod bollard_client;

use live::{Live, privileged, said, unable};
use std::path::{Path, PathBuf};

/// A daemon with both built-in images, in the network of the thread that asks.
fn daemon() -> Live {
    network::own_network();
    let live = Live::started();
    for image in ["alpine", "hello-world"] {
        live.ok(&["pull", "-q", "--hub", "builtin", image]);
    }
    live
}

/// The Python with docker-py that tests/setup.sh has made.
fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"));
    target.join("docker-py/bin/python3")
}

#[test]
fn docker_py_finds_what_it_knows_of_docker() {
    if !privileged() {
        return;
    }
    let python = python();
    if !python.exists() {
        unable(&format!("{} is not there: tests/setup.sh makes it", python.display()));
        return;
    }
    let live = daemon();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/engine.py");
    let script = script.display().to_string();
    let output = live.command(&python.display().to_string(), &[&script]).output().expect("python runs");
    let told = live::stderr(&output);
    for line in told.lines().filter(|line| line.starts_with("not yet: ")) {
        eprintln!("docker-py: {line}");
    }
    assert!(output.status.success(), "{}", said(&output));
}
