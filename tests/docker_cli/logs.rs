//! Log drivers: what is kept, and how much of it.

use super::Docker;
use super::live::{eventually, names, said, stderr, stdout};
use std::process::Stdio;

#[test]
fn a_follower_sees_every_line_over_the_borders_of_files() {
    let Some(docker) = Docker::new() else { return };
    let options = ["--log-opt", "max-size=2k", "--log-opt", "max-file=200"];
    let script = "trap 'go=1' USR1; echo ready; while [ -z \"$go\" ]; do sleep 0.01; done; seq 1 2000";
    let words = [&["run", "-d", "--name", "talks"], &options[..], &["alpine", "sh", "-c", script]].concat();
    docker.ok(&words);
    eventually("its trap", || docker.ok(&["logs", "talks"]) == "ready\n");
    let follow =
        docker.command(&["logs", "-f", "talks"]).stdout(Stdio::piped()).spawn().expect("docker runs");
    docker.ok(&["kill", "-s", "USR1", "talks"]);
    let wanted: String =
        std::iter::once("ready\n".to_owned()).chain((1..=2000).map(|number| format!("{number}\n"))).collect();
    let followed = follow.wait_with_output().expect("the program's end");
    assert!(stdout(&followed) == wanted, "{} bytes of {}", followed.stdout.len(), wanted.len());
    assert!(docker.ok(&["logs", "talks"]) == wanted, "the same afterwards");
    assert_eq!(docker.ok(&["logs", "--tail", "100", "talks"]).lines().next(), Some("1901"));
    let id = docker.live.container_ids().remove(0);
    let files = names(&docker.live.root().join("containers").join(&id));
    assert!(files.iter().filter(|name| name.contains("-json.log.")).count() > 10, "{files:?}");
}

#[test]
fn no_more_files_are_kept_than_asked_for() {
    let Some(docker) = Docker::new() else { return };
    let options = ["--log-opt", "max-size=1k", "--log-opt", "max-file=2"];
    docker.ok(&[&["run", "--name", "much"], &options[..], &["alpine", "seq", "1", "1000"]].concat());
    let lines = docker.ok(&["logs", "much"]);
    assert!(lines.ends_with("999\n1000\n") && lines.lines().count() < 60, "{lines}");
    let id = docker.live.container_ids().remove(0);
    let files = names(&docker.live.root().join("containers").join(&id));
    assert_eq!(files.iter().filter(|name| name.contains("-json.log")).count(), 2, "{files:?}");
}

#[test]
fn local_reads_like_json_file_and_none_cannot_be_read() {
    let Some(docker) = Docker::new() else { return };
    let script = "echo out; echo err >&2; printf half";
    for driver in ["json-file", "local"] {
        docker.ok(&["run", "--name", driver, "--log-driver", driver, "alpine", "sh", "-c", script]);
        let output = docker.run(&["logs", driver]);
        assert_eq!((stdout(&output), stderr(&output)), ("out\nhalf".into(), "err\n".into()), "{driver}");
        assert_eq!(
            docker.ok(&["inspect", "-f", "{{.HostConfig.LogConfig.Type}}", driver]),
            format!("{driver}\n")
        );
    }
    docker.ok(&["run", "--name", "silent", "--log-driver", "none", "alpine", "echo", "seen but not kept"]);
    let output = docker.run(&["logs", "silent"]);
    let words = "Error response from daemon: configured logging driver does not support reading\n";
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), words), "{}", said(&output));
}

#[test]
fn details_are_the_chosen_labels_and_variables() {
    let Some(docker) = Docker::new() else { return };
    let options =
        ["--label", "team=a b", "-e", "STAGE=1", "--log-opt", "labels=team,none", "--log-opt", "env=STAGE"];
    docker.ok(&[&["run", "--name", "told"], &options[..], &["alpine", "echo", "hi"]].concat());
    assert_eq!(docker.ok(&["logs", "--details", "told"]), "STAGE=1,team=a+b hi\n");
    assert_eq!(docker.live.ok(&["logs", "--details", "told"]), "STAGE=1,team=a+b hi\n");
    assert_eq!(docker.ok(&["logs", "told"]), "hi\n");
}

#[test]
fn options_that_make_no_sense_are_refused_with_dockers_words() {
    let Some(docker) = Docker::new() else { return };
    let refused = |words: &[&str]| {
        let output = docker.run(&[&["create"], words, &["alpine"]].concat());
        assert!(!output.status.success(), "{}", said(&output));
        stderr(&output)
    };
    assert!(refused(&["--log-driver", "nope"]).contains("logger: no log driver named 'nope' is registered"));
    assert!(refused(&["--log-opt", "x=1"]).contains("unknown log opt 'x' for json-file log driver"));
    assert!(refused(&["--log-opt", "max-file=0"]).contains("max-file cannot be less than 1"));
    assert!(
        refused(&["--log-driver", "syslog"]).contains("--log-driver syslog is not supported by learn yet")
    );
}
