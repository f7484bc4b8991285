//! Many clients at once, and clients that leave without a word.

use super::live::{Live, attach, eventually, frame, names, privileged, said};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

/// Descriptors of the daemon.
fn descriptors(live: &Live) -> usize {
    names(std::path::Path::new(&format!("/proc/{}/fd", live.pid()))).len()
}

/// Children of the daemon nobody has waited for.
fn zombies(live: &Live) -> usize {
    let pids = names(std::path::Path::new("/proc"));
    let stats = pids.iter().filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok());
    // proc(5): the state and the parent follow the name, which is in parentheses.
    let of_ours = |stat: &String| {
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let mut words = rest.split_whitespace();
        words.next() == Some("Z") && words.next() == Some(&live.pid().to_string())
    };
    stats.filter(of_ours).count()
}

fn nothing_left(live: &Live) {
    live.until_shims_end();
    eventually("no zombie shim", || zombies(live) == 0);
    let stray = live.leftovers();
    assert!(stray.is_empty(), "{stray:?}");
    assert!(live.container_ids().is_empty(), "{:?}", live.container_ids());
}

#[test]
fn twenty_runs_at_once_all_end_well_and_leave_nothing() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let start = |number: usize| {
        let script = format!("echo {number}; exit {number}");
        let mut command = live.learn(&["run", "--rm", "alpine", "sh", "-c", &script]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("learn runs")
    };
    let runs: Vec<Child> = (0..20).map(start).collect();
    for (number, run) in runs.into_iter().enumerate() {
        let output = run.wait_with_output().expect("its end");
        assert_eq!(output.status.code(), i32::try_from(number).ok(), "{}", said(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{number}\n"));
    }
    nothing_left(&live);
}

#[test]
fn fifty_runs_leave_the_daemon_no_descriptor_more() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let run = || live.ok(&["run", "--rm", "alpine", "true"]);
    // The first few open what stays open.
    (0..3).for_each(|_| drop(run()));
    let before = descriptors(&live);
    (0..50).for_each(|_| drop(run()));
    eventually("its descriptors are closed", || descriptors(&live) <= before);
    nothing_left(&live);
}

#[test]
fn waits_attaches_and_watches_of_clients_that_left_are_let_go() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["run", "-d", "--name", "long", "alpine", "sleep", "1000"]);
    // What stays open from the first of each on: an allowance far below one for every client.
    let before = descriptors(&live) + 4;
    for _ in 0..10 {
        drop(attach(&live, "long", "stream=1&stdout=1&stderr=1"));
        let long_lived = [
            "GET /learn/watch",
            "GET /events",
            "GET /containers/long/stats",
            "GET /containers/long/logs?follow=1&stdout=1",
            "POST /containers/long/wait",
        ];
        for path in long_lived {
            let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
            write!(connection, "{path} HTTP/1.1\r\nHost: learn\r\nContent-Length: 0\r\n\r\n").expect("sent");
            let mut head = [0; 12];
            connection.read_exact(&mut head).expect("an answer");
            assert_eq!(&head, b"HTTP/1.1 200", "{path}");
        }
    }
    eventually("their connections are closed", || descriptors(&live) <= before);
    live.ok(&["rm", "-f", "long"]);
    nothing_left(&live);
}

