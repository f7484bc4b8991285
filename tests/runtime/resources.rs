//! Limits: written, seen from inside, and kept by the kernel.

use crate::Case;
use crate::bundle::Bundle;
use serde_json::json;
use std::fs;

pub const CASES: &[Case] = crate::cases![
    resource_limits_are_set,
    limits_are_in_force_and_seen_from_inside,
    a_fork_bomb_stops,
    memory_beyond_the_limit_is_exit_137,
    only_listed_devices_open,
    on_v2_a_program_guards_the_devices,
    a_limit_without_a_controller_stops_the_start,
    groups_left_by_a_crash_are_taken_over,
];

fn resource_limits_are_set() {
    let mut bundle = Bundle::shell("rlimits", "ulimit -n; ulimit -Hn; ulimit -c");
    bundle.set(
        "/process/rlimits",
        json!([{"type": "RLIMIT_NOFILE", "soft": 111, "hard": 222}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]),
    );
    assert_eq!(bundle.run().said(), "111\n222\n0\n");
}

/// Where a container on this machine finds a limit of its own, or a panic that says so.
fn inside(bundle: &Bundle, controller: &str, v1: &str, v2: &str) -> String {
    let cgroups = &bundle.machine.cgroups;
    match cgroups.v1.get(controller) {
        Some(mount) => format!("/sys/fs/cgroup/{}/{v1}", mount.rsplit('/').next().unwrap()),
        None => format!("/sys/fs/cgroup/{v2}"),
    }
}

fn limits_are_in_force_and_seen_from_inside() {
    let mut bundle = Bundle::shell("limits", "");
    let memory = inside(&bundle, "memory", "memory.limit_in_bytes", "memory.max");
    let pids = inside(&bundle, "pids", "pids.max", "pids.max");
    bundle.set("/process/args", json!(["cat", memory, pids]));
    bundle.set(
        "/linux/resources",
        json!({"memory": {"limit": 67108864, "swap": 134217728}, "pids": {"limit": 20}, "cpu": {"shares": 512}}),
    );
    assert_eq!(bundle.run().said(), "67108864\n20\n");
}

fn a_fork_bomb_stops() {
    let mut bundle = Bundle::shell("bomb", "bomb() { bomb & bomb & }; bomb; wait; echo survived");
    bundle.set("/linux/resources/pids", json!({"limit": 30}));
    let ran = bundle.run();
    assert!(ran.stderr.contains("can't fork: Resource temporarily unavailable"), "{ran:?}");
}

fn memory_beyond_the_limit_is_exit_137() {
    // No line ends in /dev/zero, so tail keeps it all.
    let mut bundle = Bundle::new("oom", &["tail", "/dev/zero"]);
    bundle.set("/linux/resources/memory", json!({"limit": 16777216, "swap": 16777216}));
    assert_eq!(bundle.run().code, 137);
}

/// Opens a standard device, makes a node for a disk and for the kernel's log, and tries to open
/// those.
const DEVICES: &str = "echo x > /dev/null && head -c 1 /dev/zero | wc -c; \
    mknod /tmp/disk b 7 0 && mknod /tmp/log c 1 11 && echo made; \
    cat /tmp/disk; cat /tmp/log; echo x > /tmp/disk; echo done";

#[track_caller]
fn assert_guarded(bundle: &Bundle) {
    let ran = bundle.run();
    assert_eq!(ran.stdout, "1\nmade\ndone\n", "{ran:?}");
    assert_eq!(ran.stderr.matches("Operation not permitted").count(), 3, "{ran:?}");
}

/// mknod is no program of the stand-in's on every machine; a busybox has it.
fn with_mknod(bundle: &mut Bundle) {
    let line = format!("mknod() {{ busybox mknod \"$@\"; }}; {DEVICES}");
    bundle.file(
        "bin/busybox",
        0o755,
        &fs::read("/usr/bin/busybox").or_else(|_| fs::read("/bin/busybox")).unwrap(),
    );
    bundle.set("/process/args", json!(["/bin/sh", "-c", line]));
}

fn only_listed_devices_open() {
    let mut bundle = Bundle::shell("devices", "");
    with_mknod(&mut bundle);
    assert_guarded(&bundle);
    // Without rules nothing but the standard devices is allowed either.
    let mut bundle = Bundle::shell("norules", "");
    with_mknod(&mut bundle);
    bundle.set("/linux/resources", json!({}));
    assert_guarded(&bundle);
    // A privileged container's rule allows them: it was the rules that forbade.
    let mut bundle = Bundle::shell("allrules", "");
    with_mknod(&mut bundle);
    bundle.set("/linux/resources", json!({"devices": [{"allow": true, "access": "rwm"}]}));
    let ran = bundle.run();
    assert!(!ran.stderr.contains("Operation not permitted"), "{ran:?}");
}

fn on_v2_a_program_guards_the_devices() {
    let mut bundle = Bundle::shell("v2devices", "");
    if bundle.machine.cgroups.v2.as_ref().is_none_or(|v2| !v2.writable) {
        assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "no cgroup v2 here");
        println!("skipped: no cgroup v2 mount");
        return;
    }
    bundle.machine.cgroups.v1.remove("devices");
    with_mknod(&mut bundle);
    assert_guarded(&bundle);
    let mut bundle = Bundle::shell("v2all", "");
    bundle.machine.cgroups.v1.remove("devices");
    with_mknod(&mut bundle);
    bundle.set("/linux/resources", json!({"devices": [{"allow": true, "access": "rwm"}]}));
    let ran = bundle.run();
    assert!(!ran.stderr.contains("Operation not permitted"), "{ran:?}");
}

fn a_limit_without_a_controller_stops_the_start() {
    let mut bundle = Bundle::new("nocontroller", &["true"]);
    bundle.machine.cgroups.v1.remove("pids");
    bundle.set("/linux/resources/pids", json!({"limit": 5}));
    let failure = bundle.run().failed();
    assert!(
        failure.message.starts_with("linux.resources.pids.limit (--pids-limit) needs the pids controller")
    );
    assert_eq!(failure.exit_code, 128);
}

fn groups_left_by_a_crash_are_taken_over() {
    let mut bundle = Bundle::new("stale", &["true"]);
    bundle.set("/linux/resources/memory", json!({"limit": 67108864, "swap": 134217728}));
    let group = bundle.control("memory");
    fs::create_dir_all(&group).unwrap();
    if bundle.machine.cgroups.v1.contains_key("memory") {
        fs::write(group.join("memory.limit_in_bytes"), "8388608").unwrap();
        fs::write(group.join("memory.memsw.limit_in_bytes"), "16777216").unwrap();
    }
    assert_eq!(bundle.run().code, 0);
}
