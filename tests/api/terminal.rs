//! Terminals, through a real pty: `learn` and the stock docker client.

use super::live::{Live, privileged, said, stdout, unable};
use super::pty::Person;
use std::io::Write;
use std::process::{Command, Stdio};

fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

/// Docker's own client, where it is installed.
fn docker(live: &Live, words: &[&str]) -> Option<Command> {
    let there = Command::new("docker").arg("--version").stdout(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Some(live.command("docker", words));
    }
    unable("the docker client is not installed");
    None
}

/// A shell at a window of 40 by 100: its size, a new size, and its exit code.
fn window_and_exit(command: &Command) {
    let mut person = Person::at(40, 100, command);
    person.sees("# ");
    person.types("until [ \"$(stty size)\" = '40 100' ]; do :; done; echo si''zed; tty\n");
    person.sees("sized");
    person.sees("/dev/pts/0");
    person.resize(20, 50);
    person.types("until [ \"$(stty size)\" = '20 50' ]; do :; done; echo a''gain\n");
    person.sees("again");
    person.types("exit 7\n");
    assert_eq!(person.ends().code(), Some(7));
    assert!(person.is_cooked(), "the terminal was not restored");
}

#[test]
fn a_terminal_has_the_size_of_its_window_and_follows_it() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    window_and_exit(&live.learn(&["run", "--rm", "-it", "alpine", "sh"]));
    if let Some(command) = docker(&live, &["run", "--rm", "-it", "alpine", "sh"]) {
        window_and_exit(&command);
    }
}

#[test]
fn ctrl_c_reaches_the_program_as_a_signal_of_its_own_terminal() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let script = "trap 'echo caught; exit 3' INT; echo rea''dy; while :; do sleep 1; done";
    let mut person = Person::at(24, 80, &live.learn(&["run", "--rm", "-it", "alpine", "sh", "-c", script]));
    person.sees("ready");
    person.types("\x03");
    person.sees("caught");
    assert_eq!(person.ends().code(), Some(3));
}

#[test]
fn detach_keys_leave_the_program_running_and_attach_comes_back() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let mut person = Person::at(24, 80, &live.learn(&["run", "--name", "shell", "-it", "alpine", "sh"]));
    person.sees("# ");
    person.types("\x10\x11");
    assert_eq!(person.ends().code(), Some(0));
    assert!(person.is_cooked(), "the terminal was not restored");
    let mut again = Person::at(24, 80, &live.learn(&["attach", "--detach-keys", "ctrl-a,x", "shell"]));
    again.types("echo $((6 * 7))\n");
    again.sees("42");
    again.types("\x01x");
    again.sees("read escape sequence");
    assert_eq!(again.ends().code(), Some(1));
    assert!(live.ok(&["ps"]).contains("shell"));
    // A terminal's log is one stream, as it was shown.
    assert!(live.ok(&["logs", "shell"]).contains("42\r\n"));
    live.ok(&["rm", "-f", "shell"]);
}

#[test]
fn a_signal_that_ends_the_client_leaves_the_terminal_as_it_was() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let words = ["run", "--name", "shell", "--sig-proxy=false", "-it", "alpine", "sh"];
    let mut person = Person::at(24, 80, &live.learn(&words));
    person.sees("# ");
    let client = nix::unistd::Pid::from_raw(person.program().cast_signed());
    nix::sys::signal::kill(client, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    assert_eq!(person.ends().code(), Some(143));
    assert!(person.is_cooked(), "the terminal was not restored");
    live.ok(&["rm", "-f", "shell"]);
}

#[test]
fn a_terminal_is_refused_where_input_is_none() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let refused = live.run(&["run", "-it", "alpine"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "the input device is not a TTY\n");
}

#[test]
fn a_terminal_without_input_has_one_output() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let output = live.run(&["run", "--rm", "-t", "alpine", "sh", "-c", "echo out; echo err >&2"]);
    assert_eq!((stdout(&output).as_str(), output.stderr.len()), ("out\r\nerr\r\n", 0), "{}", said(&output));
}

#[test]
fn the_end_of_piped_input_is_the_programs_end_of_input() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let mut cat = live.learn(&["run", "--rm", "-i", "alpine", "cat"]);
    let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("learn runs");
    cat.stdin.take().expect("piped").write_all(b"hi\n").expect("written");
    let output = cat.wait_with_output().expect("its end");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("hi\n", Some(0)));
}
