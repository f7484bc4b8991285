//! `run`, `start -a`, `logs`: the calls, the streams, the exit codes.

use crate::daemon::{Daemon, Reply, error, frame, json};
use crate::{against, learn, seen, snapshot, stderr, stdout};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::process::Stdio;

const CREATED: &str = r#"{"Id":"c0ffee","Warnings":[]}"#;

fn empty() -> Reply {
    Reply::Plain(204, String::new())
}

fn created() -> Reply {
    Reply::Plain(201, CREATED.to_owned())
}

/// A container that writes these frames and ends with this code.
fn container(frames: Vec<(u8, &'static str)>, code: i64) -> Vec<(&'static str, Reply)> {
    vec![
        ("POST /containers/create", created()),
        ("POST /containers/c0ffee/attach", Reply::Frames(frames)),
        ("POST /containers/c0ffee/wait", Reply::AfterStart(format!("{{\"StatusCode\":{code}}}"))),
        ("POST /containers/c0ffee/start", empty()),
    ]
}

#[test]
fn run_makes_dockers_calls_in_dockers_order() {
    let daemon = Daemon::new(&container(vec![(1, "out\n"), (2, "err\n")], 3));
    let output = against(&daemon, &["run", "--name", "x", "alpine", "ls", "-l"]);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("out\n", "err\n"));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        daemon.lines(),
        [
            "HEAD /_ping",
            "POST /v1.47/containers/create?name=x",
            "POST /v1.47/containers/c0ffee/attach?stderr=1&stdout=1&stream=1",
            "POST /v1.47/containers/c0ffee/wait?condition=next-exit",
            "POST /v1.47/containers/c0ffee/start",
        ]
    );
}

#[test]
fn flags_become_the_request_and_words_behind_the_image_the_command() {
    let daemon = Daemon::new(&container(vec![], 0));
    let words = "run --rm -i -e A=1 -e HOME -w /w -u 1:2 -h box --network none --entrypoint sh -l k=v \
                 --read-only --cap-add NET_ADMIN --cap-drop ALL --security-opt no-new-privileges \
                 --ulimit nofile=5:6 --stop-signal INT --stop-timeout 3 alpine -c --rm";
    let words: Vec<&str> = words.split_whitespace().collect();
    let output = learn(&daemon.host(), &daemon.root(), &words).env("HOME", "/home/me").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let body: serde_json::Value = serde_json::from_str(&daemon.asked()[1].body).unwrap();
    snapshot("run-request", &serde_json::to_string_pretty(&body).unwrap());
    assert!(daemon.lines().iter().any(|line| line.ends_with("wait?condition=removed")));
}

#[test]
fn a_missing_image_is_pulled_to_standard_error_and_the_container_made_again() {
    let mut script = container(vec![(1, "hello\n")], 0);
    script.insert(0, ("POST /containers/create", error(404, "No such image: hello-world:latest")));
    let progress = "{\"status\":\"Pulling from library/hello-world\",\"id\":\"latest\"}\r\n\
                    {\"status\":\"Status: Downloaded newer image for hello-world:latest\"}\r\n";
    script.push(("POST /images/create", json(progress)));
    let daemon = Daemon::new(&script);
    let output = against(&daemon, &["run", "--hub", "builtin", "hello-world"]);
    assert_eq!(stdout(&output), "hello\n");
    assert_eq!(
        stderr(&output),
        "Unable to find image 'hello-world:latest' locally\nlatest: Pulling from library/hello-world\n\
         Status: Downloaded newer image for hello-world:latest\n"
    );
    let pull = daemon.asked().into_iter().find(|asked| asked.line.contains("/images/create")).unwrap();
    assert_eq!(pull.line, "POST /v1.47/images/create?fromImage=docker.io%2Flibrary%2Fhello-world&tag=latest");
    assert_eq!(pull.hub.as_deref(), Some("builtin"));
}

