//! Containers after their start: paused, restarted, renamed, given other limits, pruned.

use super::Docker;
use super::live::{eventually, said, stderr, stdout};
use std::io::Write;
use std::process::Stdio;

fn failed(docker: &Docker, words: &[&str]) -> String {
    let output = docker.run(words);
    assert!(!output.status.success(), "docker {words:?}: {}", said(&output));
    stderr(&output)
}

fn field(docker: &Docker, container: &str, format: &str) -> String {
    docker.ok(&["inspect", "-f", format, container]).trim_end().to_owned()
}

#[test]
fn a_paused_program_stands_still_and_goes_on() {
    let Some(docker) = Docker::new() else { return };
    let script = "i=0; while :; do i=$((i+1)); echo $i > /n; done";
    let id = docker.ok(&["run", "-d", "--name", "frozen", "alpine", "sh", "-c", script]);
    let id = id.trim_end();
    assert_eq!(docker.ok(&["pause", "frozen"]), "frozen\n");
    assert_eq!(
        field(&docker, "frozen", "{{.State.Status}} {{.State.Running}} {{.State.Paused}}"),
        "paused true true"
    );
    assert!(docker.ok(&["ps"]).contains("(Paused)"));
    let pid = field(&docker, "frozen", "{{.State.Pid}}");
    // Fields 14 and 15 of proc(5): the processor time used.
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it is there");
        stat.rsplit(')')
            .next()
            .expect("a rest")
            .split_whitespace()
            .skip(11)
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let before = used();
    docker.ok(&["run", "--rm", "alpine", "true"]);
    assert_eq!(used(), before, "another program ran meanwhile, this one did not");
    let twice = failed(&docker, &["pause", "frozen"]);
    assert_eq!(twice, format!("Error response from daemon: Container {id} is already paused\n"));
    assert_eq!(docker.ok(&["unpause", "frozen"]), "frozen\n");
    eventually("it goes on", || used() != before);
    let twice = failed(&docker, &["unpause", "frozen"]);
    assert_eq!(twice, format!("Error response from daemon: Container {id} is not paused\n"));

    docker.ok(&["pause", "frozen"]);
    let refused = failed(&docker, &["rm", "frozen"]);
    assert!(
        refused.contains(&format!("You cannot remove a paused container {id}. Unpause and then stop")),
        "{refused}"
    );
    assert_eq!(
        docker.ok(&["stop", "-t", "0", "frozen"]),
        "frozen\n",
        "a stop lets it go on in order to end it"
    );
    assert_eq!(field(&docker, "frozen", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
    let refused = failed(&docker, &["pause", "frozen"]);
    assert_eq!(refused, format!("Error response from daemon: Container {id} is not running\n"));
}

#[test]
fn a_restart_keeps_the_container_and_its_files() {
    let Some(docker) = Docker::new() else { return };
    let script = "trap 'exit 0' TERM; echo run >> /runs; cat /runs; while :; do sleep 0.01; done";
    docker.ok(&["run", "-d", "--rm", "--name", "again", "alpine", "sh", "-c", script]);
    eventually("its first line", || docker.ok(&["logs", "again"]) == "run\n");
    let first = field(&docker, "again", "{{.Id}} {{.State.Pid}}");
    assert_eq!(docker.ok(&["restart", "-t", "60", "again"]), "again\n");
    eventually("both lines", || docker.ok(&["logs", "again"]) == "run\nrun\nrun\n");
    let second = field(&docker, "again", "{{.Id}} {{.State.Pid}}");
    assert_eq!(first.split(' ').next(), second.split(' ').next());
    assert_ne!(first, second, "another process");
    docker.ok(&["kill", "again"]);
    eventually("--rm removes it at last", || docker.ok(&["ps", "-aq"]).is_empty());
    assert!(failed(&docker, &["restart", "again"]).contains("No such container: again"));
}

#[test]
fn names_change_and_conflicts_name_their_holder() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["create", "--name", "one", "alpine"]);
    let other = docker.ok(&["create", "--name", "two", "alpine"]);
    assert_eq!(docker.ok(&["rename", "one", "uno"]), "");
    assert_eq!(field(&docker, "uno", "{{.Name}}"), "/uno");
    assert!(failed(&docker, &["inspect", "one"]).contains("No such object: one"));
    let conflict = failed(&docker, &["rename", "uno", "two"]);
    let holder = other.trim_end();
    let words = format!(
        "Error response from daemon: Error when allocating new name: Conflict. The container name \"/two\" is already in \
         use by container \"{holder}\". You have to remove (or rename) that container to be able to reuse that name.\n\
         Error: failed to rename container named uno\n"
    );
    assert_eq!(conflict, words);
    let same = failed(&docker, &["rename", "uno", "uno"]);
    assert!(same.contains("Renaming a container with the same name as its current name"), "{same}");
    docker.ok(&["create", "--name", "one", "alpine"]);
}

