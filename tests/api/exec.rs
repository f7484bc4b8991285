//! Further programs in a running container: `learn exec`, the stock docker client, the bare API.

use super::live::{Live, privileged, said, stdout, unable};
use super::pty::Person;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

/// A daemon with a container `main` that waits.
fn with_main() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live.ok(&["run", "-d", "--name", "main", "-e", "FROM=main", "-w", "/tmp", "alpine", "sleep", "1000"]);
    live
}

fn end(live: &Live) {
    live.ok(&["rm", "-f", "main"]);
}

/// One request on a connection of its own; the whole answer.
fn ask(live: &Live, request: &str, body: &str) -> String {
    let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
    let length = body.len();
    write!(
        connection,
        "{request} HTTP/1.1\r\nHost: learn\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_further_program_is_where_the_container_is() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let script = "for ns in user mnt net ipc uts pid cgroup; do
            [ \"$(readlink /proc/1/ns/$ns)\" = \"$(readlink /proc/self/ns/$ns)\" ] || echo another $ns
        done
        [ \"$(cat /proc/1/cgroup)\" = \"$(cat /proc/self/cgroup)\" ] && echo same groups
        echo $FROM $MORE; pwd; id -u";
    let seen = live.ok(&["exec", "-e", "MORE=more", "main", "sh", "-c", script]);
    assert_eq!(seen, "same groups\nmain more\n/tmp\n0\n");
    assert_eq!(
        live.ok(&["exec", "-u", "1000:7", "-w", "/etc", "main", "sh", "-c", "id -u; id -g; pwd"]),
        "1000\n7\n/etc\n"
    );
    end(&live);
}

#[test]
fn its_guards_are_the_containers_and_privileged_adds_capabilities_only() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let of = |words: &[&str]| {
        let all = [
            &["exec"],
            words,
            &["main", "grep", "-E", "^(Cap(Eff|Bnd)|Seccomp|NoNewPrivs):", "/proc/self/status"],
        ];
        live.ok(&all.concat())
    };
    let main =
        live.ok(&["exec", "main", "grep", "-E", "^(Cap(Eff|Bnd)|Seccomp|NoNewPrivs):", "/proc/1/status"]);
    assert_eq!(of(&[]), main);
    let privileged = of(&["--privileged"]);
    assert_ne!(privileged, main);
    assert!(privileged.contains("Seccomp:\t2"), "{privileged}");
    end(&live);
}

#[test]
fn both_outputs_the_input_and_the_exit_code_are_its_own() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let output = live.run(&["exec", "main", "sh", "-c", "echo out; echo err >&2; exit 9"]);
    let streams = (stdout(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!(streams, ("out\n".to_owned(), "err\n".to_owned()));
    assert_eq!(output.status.code(), Some(9));
    let mut cat = live.learn(&["exec", "-i", "main", "cat"]);
    let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("learn runs");
    cat.stdin.take().expect("piped").write_all(b"through\n").expect("written");
    let output = cat.wait_with_output().expect("its end");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("through\n", Some(0)));
    end(&live);
}

#[test]
fn what_cannot_be_executed_says_so_with_dockers_codes() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let refused = |words: &[&str]| {
        let output = live.run(&[&["exec", "main"], words].concat());
        (stdout(&output), output.status.code())
    };
    let before = "OCI runtime exec failed: exec failed: unable to start container process: ";
    let line = |rest: &str| format!("{before}{rest}: unknown\r\n");
    assert_eq!(
        refused(&["nosuch"]),
        (line("exec: \"nosuch\": executable file not found in $PATH"), Some(127))
    );
    assert_eq!(refused(&["/etc/passwd"]), (line("exec: \"/etc/passwd\": permission denied"), Some(126)));
    live.ok(&["stop", "-t", "0", "main"]);
    let output = live.run(&["exec", "main", "true"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(" is not running"), "{}", said(&output));
    live.ok(&["rm", "main"]);
}

#[test]
fn a_shell_in_a_second_terminal_has_a_window_of_its_own() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let shell = |command: &Command| {
        let mut person = Person::at(33, 77, command);
        person.sees("# ");
        person.types("until [ \"$(stty size)\" = '33 77' ]; do :; done; echo si''zed\n");
        person.sees("sized");
        person.types("trap 'echo cau''ght' INT; sleep 1000\n");
        person.sees("# ");
        person
    };
    let mut person = shell(&live.learn(&["exec", "-it", "main", "sh"]));
    person.types("\x10\x11");
    person.sees("read escape sequence");
    assert_eq!(person.ends().code(), Some(1));
    assert!(person.is_cooked(), "the terminal was not restored");
    let there = Command::new("docker").arg("--version").stdout(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        let mut person = Person::at(33, 77, &live.command("docker", &["exec", "-it", "main", "sh"]));
        person.sees("# ");
        person.types("until [ \"$(stty size)\" = '33 77' ]; do :; done; exit 5\n");
        assert_eq!(person.ends().code(), Some(5));
    } else {
        unable("the docker client is not installed");
    }
    end(&live);
}

#[test]
fn it_ends_with_the_container_and_not_the_other_way_round() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let mut stays = live.learn(&["exec", "main", "sh", "-c", "echo up; exec sleep 1000"]);
    let mut stays = stays.stdout(Stdio::piped()).spawn().expect("learn runs");
    let mut up = [0; 3];
    stays.stdout.as_mut().expect("piped").read_exact(&mut up).expect("its first line");
    live.ok(&["exec", "main", "true"]);
    assert!(live.ok(&["ps"]).contains("main"));
    live.ok(&["kill", "main"]);
    assert_eq!(stays.wait().expect("its end").code(), Some(137));
    live.ok(&["rm", "main"]);
}

