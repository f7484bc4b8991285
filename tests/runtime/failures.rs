//! Starts that fail: the words, the code, and that nothing is left.

use crate::Case;
use crate::bundle::Bundle;
use learn::error::Kind;
use serde_json::json;
use std::fs;

pub const CASES: &[Case] = crate::cases![
    a_program_that_is_nowhere_is_127,
    a_program_that_cannot_be_run_is_126,
    a_failed_mount_takes_everything_back,
    a_bundle_that_is_not_one_says_where,
    what_the_runtime_does_not_do_is_refused_by_name,
    a_kernel_parameter_of_the_hosts_is_refused,
];

#[track_caller]
fn assert_fails(name: &str, program: &str, message: &str, code: i32) {
    let mut bundle = Bundle::new(name, &[program]);
    bundle.file("opt/text", 0o644, b"words\n");
    bundle.file("opt/empty", 0o755, b"");
    bundle.file("opt/garbage", 0o755, b"\x01\x02\x03\x04 no program at all");
    bundle.file("opt/orphan", 0o755, b"#!/no/such/interpreter\n");
    let failure = bundle.run().failed();
    assert_eq!((failure.message.as_str(), failure.exit_code), (message, code), "{failure:?}");
}

fn a_program_that_is_nowhere_is_127() {
    assert_fails("nope", "nope", "exec: \"nope\": executable file not found in $PATH", 127);
    assert_fails("slash", "/no/pe", "exec: \"/no/pe\": stat /no/pe: no such file or directory", 127);
    assert_fails("orphan", "/opt/orphan", "exec /opt/orphan: no such file or directory", 127);
}

fn a_program_that_cannot_be_run_is_126() {
    assert_fails("text", "/opt/text", "exec: \"/opt/text\": permission denied", 126);
    assert_fails("directory", "/etc", "exec: \"/etc\": permission denied", 126);
    assert_fails("garbage", "/opt/garbage", "exec /opt/garbage: exec format error", 126);
    assert_fails("empty", "/opt/empty", "exec /opt/empty: exec format error", 126);
}

fn a_failed_mount_takes_everything_back() {
    let mut bundle = Bundle::new("badmount", &["true"]);
    let mounts = bundle.spec["mounts"].as_array_mut().unwrap();
    mounts.push(
        json!({"destination": "/data", "type": "bind", "source": "/no/such/place", "options": ["bind"]}),
    );
    let failure = bundle.run().failed();
    assert!(
        failure.message.contains("/no/such/place") && failure.message.contains("no such file"),
        "{failure:?}"
    );
    assert_eq!(failure.exit_code, 128);
}

fn a_bundle_that_is_not_one_says_where() {
    let bundle = Bundle::new("notabundle", &["true"]);
    let mut command = bundle.command();
    fs::write(bundle.directory().join("config.json"), "{\n  \"ociVersion\": 5\n}").unwrap();
    let failure = Bundle::read(command.output().unwrap()).failed();
    assert!(failure.message.contains("config.json:2:"), "{failure:?}");
    assert_eq!(failure.kind, Kind::Invalid);
}

fn what_the_runtime_does_not_do_is_refused_by_name() {
    let table = [
        ("/hooks", json!({"prestart": [{"path": "/bin/true"}]}), "hooks"),
        ("/process/apparmorProfile", json!("some"), "process.apparmorProfile"),
        ("/process/selinuxLabel", json!("some"), "process.selinuxLabel"),
        ("/linux/mountLabel", json!("some"), "linux.mountLabel"),
        ("/linux/intelRdt", json!({"closID": "x"}), "linux.intelRdt"),
        ("/linux/personality", json!({"domain": "LINUX32"}), "linux.personality"),
        ("/linux/timeOffsets", json!({"boottime": {"secs": 1}}), "linux.timeOffsets"),
        ("/linux/namespaces", json!([{"type": "mount"}, {"type": "time"}]), "linux.namespaces"),
        ("/linux/namespaces", json!([{"type": "mount", "path": "/proc/self/ns/mnt"}]), "linux.namespaces"),
        ("/linux/namespaces", json!([{"type": "pid"}]), "linux.namespaces"),
        ("/linux/namespaces", json!([{"type": "mount"}, {"type": "user"}]), "linux.namespaces"),
        ("/linux/cgroupsPath", json!("/learn/../../x"), "linux.cgroupsPath"),
        ("/linux/rootfsPropagation", json!("shared"), "linux.rootfsPropagation"),
        ("/process/user/umask", json!(63), "process.user.umask"),
        ("/domainname", json!("example"), "domainname"),
    ];
    for (pointer, value, name) in table {
        let mut bundle = Bundle::new("refused", &["true"]);
        bundle.set(pointer, value);
        let failure = bundle.run().failed();
        assert!(failure.message.starts_with(&format!("config.json: {name}")), "{failure:?}");
        assert_eq!(failure.kind, Kind::Invalid);
    }
}

fn a_kernel_parameter_of_the_hosts_is_refused() {
    for parameter in ["kernel.core_pattern", "vm.swappiness", "kernel.msgmax/../core_pattern"] {
        let mut bundle = Bundle::new("hostsysctl", &["true"]);
        bundle.set("/linux/sysctl", json!({ parameter: "65536" }));
        let failure = bundle.run().failed();
        assert!(failure.message.starts_with("config.json: linux.sysctl"), "{failure:?}");
    }
    let mut bundle = Bundle::new("hostnet", &["true"]);
    bundle.set("/linux/sysctl", json!({"net.ipv4.ip_forward": "1"}));
    bundle.set("/linux/namespaces", json!([{"type": "mount"}, {"type": "pid"}]));
    let failure = bundle.run().failed();
    assert!(failure.message.contains("net.ipv4.ip_forward"), "{failure:?}");
}
