//! What containers use: stats, and memory that runs out.

use super::Docker;
use super::live::{eventually, said, stderr};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn stats_count_processes_and_memory() {
    let Some(docker) = Docker::new() else { return };
    let id = docker.ok(&[
        "run",
        "-d",
        "--name",
        "busy",
        "--memory",
        "64m",
        "alpine",
        "sh",
        "-c",
        "while :; do :; done",
    ]);
    docker.ok(&["create", "--name", "idle", "alpine"]);
    let format = "{{.Name}} {{.PIDs}} {{.MemUsage}}";
    let line = docker.ok(&["stats", "--no-stream", "--format", format, "busy"]);
    assert!(line.starts_with("busy 1 ") && line.ends_with(" / 64MiB\n"), "{line}");
    let percent = docker.ok(&["stats", "--no-stream", "--format", "{{.CPUPerc}}", "busy"]);
    let percent: f64 = percent.trim_end().trim_end_matches('%').parse().expect("a number");
    assert!(percent > 0.0, "it does nothing else: {percent}");
    let own = docker.live.ok(&["stats", "--no-stream", "-a"]);
    let mut lines = own.lines();
    let heading: Vec<&str> =
        lines.next().expect("a heading").split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(
        heading,
        ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]
    );
    let of = |name: &str| own.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{own}"));
    assert!(of("busy").starts_with(&id[..12]) && of("busy").contains("/ 64MiB"), "{own}");
    assert!(of("idle").contains("0.00%") && of("idle").contains("0B / 0B"), "{own}");
    let missing = docker.run(&["stats", "--no-stream", "nosuch"]);
    assert!(stderr(&missing).contains("No such container: nosuch"), "{}", said(&missing));
}

#[test]
fn stats_go_on_until_the_container_is_gone() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "brief", "alpine", "sleep", "1000"]);
    let mut stats =
        docker.live.learn(&["stats", "brief"]).stdout(Stdio::piped()).spawn().expect("learn runs");
    let mut lines =
        BufReader::new(stats.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    assert!(lines.any(|line| line.contains("brief") && line.contains("%")), "a row of figures");
    docker.ok(&["rm", "-f", "brief"]);
    for _ in lines {}
    assert!(stats.wait().expect("its end").success());
}

#[test]
fn memory_that_runs_out_ends_the_program_and_is_said() {
    let Some(docker) = Docker::new() else { return };
    let limits = ["--memory", "16m", "--memory-swap", "16m"];
    // Without an end of line there is no last line: tail keeps everything.
    let words = [&["run", "--name", "greedy"], &limits[..], &["alpine", "tail", "/dev/zero"]].concat();
    let output = docker.run(&words);
    assert_eq!(output.status.code(), Some(137), "{}", said(&output));
    let state = docker.ok(&["inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", "greedy"]);
    assert_eq!(state, "true 137\n");
    let told = || {
        let words = [
            "events",
            "--since",
            "10m",
            "--until",
            "0s",
            "--filter",
            "container=greedy",
            "--format",
            "{{.Action}}",
        ];
        docker.ok(&words)
    };
    eventually("the event", || told().contains("oom\ndie\n"));
}
