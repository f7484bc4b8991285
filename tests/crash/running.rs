//! Containers outlive their daemon; nothing outlives its shim.

use super::live::{Live, attach, eventually, frame, privileged, stderr, stdout, until_ended};
use super::stepwise::{Work, kill_at};
use learn::op::{FsOp, Op};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;

/// A daemon that has the image.
fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

fn inspect(live: &Live, container: &str, pointer: &str) -> serde_json::Value {
    let text = live.ok(&["inspect", container]);
    let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    all[0].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {text}")).clone()
}

fn pid_of(live: &Live, container: &str) -> u32 {
    let pid = inspect(live, container, "/State/Pid").as_u64().expect("a number");
    u32::try_from(pid).expect("a pid")
}

fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("a pid")), signal).expect("it is there");
}

fn line_of(live: &Live, container: &str) -> String {
    let listed = live.ok(&["ps", "-a"]);
    listed.lines().find(|line| line.contains(container)).unwrap_or_else(|| panic!("{listed}")).to_owned()
}

fn nothing_stray(live: &Live) {
    live.until_shims_end();
    let stray = live.leftovers();
    assert!(stray.is_empty(), "{stray:?}");
}

/// Before the record of a start that has happened.
fn writes_the_start(_: usize, op: &Op) -> bool {
    matches!(op, Op::Fs(FsOp::WriteFile { path, value, .. })
        if path.ends_with("container.json") && value.contains("\"running\""))
}

#[test]
fn a_running_container_is_found_again_with_its_streams() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    live.ok(&["run", "-d", "-i", "--name", "kept", "alpine", "sh", "-c", "echo before; exec cat"]);
    let pid = pid_of(&live, "kept");
    eventually("the first line", || live.ok(&["logs", "kept"]).contains("before"));
    for _ in 0..2 {
        live.kill();
        live.start();
        assert!(line_of(&live, "kept").contains("Up "), "{}", line_of(&live, "kept"));
        assert_eq!(pid_of(&live, "kept"), pid);
    }
    let mut attached = attach(&live, "kept", "stream=1&stdin=1&stdout=1&stderr=1");
    attached.write_all(b"after\n").expect("sent");
    assert_eq!(frame(&mut attached), Some((1, b"after\n".to_vec())));
    assert_eq!(live.ok(&["logs", "kept"]), "before\nafter\n");

    let waiting = live.learn(&["wait", "kept"]).stdout(std::process::Stdio::piped()).spawn().expect("a wait");
    live.ok(&["kill", "kept"]);
    assert_eq!(stdout(&waiting.wait_with_output().expect("its end")), "137\n");
    assert!(line_of(&live, "kept").contains("Exited (137)"));
    assert_eq!(frame(&mut attached), None, "the attached client sees the end");
    nothing_stray(&live);
}

#[test]
fn the_exit_code_of_a_program_that_ended_without_a_daemon_is_known() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    live.ok(&["run", "-d", "--name", "away", "alpine", "sh", "-c", script]);
    live.ok(&["run", "-d", "--rm", "--name", "brief", "alpine", "sleep", "1000"]);
    eventually("the trap is set", || live.ok(&["logs", "away"]).contains("ready"));
    let (away, brief) = (pid_of(&live, "away"), pid_of(&live, "brief"));
    live.kill();
    send(away, Signal::SIGTERM);
    send(brief, Signal::SIGKILL);
    live.until_shims_end();
    live.start();
    assert!(line_of(&live, "away").contains("Exited (7)"), "{}", line_of(&live, "away"));
    assert_eq!(live.ok(&["wait", "away"]), "7\n");
    assert_eq!(live.ok(&["logs", "away"]), "ready\nbye\n");
    assert_eq!(live.container_ids().len(), 1, "one of --rm that ended meanwhile is removed");
    nothing_stray(&live);
}