#[test]
fn failures_carry_dockers_words_and_codes() {
    let failing = |start: Reply| {
        let mut script = container(vec![], 0);
        script.retain(|(line, _)| !line.ends_with("/start"));
        script.push(("POST /containers/c0ffee/start", start));
        script
    };
    let runc = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start \
                container process: exec: ";
    let not_found = format!("{runc}\"nosuch\": executable file not found in $PATH: unknown");
    let missing = format!("{runc}\"/no/such\": stat /no/such: no such file or directory: unknown");
    let denied = format!("{runc}\"/etc\": permission denied: unknown");
    let mut text = String::new();
    for (message, code) in
        [(not_found.as_str(), 127), (missing.as_str(), 127), (denied.as_str(), 126), ("no space left", 125)]
    {
        let output = against(&Daemon::new(&failing(error(400, message))), &["run", "alpine", "x"]);
        assert_eq!(output.status.code(), Some(code), "{message}");
        text.push_str(&seen(&output));
    }
    let conflict = "Conflict. The container name \"/e1\" is already in use by container \"b6e5\".";
    let daemon = Daemon::new(&[("POST /containers/create", error(409, conflict))]);
    text.push_str(&seen(&against(&daemon, &["run", "--name", "e1", "alpine"])));
    let daemon = Daemon::new(&[("POST /containers/create", error(404, "No such image: nosuch:img"))]);
    text.push_str(&seen(&against(&daemon, &["run", "--pull", "never", "nosuch:img"])));
    snapshot("run-failures", &text);
}

#[test]
fn a_detached_run_prints_the_id() {
    let daemon = Daemon::new(&container(vec![], 0));
    let output = against(&daemon, &["run", "-d", "alpine"]);
    assert_eq!(stdout(&output), "c0ffee\n");
    assert!(!daemon.lines().iter().any(|line| line.contains("attach")));
}

#[test]
fn input_reaches_the_program_and_its_end_is_a_half_close() {
    let mut script = container(vec![], 0);
    script[1].1 = Reply::Echo;
    let daemon = Daemon::new(&script);
    let mut child = learn(&daemon.host(), &daemon.root(), &["run", "-i", "alpine", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("한글\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), "한글\n");
    assert!(daemon.lines()[2].contains("stdin=1"));
}

#[test]
fn a_signal_is_passed_on_to_the_program() {
    let script = [
        ("POST /containers/create", created()),
        ("POST /containers/c0ffee/attach", Reply::UntilKill),
        ("POST /containers/c0ffee/wait", Reply::AfterKill("{\"StatusCode\":130}".to_owned())),
        ("POST /containers/c0ffee/start", empty()),
        ("POST /containers/c0ffee/kill", empty()),
    ];
    let daemon = Daemon::new(&script);
    let child = learn(&daemon.host(), &daemon.root(), &["run", "alpine"]).spawn().unwrap();
    daemon.wait_for("/start");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(daemon.lines().contains(&"POST /v1.47/containers/c0ffee/kill?signal=INT".to_owned()));
}

#[test]
fn start_attached_looks_attaches_waits_and_starts() {
    let mut script = container(vec![(1, "again\n")], 7);
    script.push(("GET /containers/x/json", json(r#"{"Id":"c0ffee","Config":{"OpenStdin":false}}"#)));
    let daemon = Daemon::new(&script);
    let output = against(&daemon, &["start", "-a", "x"]);
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("again\n", Some(7)));
    assert_eq!(
        daemon.lines()[1..],
        [
            "GET /v1.47/containers/x/json",
            "POST /v1.47/containers/c0ffee/attach?stderr=1&stdout=1&stream=1",
            "POST /v1.47/containers/c0ffee/wait?condition=next-exit",
            "POST /v1.47/containers/c0ffee/start",
        ]
    );
}

#[test]
fn logs_go_to_the_stream_they_came_from() {
    let framed = [frame(1, b"out\n"), frame(2, b"err\n")].concat();
    let daemon = Daemon::new(&[
        ("GET /containers/x/json", json(r#"{"Id":"c0ffee"}"#)),
        ("GET /containers/c0ffee/logs", Reply::Plain(200, String::from_utf8(framed).unwrap())),
    ]);
    let output = against(&daemon, &["logs", "-f", "--tail", "5", "-t", "--since", "1700000000", "x"]);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("out\n", "err\n"));
    assert_eq!(
        daemon.lines()[2],
        "GET /v1.47/containers/c0ffee/logs?follow=1&since=1700000000&stderr=1&stdout=1&tail=5&timestamps=1"
    );
}

#[test]
fn a_reader_that_left_ends_the_command_quietly() {
    let daemon = Daemon::new(&[("GET /containers/json", json("[]"))]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = learn(&daemon.host(), &daemon.root(), &["ps"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!((stderr(&output).as_str(), output.status.code()), ("", Some(141)));
}
