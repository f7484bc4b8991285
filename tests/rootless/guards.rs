//! What a container of an ordinary user sees, and what it may not.

use crate::{place, shell};

#[test]
fn the_kernels_file_systems_are_there_and_covered() {
    let Some(place) = place() else { return };
    let line = "set -e; test -c /dev/null; echo x > /dev/null; head -c 2 /dev/zero | wc -c; \
        ls -A /sys/firmware; wc -c < /proc/interrupts; ls /sys/class/net; \
        test -d /proc/$$/ns; echo $$; ls -A /sys/fs/cgroup; echo end";
    assert_eq!(shell(&place, line).ok(), "2\n0\nlo\n1\nend\n");
    let said = shell(&place, "echo 1 > /proc/sys/kernel/printk").failed(1);
    assert!(said.contains("ead-only file system"), "{said}");
    let said = shell(&place, "mknod /tmp/disk b 8 0").failed(1);
    assert!(said.contains("ermission denied") || said.contains("not permitted"), "{said}");
}

#[test]
fn the_capabilities_and_the_filter_are_dockers() {
    let Some(place) = place() else { return };
    let line = "grep -E '^(CapEff|CapBnd|Seccomp):' /proc/self/status | tr -s '\\t ' ' '";
    assert_eq!(shell(&place, line).ok(), "CapEff: 00000000a80425fb\nCapBnd: 00000000a80425fb\nSeccomp: 2\n");
}

#[test]
fn the_hosts_network_can_be_shared_but_its_groups_are_not_seen() {
    let Some(place) = place() else { return };
    let words = ["run", "--rm", "--hub", "builtin", "--network", "host", "alpine", "sh", "-c"];
    let line = "ls /sys/class/net | wc -l; ls /sys/fs/cgroup | wc -l; touch /sys/x 2>/dev/null || echo ro";
    let said = place.learn(&[&words[..], &[line]].concat()).ok();
    let said: Vec<&str> = said.lines().collect();
    let interfaces = std::fs::read_dir("/sys/class/net").expect("interfaces").count();
    assert_eq!((said[0], said[2]), (&*interfaces.to_string(), "ro"), "{said:?}");
    if !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        assert_eq!(said[1], "0", "groups of the host");
    }
}

#[test]
fn limits_are_not_promised() {
    let Some(place) = place() else { return };
    let info = place.learn(&["info", "--explain=kernel"]);
    assert_eq!(info.code, Some(0), "{info:?}");
    // Through the API, as the stock client asks.
    place.learn(&["pull", "-q", "--hub", "builtin", "alpine"]).ok();
    let body = r#"{"Image":"alpine","Cmd":["true"],"HostConfig":{"Memory":67108864}}"#;
    let (status, said) = crate::socket::post(&place, "/v1.47/containers/create", body);
    assert_eq!(status, 403, "{said}");
    let expected = format!(
        "cannot set --memory: control groups are not delegated to user {}, who runs this daemon",
        place.uid()
    );
    assert!(said.contains(&expected), "{said}");
}
