//! The stock docker command line against our daemon: what a person types, what comes back, and
//! which requests are made for it.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;

#[path = "../support/peer/mod.rs"]
mod peer;

mod errors;
mod files;
mod health;
mod images;
mod lifecycle;
mod logs;
mod networks;
mod proxy;
mod requests;
mod usage;
mod verbs;

use live::{Live, privileged, said, unable};
use std::process::{Command, Output};

/// A daemon with both built-in images, and the docker CLI that speaks to it.
struct Docker {
    live: Live,
}

impl Docker {
    /// `None` where there is no docker CLI or no privilege, with the reason printed.
    fn new() -> Option<Docker> {
        if !privileged() {
            return None;
        }
        if Command::new("docker").arg("--version").output().is_err() {
            unable("the docker command line is not installed");
            return None;
        }
        let live = Live::started();
        for image in ["alpine", "hello-world"] {
            live.ok(&["pull", "-q", "--hub", "builtin", image]);
        }
        Some(Docker { live })
    }

    fn command(&self, words: &[&str]) -> Command {
        self.live.command("docker", words)
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("docker runs")
    }

    /// The output of a command that has to succeed.
    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "docker {words:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
