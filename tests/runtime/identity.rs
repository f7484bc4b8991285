//! What a container sees of itself.

use crate::Case;
use crate::bundle::Bundle;
use learn::hub::alpine::TOP_DIRECTORIES;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub const CASES: &[Case] = crate::cases![
    the_root_lists_its_seventeen_names,
    the_program_is_pid_one_and_sees_no_other,
    the_host_name_is_its_own,
    every_namespace_but_the_users_is_new,
    the_user_its_group_and_more_groups,
    the_working_directory_and_the_environment,
    a_working_directory_that_is_missing_is_made,
    standard_streams_are_connected,
    the_devices_are_the_standard_ones,
    a_signal_is_128_and_its_number,
    a_namespace_by_path_is_joined,
    a_pid_namespace_by_path_is_joined,
    kernel_parameters_of_its_own_namespaces_are_set,
    the_memory_killers_preference_is_set,
    a_plain_directory_is_a_root_too,
];

fn the_root_lists_its_seventeen_names() {
    let listed = Bundle::new("ls", &["ls", "/"]).run().said();
    assert_eq!(listed.lines().collect::<Vec<_>>(), TOP_DIRECTORIES);
}

fn the_program_is_pid_one_and_sees_no_other() {
    let said = Bundle::shell("pid", "echo $$; cd /proc; echo [0-9]*").run().said();
    assert_eq!(said, "1\n1\n");
}

fn the_host_name_is_its_own() {
    assert_eq!(Bundle::new("box", &["hostname"]).run().said(), "box\n");
}

fn every_namespace_but_the_users_is_new() {
    let names = ["mnt", "pid", "net", "uts", "ipc", "user"];
    let said = Bundle::shell("ns", "for n in mnt pid net uts ipc user; do readlink /proc/self/ns/$n; done")
        .run()
        .said();
    for (name, inside) in names.iter().zip(said.lines()) {
        let outside = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert_eq!(outside.to_str() == Some(inside), *name == "user", "{name}: {inside}");
    }
    assert_eq!(said.lines().count(), names.len());
    let links = Bundle::shell("lo", "ls /sys/class/net; cat /sys/class/net/lo/flags").run().said();
    assert_eq!(links, "lo\n0x9\n", "only loopback, and it is up");
}

fn the_user_its_group_and_more_groups() {
    let mut bundle =
        Bundle::shell("user", "id -u; id -g; id -G; touch /tmp/mine; stat -c %u:%g:%a /tmp/mine");
    bundle.set("/process/user", json!({"uid": 1000, "gid": 1000, "additionalGids": [10, 20]}));
    assert_eq!(bundle.run().said(), "1000\n1000\n1000 10 20\n1000:1000:644\n");
}

fn the_working_directory_and_the_environment() {
    let mut bundle = Bundle::shell("cwd", "pwd; echo \"$GREETING|$HOME\"");
    bundle.set("/process/cwd", json!("/usr/bin"));
    bundle.set("/process/env", json!(["PATH=/bin", "GREETING=hi there"]));
    assert_eq!(bundle.run().said(), "/usr/bin\nhi there|\n");
}

fn a_working_directory_that_is_missing_is_made() {
    let mut bundle = Bundle::shell("mkcwd", "pwd; stat -c %u:%a .");
    bundle.set("/process/cwd", json!("/srv/not/there"));
    assert_eq!(bundle.run().said(), "/srv/not/there\n0:755\n");
}

fn standard_streams_are_connected() {
    let ran = Bundle::shell("streams", "echo out; echo err >&2; cat; ls /proc/self/fd").run();
    // 3 is ls's own directory.
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n0\n1\n2\n3\n", "err\n"));
}

