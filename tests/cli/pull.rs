//! Pulls: plain lines, failures midway, Ctrl-C.

use crate::daemon::{Daemon, Reply, error, json};
use crate::{against, learn, seen, snapshot, stderr, stdout};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Stdio;

const PROGRESS: &str = concat!(
    r#"{"status":"Pulling from library/alpine","id":"3.20"}"#,
    "\r\n",
    r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0123456789ab"}"#,
    "\r\n",
    r#"{"status":"Downloading","progressDetail":{"current":1000,"total":2000},"progress":"[==>]","id":"0123456789ab"}"#,
    "\r\n",
    r#"{"status":"Pull complete","progressDetail":{},"id":"0123456789ab"}"#,
    "\r\n",
    r#"{"status":"Digest: sha256:1111"}"#,
    "\r\n",
    r#"{"status":"Status: Downloaded newer image for alpine:3.20"}"#,
    "\r\n",
);

#[test]
fn a_pipe_gets_one_line_for_each_change_and_the_name_last() {
    let daemon = Daemon::new(&[("POST /images/create", json(PROGRESS))]);
    snapshot("pull", &seen(&against(&daemon, &["pull", "alpine:3.20"])));
    assert_eq!(stdout(&against(&daemon, &["pull", "-q", "alpine"])), "docker.io/library/alpine:latest\n");
    let bare = stdout(&against(&daemon, &["pull", "alpine"]));
    assert!(bare.starts_with("Using default tag: latest\n"), "{bare}");
}

#[test]
fn platform_and_digest_travel_in_the_query() {
    let daemon = Daemon::new(&[("POST /images/create", json(""))]);
    let digest = format!("sha256:{}", "0".repeat(64));
    against(&daemon, &["pull", "--platform", "linux/arm64", &format!("r.example:5000/a/b@{digest}")]);
    assert_eq!(
        daemon.lines()[1],
        format!(
            "POST /v1.47/images/create?fromImage=r.example%3A5000%2Fa%2Fb&platform=linux%2Farm64&tag={}",
            digest.replace(':', "%3A")
        )
    );
}

#[test]
fn a_pull_that_fails_before_or_midway_says_why() {
    let daemon = Daemon::new(&[("POST /images/create", error(404, "manifest for nosuch:x not found"))]);
    let output = against(&daemon, &["pull", "nosuch:x"]);
    assert_eq!(stderr(&output), "Error response from daemon: manifest for nosuch:x not found\n");
    assert_eq!(output.status.code(), Some(1));
    let midway = concat!(
        r#"{"status":"Downloading","id":"a","progressDetail":{}}"#,
        "\n",
        r#"{"errorDetail":{"message":"digest mismatch"},"error":"digest mismatch"}"#,
        "\n"
    );
    let daemon = Daemon::new(&[("POST /images/create", json(midway))]);
    let output = against(&daemon, &["pull", "x"]);
    assert_eq!(stderr(&output), "digest mismatch\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn ctrl_c_ends_a_pull_calmly() {
    let daemon = Daemon::new(&[("POST /images/create", Reply::Stays(PROGRESS.to_owned()))]);
    let mut child = learn(&daemon.host(), &daemon.root(), &["--lang", "ko", "pull", "alpine"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The handler is in place before the request is made; the first line proves the request.
    let mut first = [0; 1];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    daemon.wait_for("/images/create");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).starts_with("중단했습니다."), "{}", stderr(&output));
}
