//! Whether containers are well.

use super::Docker;
use super::live::{eventually, said, stderr};

fn health(docker: &Docker, container: &str, field: &str) -> String {
    docker.ok(&["inspect", "-f", &format!("{{{{{field}}}}}"), container]).trim_end().to_owned()
}

#[test]
fn a_check_turns_ill_and_well_and_everybody_hears_of_it() {
    let Some(docker) = Docker::new() else { return };
    let check =
        ["--health-cmd", "echo looked; test -e /ok", "--health-interval", "300ms", "--health-retries", "2"];
    docker.ok(&[&["run", "-d", "--name", "well"], &check[..], &["alpine", "sleep", "1000"]].concat());
    eventually("two bad answers", || health(&docker, "well", ".State.Health.Status") == "unhealthy");
    assert!(docker.ok(&["ps"]).contains("(unhealthy)"));
    assert_eq!(health(&docker, "well", "(index .State.Health.Log 0).ExitCode"), "1");
    assert_eq!(health(&docker, "well", "(index .State.Health.Log 0).Output"), "looked");
    docker.ok(&["exec", "well", "touch", "/ok"]);
    eventually("a good answer", || health(&docker, "well", ".State.Health.Status") == "healthy");
    assert_eq!(health(&docker, "well", ".State.Health.FailingStreak"), "0");
    assert!(docker.ok(&["ps", "--filter", "health=healthy"]).contains("(healthy)"));
    eventually("five answers are kept", || health(&docker, "well", "len .State.Health.Log") == "5");
    docker.ok(&["kill", "well"]);
    let words = [
        "events",
        "--since",
        "10m",
        "--until",
        "0s",
        "--filter",
        "event=health_status",
        "--format",
        "{{.Action}}",
    ];
    // The client cuts `0s` to whole seconds: what happened in this one comes with the next.
    eventually("both turns are told", || {
        docker.ok(&words) == "health_status: unhealthy\nhealth_status: healthy\n"
    });
    let exact = docker.ok(&[&words[..6], &["event=health_status: healthy"], &words[7..]].concat());
    assert_eq!(exact, "health_status: healthy\n");
}

#[test]
fn a_check_that_gives_no_answer_in_time_is_a_bad_one() {
    let Some(docker) = Docker::new() else { return };
    let check = [
        "--health-cmd",
        "sleep 1000",
        "--health-timeout",
        "200ms",
        "--health-interval",
        "50ms",
        "--health-retries",
        "1",
    ];
    docker.ok(&[&["run", "-d", "--name", "slow"], &check[..], &["alpine", "sleep", "1000"]].concat());
    eventually("no answer", || health(&docker, "slow", ".State.Health.Status") == "unhealthy");
    assert_eq!(health(&docker, "slow", "(index .State.Health.Log 0).ExitCode"), "-1");
    let output = health(&docker, "slow", "(index .State.Health.Log 0).Output");
    assert_eq!(output, "Health check exceeded timeout (200ms)");
}

#[test]
fn it_starts_without_an_answer_and_flags_that_contradict_are_refused() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "new", "--health-cmd", "true", "alpine", "sleep", "1000"]);
    assert!(docker.ok(&["ps"]).contains("(health: starting)"));
    assert_eq!(health(&docker, "new", "json .Config.Healthcheck"), r#"{"Test":["CMD-SHELL","true"]}"#);
    docker.ok(&["run", "-d", "--name", "none", "--no-healthcheck", "alpine", "sleep", "1000"]);
    assert_eq!(health(&docker, "none", "json .State.Health"), "null");
    let refused = docker.run(&["create", "--health-interval", "1us", "--health-cmd", "true", "alpine"]);
    assert!(
        stderr(&refused).contains("Interval in Healthcheck cannot be less than 1ms"),
        "{}",
        said(&refused)
    );
    let refused = docker.live.run(&["create", "--no-healthcheck", "--health-cmd", "true", "alpine"]);
    assert!(
        stderr(&refused).contains("--no-healthcheck conflicts with --health-* options"),
        "{}",
        said(&refused)
    );
}