fn the_devices_are_the_standard_ones() {
    let said =
        Bundle::shell("dev", "cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty; ls")
            .run()
            .said();
    let character = |name: &str, numbers: &str| format!("{name} character special file {numbers} 666\n");
    let nodes: String = [
        ("null", "1:3"),
        ("zero", "1:5"),
        ("full", "1:7"),
        ("random", "1:8"),
        ("urandom", "1:9"),
        ("tty", "5:0"),
    ]
    .map(|(name, numbers)| character(name, numbers))
    .concat();
    let names =
        "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n";
    assert_eq!(said, nodes + names);
}

fn a_signal_is_128_and_its_number() {
    let mut bundle = Bundle::shell("signal", "kill -TERM $$");
    // Pid 1 of a namespace is not ended by its own signals: pid_namespaces(7).
    let namespaces: Vec<_> =
        ["mount", "network", "uts", "ipc"].map(|kind| json!({"type": kind})).into_iter().collect();
    bundle.set("/linux/namespaces", json!(namespaces));
    assert_eq!(bundle.run().code, 128 + 15);

    let bundle = Bundle::shell("killed", "echo ready; exec sleep 1000");
    let mut running = bundle.spawn();
    assert_eq!(running.line(), "ready");
    assert_eq!(running.kill().code, 128 + 9);
    assert_eq!(Bundle::shell("code", "exit 42").run().code, 42);
}

fn a_namespace_by_path_is_joined() {
    // The shell speaks for hostname, so that it is alone again by then.
    let first = Bundle::shell("owner", "echo $(hostname); exec sleep 1000");
    let mut owner = first.spawn();
    assert_eq!(owner.line(), "owner");
    let pid = owner.pid();
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap().display().to_string();
    let mut expected = vec!["owner".to_owned()];
    expected.extend(["uts", "net", "ipc"].map(link));

    let mut second =
        Bundle::shell("guest", "hostname; for n in uts net ipc; do readlink /proc/self/ns/$n; done");
    let joined = |kind: &str, file: &str| json!({"type": kind, "path": format!("/proc/{pid}/ns/{file}")});
    second.set(
        "/linux/namespaces",
        json!([{"type": "mount"}, {"type": "pid"}, joined("uts", "uts"), joined("network", "net"),
               joined("ipc", "ipc")]),
    );
    let said = second.spawn().end().said();
    assert_eq!(owner.kill().code, 137);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

fn a_pid_namespace_by_path_is_joined() {
    let mut bundle = Bundle::shell("pidpath", "readlink /proc/self/ns/pid; echo $$");
    bundle.set(
        "/linux/namespaces",
        json!([{"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
               {"type": "pid", "path": "/proc/self/ns/pid"}]),
    );
    let said = bundle.run().said();
    let (link, pid) = said.split_once('\n').unwrap();
    assert_eq!(link, fs::read_link("/proc/self/ns/pid").unwrap().to_str().unwrap());
    assert_ne!(pid, "1\n");
}

fn kernel_parameters_of_its_own_namespaces_are_set() {
    let mut bundle =
        Bundle::shell("sysctl", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax");
    bundle
        .set("/linux/sysctl", json!({"net.ipv4.ip_unprivileged_port_start": "0", "kernel.msgmax": "65000"}));
    assert_eq!(bundle.run().said(), "0\n65000\n");
    assert_ne!(fs::read_to_string("/proc/sys/kernel/msgmax").unwrap(), "65000\n", "not the host's");
}

fn the_memory_killers_preference_is_set() {
    let mut bundle = Bundle::new("oomadj", &["cat", "/proc/self/oom_score_adj"]);
    bundle.set("/process/oomScoreAdj", json!(321));
    assert_eq!(bundle.run().said(), "321\n");
}

fn a_plain_directory_is_a_root_too() {
    let mut bundle = Bundle::new("plain", &["/hello"]);
    bundle.set("/annotations", json!({}));
    let root = bundle.directory().join("rootfs");
    fs::write(root.join("hello"), learn::hub::hello::PROGRAM).unwrap();
    fs::set_permissions(root.join("hello"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(bundle.run().said().contains("Hello from"));
}