#[test]
fn a_start_the_daemon_could_not_write_down_is_found() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    let killed = kill_at(&mut live, Work::Run("alpine", &["sleep", "1000"]), writes_the_start);
    assert!(killed.is_some(), "no such operation");
    live.start();
    let id = live.container_ids().remove(0);
    assert!(line_of(&live, &id[..12]).contains("Up "), "{}", line_of(&live, &id[..12]));
    live.ok(&["kill", &id]);
    assert_eq!(live.ok(&["wait", &id]), "137\n");
    nothing_stray(&live);
    live.ok(&["rm", &id]);

    let script = &["sh", "-c", "echo out; exit 5"];
    kill_at(&mut live, Work::Run("alpine", script), writes_the_start).expect("such an operation");
    live.until_shims_end();
    live.start();
    let id = live.container_ids().remove(0);
    assert!(line_of(&live, &id[..12]).contains("Exited (5)"), "{}", line_of(&live, &id[..12]));
    assert_eq!(live.ok(&["logs", &id]), "out\n");
    nothing_stray(&live);
}

#[test]
fn a_container_whose_shim_is_killed_ends_with_it() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    for user in ["0", "1000:1000"] {
        live.ok(&["run", "-d", "--name", "orphan", "--user", user, "alpine", "sleep", "1000"]);
        let pid = pid_of(&live, "orphan");
        live.shims().into_iter().for_each(|shim| send(shim, Signal::SIGKILL));
        assert_eq!(live.ok(&["wait", "orphan"]), "137\n");
        until_ended(pid);
        assert!(line_of(&live, "orphan").contains("Exited (137)"));
        nothing_stray(&live);
        live.ok(&["start", "orphan"]);
        assert!(line_of(&live, "orphan").contains("Up "), "it starts again");
        live.ok(&["rm", "-f", "orphan"]);
        nothing_stray(&live);
    }
}

#[test]
fn a_container_that_lost_shim_and_daemon_has_ended_unseen() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    live.ok(&["run", "-d", "--name", "lost", "alpine", "sleep", "1000"]);
    let pid = pid_of(&live, "lost");
    live.kill();
    let shims = live.shims();
    shims.iter().for_each(|shim| send(*shim, Signal::SIGKILL));
    shims.into_iter().for_each(until_ended);
    until_ended(pid);
    assert!(!live.leftovers().is_empty(), "a killed shim leaves its groups");
    live.start();
    assert!(line_of(&live, "lost").contains("Exited (255)"), "{}", line_of(&live, "lost"));
    nothing_stray(&live);
}

#[test]
fn a_killed_nursery_is_replaced_and_one_without_a_daemon_ends() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    let run = |live: &Live| live.ok(&["run", "--rm", "alpine", "echo", "hi"]);
    assert_eq!(run(&live), "hi\n");
    let [nursery] = live.children("learn-nursery")[..] else { panic!("{:?}", live.children("")) };
    send(nursery, Signal::SIGKILL);
    assert_eq!(run(&live), "hi\n", "whether or not it is gone already");
    eventually("a new one", || matches!(live.children("learn-nursery")[..], [pid] if pid != nursery));
    let [nursery] = live.children("learn-nursery")[..] else { panic!("one was there") };
    live.ok(&["run", "-d", "--name", "kept", "alpine", "sleep", "1000"]);
    assert_eq!(live.children("learn-shim").len(), 1, "a shim is the daemon's own child");
    live.ok(&["kill", "kept"]);
    eventually("everybody else is reaped", || live.children("") == [nursery]);
    live.kill();
    until_ended(nursery);
    nothing_stray(&live);
}

#[test]
fn the_exit_of_an_earlier_run_is_not_taken_for_this_one() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    let script = "[ -e /again ] && exec sleep 1000; : > /again; exit 3";
    let first = live.run(&["run", "--name", "twice", "alpine", "sh", "-c", script]);
    assert_eq!(first.status.code(), Some(3), "{}", stderr(&first));
    live.ok(&["start", "twice"]);
    live.shims().into_iter().for_each(|shim| send(shim, Signal::SIGKILL));
    assert_eq!(live.ok(&["wait", "twice"]), "137\n");
    live.kill();
    live.start();
    assert!(line_of(&live, "twice").contains("Exited (137)"), "{}", line_of(&live, "twice"));
}

#[test]
fn a_temporary_container_nobody_started_goes_with_its_daemon() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    live.ok(&["create", "--rm", "alpine"]);
    live.ok(&["create", "--name", "stays", "alpine"]);
    live.kill();
    live.start();
    assert_eq!(live.container_ids().len(), 1);
    assert!(line_of(&live, "stays").contains("Created"));
}