#[test]
fn a_client_killed_in_the_middle_of_a_run_leaves_the_container_running() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    let script = "trap 'exit 3' TERM; i=0; while :; do i=$((i+1)); echo line $i; done";
    let mut client = live
        .learn(&["run", "--name", "chatty", "alpine", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("learn runs");
    let mut some = [0; 4096];
    client.stdout.as_mut().expect("piped").read_exact(&mut some).expect("output");
    client.kill().expect("it runs");
    client.wait().expect("its end");
    assert!(live.ok(&["ps"]).contains("chatty"));
    assert!(live.is_alive());
    live.ok(&["stop", "-t", "30", "chatty"]);
    assert_eq!(live.ok(&["wait", "chatty"]), "3\n");
    live.ok(&["rm", "chatty"]);
    nothing_left(&live);
}

#[test]
fn a_client_that_never_reads_slows_its_program_and_nobody_else() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let script = "read go; yes 0123456789 | head -c 8000000; echo end >&2";
    live.ok(&["run", "-d", "-i", "--name", "loud", "alpine", "sh", "-c", script]);
    let mut deaf = attach(&live, "loud", "stream=1&stdin=1&stdout=1&stderr=1");
    deaf.write_all(b"go\n").expect("sent");
    let log = live.root().join("containers").join(&live.container_ids()[0]);
    let written = || {
        let files = names(&log).into_iter().filter(|name| name.ends_with("-json.log"));
        files.filter_map(|name| std::fs::metadata(log.join(name)).ok()).map(|file| file.len()).sum::<u64>()
    };
    eventually("output", || written() > 500_000);
    // Others are served meanwhile.
    assert!(live.ok(&["ps"]).contains("loud"));
    assert_eq!(live.ok(&["run", "--rm", "alpine", "echo", "hi"]), "hi\n");
    // When the deaf client leaves, the program goes on to its end.
    drop(deaf);
    assert_eq!(live.ok(&["wait", "loud"]), "0\n");
    let output = live.run(&["logs", "loud"]);
    assert_eq!(output.stdout.len(), 8_000_000);
    assert_eq!(output.stderr, b"end\n");
    live.ok(&["rm", "loud"]);
    nothing_left(&live);
}

#[test]
fn frames_of_both_streams_come_whole_and_in_their_order() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let script = "read go; echo out; sleep 0.1; echo err >&2; sleep 0.1; printf no-newline";
    live.ok(&["run", "-d", "-i", "--name", "both", "alpine", "sh", "-c", script]);
    let mut attached = attach(&live, "both", "stream=1&stdin=1&stdout=1&stderr=1");
    attached.write_all(b"go\n").expect("sent");
    let frames: Vec<_> = std::iter::from_fn(|| frame(&mut attached)).collect();
    let expected = [(1, b"out\n".to_vec()), (2, b"err\n".to_vec()), (1, b"no-newline".to_vec())];
    assert_eq!(frames, expected);
}

#[test]
fn fifty_attaches_to_one_container_all_see_everything() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&[
        "run",
        "-d",
        "-i",
        "--name",
        "star",
        "alpine",
        "sh",
        "-c",
        "read go; seq 1 2000; echo end >&2",
    ]);
    let mut crowd: Vec<UnixStream> =
        (0..50).map(|_| attach(&live, "star", "stream=1&stdout=1&stderr=1")).collect();
    // Some vanish, one in the middle of it all.
    crowd.drain(40..).for_each(drop);
    attach(&live, "star", "stream=1&stdin=1").write_all(b"go\n").expect("sent");
    let expected: String = (1..=2000).map(|line| format!("{line}\n")).collect();
    for mut one in crowd {
        let frames: Vec<(u8, Vec<u8>)> = std::iter::from_fn(|| frame(&mut one)).collect();
        let of = |kind: u8| -> Vec<u8> {
            frames.iter().filter(|frame| frame.0 == kind).flat_map(|frame| frame.1.clone()).collect()
        };
        assert_eq!((of(1), of(2)), (expected.clone().into_bytes(), b"end\n".to_vec()));
    }
    assert_eq!(live.ok(&["wait", "star"]), "0\n");
    live.ok(&["rm", "star"]);
    nothing_left(&live);
}

#[test]
fn sizes_that_race_with_the_start_and_the_end_of_a_terminal_harm_nobody() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["create", "-t", "--name", "window", "alpine", "sh", "-c", "sleep 1; stty size"]);
    let resize = |size: &str| {
        let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
        let request = format!("POST /containers/window/resize?{size} HTTP/1.1\r\nHost: learn\r\n");
        write!(connection, "{request}Content-Length: 0\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(resize("h=10&w=20"), "409");
    assert_eq!(resize("h=ten&w=20"), "400");
    live.ok(&["start", "window"]);
    for round in 0..200 {
        let answer = resize(&format!("h={}&w={}", 10 + round % 7, 20 + round % 5));
        assert!(answer == "200" || answer == "409", "{answer}");
    }
    assert_eq!(live.ok(&["wait", "window"]), "0\n");
    live.ok(&["rm", "window"]);
    nothing_left(&live);
}
