//! One verb after another, as in a first hour with docker.

use super::Docker;
use super::live::{said, stderr, stdout};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

#[test]
fn hello_world_and_ls_print_what_the_notes_show() {
    let Some(docker) = Docker::new() else { return };
    assert!(docker.ok(&["run", "hello-world"]).contains("Hello from learn!"));
    let names = docker.ok(&["run", "alpine", "ls"]);
    assert_eq!(
        names.split_whitespace().collect::<Vec<_>>(),
        [
            "bin", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv",
            "sys", "tmp", "usr", "var"
        ]
    );
    let listed = docker.ok(&["ps", "-a"]);
    let head: Vec<&str> = listed.lines().next().unwrap_or_default().split("  ").map(str::trim).collect();
    let head: Vec<&str> = head.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(head, ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(
        listed.lines().skip(1).all(|line| line.contains("Exited (0)") && line.contains(" ago")),
        "{listed}"
    );
    for id in docker.ok(&["ps", "-aq"]).lines() {
        assert_eq!(docker.ok(&["rm", id]), format!("{id}\n"));
    }
    assert_eq!(docker.ok(&["ps", "-aq"]), "");
}

#[test]
fn input_reaches_the_program_and_its_end_too() {
    let Some(docker) = Docker::new() else { return };
    let mut cat = docker
        .command(&["run", "--rm", "-i", "alpine", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker runs");
    let text: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    let mut input = cat.stdin.take().expect("piped");
    let sent = text.clone();
    let writer = std::thread::spawn(move || input.write_all(sent.as_bytes()).expect("taken"));
    let output = cat.wait_with_output().expect("its end");
    writer.join().expect("all of it");
    assert!(output.status.success(), "{}", said(&output));
    assert!(stdout(&output) == text, "{} bytes of {}", output.stdout.len(), text.len());
    assert_eq!(docker.ok(&["ps", "-aq"]), "", "--rm removes it");
}

#[test]
fn exit_codes_are_the_programs_or_dockers() {
    let Some(docker) = Docker::new() else { return };
    let code = |words: &[&str]| {
        let output = docker.run(&[&["run", "--rm"], words].concat());
        output.status.code().unwrap_or_else(|| panic!("{}", said(&output)))
    };
    assert_eq!(code(&["alpine", "true"]), 0);
    assert_eq!(code(&["alpine", "sh", "-c", "exit 1"]), 1);
    assert_eq!(code(&["--network", "nosuchnet", "alpine", "true"]), 125);
    assert_eq!(code(&["alpine", "/etc"]), 126);
    assert_eq!(code(&["alpine", "nosuchcmd"]), 127);

    docker.ok(&["run", "-d", "--name", "victim", "alpine", "sleep", "1000"]);
    docker.ok(&["kill", "victim"]);
    assert_eq!(docker.ok(&["wait", "victim"]), "137\n");
    let script = "trap 'exit 143' TERM; echo ready; while :; do sleep 0.01; done";
    docker.ok(&["run", "-d", "--name", "polite", "alpine", "sh", "-c", script]);
    super::live::eventually("its trap", || docker.ok(&["logs", "polite"]) == "ready\n");
    docker.ok(&["stop", "-t", "30", "polite"]);
    assert_eq!(docker.ok(&["wait", "polite"]), "143\n");
}

#[test]
fn logs_are_followed_to_the_end() {
    let Some(docker) = Docker::new() else { return };
    let script = "trap 'go=1' USR1; echo one; echo two >&2; while [ -z \"$go\" ]; do sleep 0.01; done; \
                  echo three; exit 4";
    docker.ok(&["run", "-d", "--name", "talks", "alpine", "sh", "-c", script]);
    let mut follow = docker
        .command(&["logs", "-f", "talks"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker runs");
    let mut lines = BufReader::new(follow.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "one");
    let mut errors = BufReader::new(follow.stderr.take().expect("piped")).lines();
    assert_eq!(errors.next().expect("a line").expect("text"), "two");
    docker.ok(&["kill", "-s", "USR1", "talks"]);
    assert_eq!(lines.next().expect("a line").expect("text"), "three");
    assert!(lines.next().is_none(), "the end of the program ends the follower");
    assert!(follow.wait().expect("its end").success());
    assert_eq!(docker.ok(&["wait", "talks"]), "4\n");
    let output = docker.run(&["logs", "--tail", "1", "talks"]);
    assert_eq!(stdout(&output), "three\n");
}

#[test]
fn create_and_start_attached_give_output_and_code() {
    let Some(docker) = Docker::new() else { return };
    let id = docker.ok(&["create", "--name", "later", "alpine", "sh", "-c", "echo ran; exit 9"]);
    assert_eq!(id.trim_end().len(), 64);
    assert!(docker.ok(&["ps", "-a"]).contains("Created"));
    for _ in 0..2 {
        let output = docker.run(&["start", "-a", "later"]);
        assert_eq!((stdout(&output).as_str(), output.status.code()), ("ran\n", Some(9)), "{}", said(&output));
    }
    assert_eq!(docker.ok(&["logs", "later"]), "ran\nran\n");
    let format = "{{.State.Status}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}}";
    assert_eq!(docker.ok(&["inspect", "-f", format, "later"]), "exited 9 /later alpine\n");
}

#[test]
fn images_are_listed_inspected_and_removed() {
    let Some(docker) = Docker::new() else { return };
    let listed = docker.ok(&["images"]);
    assert!(listed.contains("alpine") && listed.contains("hello-world"), "{listed}");
    let id = docker.ok(&["images", "-q", "alpine"]);
    assert_eq!(id.trim_end().len(), 12);
    let full = docker.ok(&["image", "inspect", "-f", "{{.Id}} {{.Os}}", "alpine"]);
    assert!(full.starts_with(&format!("sha256:{}", id.trim_end())) && full.ends_with(" linux\n"), "{full}");
    let removed = docker.ok(&["rmi", "hello-world"]);
    assert!(removed.starts_with("Untagged: hello-world:latest\n") && removed.contains("Deleted: sha256:"));
    assert!(!docker.ok(&["images"]).contains("hello-world"));
}

#[test]
fn version_and_info_say_who_answers() {
    let Some(docker) = Docker::new() else { return };
    assert_eq!(docker.ok(&["version", "-f", "{{.Server.APIVersion}}"]), "1.47\n");
    assert!(docker.ok(&["version"]).contains("Server: learn"));
    docker.ok(&["run", "-d", "alpine", "sleep", "1000"]);
    let format = "{{.Containers}} {{.ContainersRunning}} {{.Images}} {{.OSType}}";
    assert_eq!(docker.ok(&["info", "-f", format]), "1 1 2 linux\n");
    let info = docker.run(&["info"]);
    assert!(info.status.success() && !stderr(&info).contains("ERROR"), "{}", said(&info));
}

#[test]
fn events_tell_a_run_from_create_to_destroy() {
    let Some(docker) = Docker::new() else { return };
    let words = ["events", "--since", "60s", "--filter", "container=told", "--format", "{{.Action}}"];
    let mut events = docker.command(&words).stdout(Stdio::piped()).spawn().expect("docker runs");
    docker.ok(&["run", "--rm", "--name", "told", "alpine", "true"]);
    let lines = BufReader::new(events.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let mut told = Vec::new();
    for action in lines {
        told.push(action);
        if told.last().is_some_and(|action| action == "destroy") {
            break;
        }
    }
    events.kill().expect("it waits for more");
    events.wait().expect("its end");
    assert_eq!(told, ["create", "attach", "start", "die", "destroy"]);
}
