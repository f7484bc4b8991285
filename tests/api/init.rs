//! PID 1: alone, and with the small init of `--init`.

use super::live::{Live, eventually, privileged, said};
use super::pty::Person;

fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

#[test]
fn a_pid_1_without_a_handler_ignores_the_stop_signal_and_an_init_passes_it_on() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["run", "-d", "--name", "alone", "alpine", "sleep", "1000"]);
    live.ok(&["run", "-d", "--init", "--name", "with-init", "alpine", "sleep", "1000"]);
    live.ok(&["stop", "-t", "1", "alone"]);
    live.ok(&["stop", "-t", "60", "with-init"]);
    assert_eq!(live.ok(&["wait", "alone"]), "137\n");
    assert_eq!(live.ok(&["wait", "with-init"]), "143\n");
    live.ok(&["rm", "alone", "with-init"]);
}

#[test]
fn the_init_reaps_what_is_left_to_it() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["run", "-d", "--init", "--name", "main", "alpine", "sleep", "1000"]);
    live.ok(&["exec", "main", "sh", "-c", "(true &); (sh -c true &)"]);
    let states = ["exec", "main", "sh", "-c", "cat /proc/[0-9]*/status 2>/dev/null | grep State"];
    eventually("zombies are reaped", || !live.ok(&states).contains("zombie"));
    live.ok(&["rm", "-f", "main"]);
}

#[test]
fn the_init_is_out_of_reach_and_holds_nothing() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["run", "-d", "--init", "--cap-add", "SYS_PTRACE", "--name", "main", "alpine", "sleep", "1000"]);
    let write = live.run(&["exec", "main", "sh", "-c", "echo x >>/proc/1/exe && echo written"]);
    assert!(!said(&write).contains("written\n"), "{}", said(&write));
    let open = live.ok(&["exec", "main", "ls", "/proc/1/fd"]);
    assert_eq!(open.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2"]);
    let status = live.ok(&["exec", "main", "cat", "/proc/1/status"]);
    assert!(status.contains("Seccomp:\t2") && status.contains("CapEff:\t0000000000000020"), "{status}");
    live.ok(&["rm", "-f", "main"]);
}

#[test]
fn exit_codes_failures_and_the_terminal_are_the_programs_own() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let code =
        |words: &[&str]| live.run(&[&["run", "--rm", "--init", "alpine"], words].concat()).status.code();
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "kill -USR1 $$"]), Some(138));
    assert_eq!(code(&["nosuch"]), Some(127));
    let script = "trap 'echo caught; exit 3' INT; echo rea''dy; while :; do sleep 1; done";
    let words = ["run", "--rm", "-it", "--init", "alpine", "sh", "-c", script];
    let mut person = Person::at(24, 80, &live.learn(&words));
    person.sees("ready");
    person.types("\x03");
    person.sees("caught");
    assert_eq!(person.ends().code(), Some(3));
}
