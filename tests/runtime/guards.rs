//! What a container may not do.

use crate::Case;
use crate::bundle::Bundle;
use learn::runtime::guard::{capability, paths};
use oci_spec::runtime::Capabilities;
use serde_json::json;

pub const CASES: &[Case] = crate::cases![
    root_has_dockers_fourteen_capabilities_and_no_other,
    a_plain_user_has_none_in_effect,
    no_capability_at_all_is_possible,
    the_seccomp_filter_stops_what_capabilities_would_allow,
    new_privileges_are_granted_or_not_as_asked,
    masked_paths_are_empty_and_read_only_paths_cannot_be_written,
    a_read_only_root_cannot_be_written,
    a_mask_is_not_made_of_what_an_image_calls_null,
];

/// The `Cap…` lines of /proc/self/status.
fn sets(bundle: &Bundle) -> Vec<(String, u64)> {
    let said = bundle.run().said();
    said.lines()
        .map(|line| {
            let (name, mask) = line.split_once(":\t").unwrap();
            (name.to_owned(), u64::from_str_radix(mask, 16).unwrap())
        })
        .collect()
}

fn expected(permitted: u64, bound: u64) -> Vec<(String, u64)> {
    let sets =
        [("CapInh", 0), ("CapPrm", permitted), ("CapEff", permitted), ("CapBnd", bound), ("CapAmb", 0)];
    sets.map(|(name, mask)| (name.to_owned(), mask)).into()
}

fn root_has_dockers_fourteen_capabilities_and_no_other() {
    let docker = capability::mask(&capability::DEFAULT.into());
    assert_eq!(docker.count_ones(), 14);
    assert_eq!(sets(&Bundle::new("caps", &["grep", "Cap", "/proc/self/status"])), expected(docker, docker));
}

fn a_plain_user_has_none_in_effect() {
    let docker = capability::mask(&capability::DEFAULT.into());
    let mut bundle = Bundle::new("usercaps", &["grep", "Cap", "/proc/self/status"]);
    bundle.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    bundle.set("/process/capabilities", json!(capability::process_sets(&capability::DEFAULT.into(), 1000)));
    assert_eq!(sets(&bundle), expected(0, docker));
}

fn no_capability_at_all_is_possible() {
    let mut bundle = Bundle::new("nocaps", &["grep", "Cap", "/proc/self/status"]);
    let none = capability::process_sets(&Capabilities::new(), 0);
    bundle.set("/process/capabilities", json!(none));
    assert_eq!(sets(&bundle), expected(0, 0));
}

fn the_seccomp_filter_stops_what_capabilities_would_allow() {
    let line = "grep ^Seccomp: /proc/self/status; mount -t tmpfs none /mnt; unshare -U true; echo done";
    let mut bundle = Bundle::shell("seccomp", line);
    let mut all = Capabilities::from(capability::DEFAULT);
    all.insert(oci_spec::runtime::Capability::SysAdmin);
    bundle.set("/process/capabilities", json!(capability::process_sets(&all, 0)));
    let ran = bundle.run();
    assert_eq!(ran.stdout, "Seccomp:\t2\ndone\n");
    // busybox says "permission denied" for EPERM of mount(2).
    assert_eq!(ran.stderr.matches("ermitted").count() + ran.stderr.matches("denied").count(), 2, "{ran:?}");

    // With neither filter nor limit both succeed, so it was the filter.
    let mut bundle = Bundle::shell("unfiltered", "mount -t tmpfs none /mnt && unshare -U true && echo done");
    bundle.set("/process/capabilities", json!(capability::process_sets(&all, 0)));
    bundle.set("/linux/seccomp", json!(null));
    assert_eq!(bundle.run().said(), "done\n");
}

fn new_privileges_are_granted_or_not_as_asked() {
    for (asked, shown) in [(true, "NoNewPrivs:\t1\n"), (false, "NoNewPrivs:\t0\n")] {
        let mut bundle = Bundle::new(&format!("nnp-{asked}"), &["grep", "NoNewPrivs", "/proc/self/status"]);
        bundle.set("/process/noNewPrivileges", json!(asked));
        assert_eq!(bundle.run().said(), shown);
    }
}

fn masked_paths_are_empty_and_read_only_paths_cannot_be_written() {
    // A kernel need not have them all; those it has must be empty.
    let line = "for p in $MASKED; do [ -e $p ] || continue; [ -d $p ] && ls -A $p || cat $p; done; \
        for f in /proc/sys/kernel/printk /proc/sysrq-trigger /sys/kernel/x /sys/fs/cgroup/x; do \
        echo 1 > $f || true; done; umount /proc/interrupts; [ -e /proc/interrupts ] && echo done";
    let mut bundle = Bundle::shell("masked", line);
    let masked = format!("MASKED={}", paths::MASKED.join(" "));
    bundle.set("/process/env", json!(["PATH=/bin:/sbin:/usr/bin", masked]));
    let ran = bundle.run();
    assert_eq!(ran.stdout, "done\n", "{ran:?}");
    let refused = ran.stderr.lines().filter(|line| line.to_lowercase().contains("read-only file system"));
    // Not every kernel has a sysrq-trigger.
    assert!(refused.count() >= 3, "{ran:?}");
}

fn a_read_only_root_cannot_be_written() {
    let mut bundle = Bundle::shell("rorootfs", "touch /x; touch /dev/shm/y && echo shm; ls /x");
    bundle.set("/root/readonly", json!(true));
    let ran = bundle.run();
    assert_eq!(ran.stdout, "shm\n");
    assert!(ran.stderr.contains("/x: Read-only file system"), "{ran:?}");
}

fn a_mask_is_not_made_of_what_an_image_calls_null() {
    // Without a /dev of its own the container has the image's, where null is a link to a file.
    let mut bundle = Bundle::shell("fakenull", "cat /proc/kcore");
    bundle.file("tmp/bait", 0o666, b"bait\n");
    std::fs::create_dir_all(bundle.upper().join("dev")).unwrap();
    std::os::unix::fs::symlink("/tmp/bait", bundle.upper().join("dev/null")).unwrap();
    let mounts = bundle.spec["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
    let failure = bundle.run().failed();
    assert!(failure.message.contains("/dev/null"), "{failure:?}");
}