#[test]
fn an_exec_outlives_its_daemon_and_keeps_its_exit_code() {
    if !privileged() {
        return;
    }
    let mut live = with_main();
    let mut stays = live.learn(&["exec", "-i", "main", "sh", "-c", "echo up; read line; echo $line; exit 6"]);
    let mut stays = stays.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("learn runs");
    let mut up = [0; 3];
    stays.stdout.as_mut().expect("piped").read_exact(&mut up).expect("its first line");
    live.kill();
    live.start();
    stays.stdin.take().expect("piped").write_all(b"still here\n").expect("written");
    let output = stays.wait_with_output().expect("its end");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("still here\n", Some(6)));
    end(&live);
}

#[test]
fn the_bare_requests_answer_as_dockers() {
    if !privileged() {
        return;
    }
    let live = with_main();
    let created = ask(&live, "POST /containers/main/exec", r#"{"AttachStdout":true,"Cmd":["echo","hi"]}"#);
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    let id = created.split("\"Id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    let before = ask(&live, &format!("GET /exec/{id}/json"), "");
    assert!(before.contains("\"Running\":false,\"ExitCode\":null"), "{before}");
    // Without an upgrade the stream is the answer's body.
    let started = ask(&live, &format!("POST /exec/{id}/start"), r#"{"Detach":false,"Tty":false}"#);
    assert!(started.starts_with("HTTP/1.1 200") && started.contains("hi\n"), "{started}");
    let after = ask(&live, &format!("GET /exec/{id}/json"), "");
    assert!(after.contains("\"Running\":false,\"ExitCode\":0"), "{after}");
    let again = ask(&live, &format!("POST /exec/{id}/start"), r#"{"Detach":true}"#);
    assert!(again.starts_with("HTTP/1.1 409") && again.contains("has already run"), "{again}");
    let nothing = ask(&live, "POST /containers/main/exec", "{}");
    assert!(
        nothing.starts_with("HTTP/1.1 400") && nothing.contains("No exec command specified"),
        "{nothing}"
    );
    let missing = ask(&live, "GET /exec/nosuch/json", "");
    assert!(
        missing.starts_with("HTTP/1.1 404") && missing.contains("No such exec instance: nosuch"),
        "{missing}"
    );
    end(&live);
}

#[test]
fn top_lists_the_container_and_what_joined_it() {
    if !privileged() {
        return;
    }
    let live = with_main();
    live.ok(&["exec", "-d", "main", "sleep", "2000"]);
    let listed = live.ok(&["top", "main", "-o", "pid,args"]);
    let mut lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.remove(0).split_whitespace().collect::<Vec<_>>(), ["PID", "COMMAND"]);
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(listed.contains("sleep 1000") && listed.contains("sleep 2000"), "{listed}");
    end(&live);
}