#[test]
fn limits_change_while_the_program_runs() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "bound", "--memory", "64m", "alpine", "sleep", "1000"]);
    let pid = field(&docker, "bound", "{{.State.Pid}}");
    assert_eq!(
        docker.ok(&["update", "--memory", "96m", "--memory-swap", "256m", "--pids-limit", "50", "bound"]),
        "bound\n"
    );
    let format = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}";
    assert_eq!(field(&docker, "bound", format), format!("{} {} 50", 96 << 20, 256 << 20));
    assert_eq!(control(&pid, "memory", "memory.limit_in_bytes", "memory.max"), (96 << 20).to_string());
    assert_eq!(control(&pid, "pids", "pids.max", "pids.max"), "50");
    let refused = failed(&docker, &["update", "--memory", "512m", "bound"]);
    assert!(refused.contains("Cannot update container") && refused.contains("memoryswap limit"), "{refused}");
    assert!(
        failed(&docker, &["update", "--memory", "1m", "bound"])
            .contains("Minimum memory limit allowed is 6MB")
    );
    docker.ok(&["update", "--restart", "on-failure:3", "bound"]);
    let format = "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}";
    assert_eq!(field(&docker, "bound", format), "on-failure 3");
}

/// A limit as the kernel has it, in whichever version of control groups the process is.
fn control(pid: &str, controller: &str, v1: &str, v2: &str) -> String {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("its groups");
    let of = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        Some((controllers, path))
    };
    let lines: Vec<_> = groups.lines().filter_map(of).collect();
    let own = lines.iter().find(|(controllers, _)| controllers.split(',').any(|one| one == controller));
    let file = match own {
        Some((_, path)) => format!("/sys/fs/cgroup/{controller}{path}/{v1}"),
        None => {
            format!("/sys/fs/cgroup{}/{v2}", lines.iter().find(|(names, _)| names.is_empty()).expect("v2").1)
        }
    };
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}")).trim_end().to_owned()
}

#[test]
fn a_policy_restarts_until_it_is_stopped_by_hand() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&[
        "run",
        "-d",
        "--name",
        "tries",
        "--restart",
        "on-failure:2",
        "alpine",
        "sh",
        "-c",
        "echo x; exit 3",
    ]);
    eventually("it gave up", || field(&docker, "tries", "{{.State.Status}} {{.RestartCount}}") == "exited 2");
    assert_eq!(docker.ok(&["logs", "tries"]), "x\nx\nx\n");

    docker.ok(&["run", "-d", "--name", "ever", "--restart", "always", "alpine", "sleep", "1000"]);
    let first = field(&docker, "ever", "{{.State.Pid}}");
    let pid = rustix::process::Pid::from_raw(first.parse().expect("a pid")).expect("not 0");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is there");
    eventually("another process", || {
        let state = field(&docker, "ever", "{{.State.Status}} {{.State.Pid}} {{.RestartCount}}");
        state.starts_with("running ") && state.ends_with(" 1") && !state.contains(&format!(" {first} "))
    });
    docker.ok(&["stop", "-t", "0", "ever"]);
    assert_eq!(field(&docker, "ever", "{{.State.Status}} {{.RestartCount}}"), "exited 1");
    docker.ok(&["start", "ever"]);
    assert_eq!(field(&docker, "ever", "{{.State.Status}} {{.RestartCount}}"), "running 0", "counted anew");

    let conflict = failed(&docker, &["run", "--rm", "--restart", "always", "alpine", "true"]);
    assert!(conflict.contains("conflicting options: cannot specify both --restart and --rm"), "{conflict}");
    assert!(
        failed(&docker, &["create", "--restart", "sometimes", "alpine"]).contains("invalid restart policy")
    );
}

#[test]
fn a_container_that_waits_for_its_restart_can_be_stopped_and_removed() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "loops", "--restart", "always", "alpine", "false"]);
    // By then its waits are long enough to be met.
    eventually("some restarts", || {
        field(&docker, "loops", "{{.RestartCount}}").parse::<u32>().expect("a count") >= 3
    });
    eventually("a wait", || field(&docker, "loops", "{{.State.Status}}") == "restarting");
    docker.ok(&["stop", "-t", "60", "loops"]);
    assert_eq!(field(&docker, "loops", "{{.State.Status}} {{.State.Running}}"), "exited false");
    docker.ok(&["start", "loops"]);
    assert_eq!(docker.ok(&["rm", "-f", "loops"]), "loops\n");
    assert_eq!(docker.ok(&["ps", "-aq"]), "");
}

#[test]
fn prune_asks_and_removes_only_what_does_not_run() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "runs", "alpine", "sleep", "1000"]);
    docker.ok(&["run", "-d", "--name", "paused", "alpine", "sleep", "1000"]);
    docker.ok(&["pause", "paused"]);
    let kept = docker.ok(&["create", "--label", "keep=1", "alpine"]);
    let ended = docker.ok(&["create", "alpine"]);
    for (program, prefix) in [("docker", ""), (env!("CARGO_BIN_EXE_learn"), "")] {
        let mut asked = docker.live.command(program, &["container", "prune"]);
        let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        asked.stdin.take().expect("piped").write_all(b"n\n").expect("an answer");
        let output = asked.wait_with_output().expect("its end");
        let question =
            "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ";
        assert_eq!(stdout(&output), format!("{prefix}{question}"));
        assert!(output.status.success(), "{}", said(&output));
    }
    let pruned = docker.ok(&["container", "prune", "-f", "--filter", "label!=keep"]);
    assert_eq!(pruned, format!("Deleted Containers:\n{ended}\nTotal reclaimed space: 0B\n"));
    let pruned = docker.ok(&["container", "prune", "-f", "--filter", "until=1h"]);
    assert_eq!(pruned, "Total reclaimed space: 0B\n", "it is younger");
    let pruned = docker.live.ok(&["container", "prune", "-f"]);
    assert_eq!(pruned, format!("Deleted Containers:\n{kept}\nTotal reclaimed space: 0B\n"));
    assert_eq!(docker.ok(&["ps", "-q"]).lines().count(), 2);
}
