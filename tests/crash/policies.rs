//! A daemon killed while containers are paused, or wait for their restart.

use super::live::{Live, eventually, privileged};

fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

fn state(live: &Live, container: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&live.ok(&["inspect", container])).expect("JSON");
    all[0].clone()
}

fn status(live: &Live, container: &str) -> String {
    state(live, container)["State"]["Status"].as_str().expect("a word").to_owned()
}

#[test]
fn a_paused_container_is_found_paused_and_can_go_on() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    live.ok(&["run", "-d", "--name", "frozen", "alpine", "sleep", "1000"]);
    live.ok(&["pause", "frozen"]);
    live.kill();
    live.start();
    assert_eq!(status(&live, "frozen"), "paused");
    live.ok(&["unpause", "frozen"]);
    assert_eq!(status(&live, "frozen"), "running");
    live.ok(&["rm", "-f", "frozen"]);
}

#[test]
fn policies_go_on_over_a_daemons_death() {
    if !privileged() {
        return;
    }
    let mut live = with_alpine();
    live.ok(&["run", "-d", "--name", "loops", "--restart", "always", "alpine", "false"]);
    live.ok(&["run", "-d", "--name", "always", "--restart", "always", "alpine", "sleep", "1000"]);
    live.ok(&["run", "-d", "--name", "unless", "--restart", "unless-stopped", "alpine", "sleep", "1000"]);
    live.ok(&["run", "-d", "--name", "lives", "--restart", "unless-stopped", "alpine", "sleep", "1000"]);
    live.ok(&["stop", "-t", "0", "always", "unless"]);
    let pid = state(&live, "lives")["State"]["Pid"].clone();
    eventually("a restart", || state(&live, "loops")["RestartCount"].as_u64().expect("a count") >= 2);
    live.kill();
    live.start();
    eventually("always is started", || status(&live, "always") == "running");
    assert_eq!(status(&live, "unless"), "exited", "stopped by hand");
    assert_eq!(state(&live, "lives")["State"]["Pid"], pid, "it never ended");
    let before = state(&live, "loops")["RestartCount"].as_u64().expect("a count");
    eventually("its policy resumes", || {
        state(&live, "loops")["RestartCount"].as_u64().expect("a count") > before
    });
    live.ok(&["rm", "-f", "loops", "always", "unless", "lives"]);
    live.until_shims_end();
    assert!(live.leftovers().is_empty(), "{:?}", live.leftovers());
}
