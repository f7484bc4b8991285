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
    a_group_others_live_in_is_refused,
    processes_without_a_pid_namespace_end_with_the_container,
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
    // The shell is the first of thirty; it gives up at the fork that is refused.
    let mut bundle = Bundle::shell("bomb", "i=0; while sleep 1000 & do i=$((i+1)); echo $i; done");
    bundle.set("/linux/resources/pids", json!({"limit": 30}));
    let ran = bundle.run();
    assert_eq!(ran.stdout.lines().last(), Some("29"), "{ran:?}");
    assert_ne!(ran.code, 0, "{ran:?}");
}

fn memory_beyond_the_limit_is_exit_137() {
    // No line ends in /dev/zero, so tail keeps it all.
    let mut bundle = Bundle::new("oom", &["tail", "/dev/zero"]);
    bundle.set("/linux/resources/memory", json!({"limit": 16777216, "swap": 16777216}));
    assert_eq!(bundle.run().code, 137);
}

/// A shell that opens a standard device and makes nodes for a disk and for the loop driver's
/// control, then does `more`. mknod is no program of the stand-in's; any busybox has it.
fn devices(name: &str, more: &str) -> Bundle {
    let line = format!(
        "echo x > /dev/null && head -c 1 /dev/zero | wc -c; cd /tmp; \
         busybox mknod disk b 7 0 && busybox mknod loop c 10 237 && echo made; {more}; echo done"
    );
    let mut bundle = Bundle::shell(name, &line);
    let busybox = ["/usr/bin/busybox", "/bin/busybox"].iter().find_map(|path| fs::read(path).ok());
    bundle.file("bin/busybox", 0o755, &busybox.expect("a busybox on this machine"));
    bundle
}

#[track_caller]
fn assert_guarded(bundle: &Bundle) {
    let ran = bundle.run();
    assert_eq!(ran.stdout, "1\nmade\ndone\n", "{ran:?}");
    assert_eq!(ran.stderr.matches("Operation not permitted").count(), 3, "{ran:?}");
}

/// Shows that it was the rules that forbade, not something else. Nothing is written.
#[track_caller]
fn assert_open(bundle: &mut Bundle) {
    bundle.set("/linux/resources", json!({"devices": [{"allow": true, "access": "rwm"}]}));
    let ran = bundle.run();
    assert!(ran.stdout == "1\nmade\ndone\n" && !ran.stderr.contains("not permitted"), "{ran:?}");
}

const TRY_ALL: &str = "cat disk; cat loop; echo x > disk";
const TRY_TO_READ: &str = "cat disk | head -c 1 > /dev/null; cat loop";

fn only_listed_devices_open() {
    assert_guarded(&devices("devices", TRY_ALL));
    let mut without_rules = devices("norules", TRY_ALL);
    without_rules.set("/linux/resources", json!({}));
    assert_guarded(&without_rules);
    assert_open(&mut devices("allrules", TRY_TO_READ));
}

fn on_v2_a_program_guards_the_devices() {
    let on_v2 = |name, more| {
        let mut bundle = devices(name, more);
        bundle.machine.cgroups.v1.remove("devices");
        bundle
    };
    let bundle = on_v2("v2devices", TRY_ALL);
    if bundle.machine.cgroups.v2.as_ref().is_none_or(|v2| !v2.writable) {
        assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "no cgroup v2 here");
        println!("skipped: no cgroup v2 mount");
        return;
    }
    assert_guarded(&bundle);
    assert_open(&mut on_v2("v2all", TRY_TO_READ));
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

fn a_group_others_live_in_is_refused() {
    let first = Bundle::shell("tenant", "echo ready; exec sleep 1000");
    let mut tenant = first.spawn();
    assert_eq!(tenant.line(), "ready");
    let mut second = Bundle::new("intruder", &["true"]);
    second.set("/linux/cgroupsPath", first.spec["linux"]["cgroupsPath"].clone());
    let failure = second.spawn().end().failed();
    assert!(failure.message.contains("is in use"), "{failure:?}");
    assert_eq!(tenant.kill().code, 137, "the tenant lived on");
}

fn processes_without_a_pid_namespace_end_with_the_container() {
    let mut bundle = Bundle::shell("orphans", "sleep 1000 > /dev/null 2>&1 & exit 5");
    bundle.set("/linux/namespaces", json!([{"type": "mount"}, {"type": "ipc"}, {"type": "network"}]));
    bundle.set("/hostname", json!(""));
    // `run` counts the processes left.
    assert_eq!(bundle.run().code, 5);
}
