//! Mounts, masks and devices of a container.

use learn::runtime::guard::paths::{
    DEVICE_LINKS, MASKED, READ_ONLY, SHM_SIZE, device_rules, devices, mounts, privileged_device_rules,
    runtime_device_rules, thermal_throttle,
};
use oci_spec::runtime::{LinuxDeviceCgroup, Mount};

fn at<'a>(mounts: &'a [Mount], path: &str) -> &'a Mount {
    mounts.iter().find(|mount| mount.destination().to_str() == Some(path)).unwrap()
}

fn options(mount: &Mount) -> Vec<&str> {
    mount.options().iter().flatten().map(String::as_str).collect()
}

#[test]
fn parents_are_mounted_before_what_lies_in_them() {
    let mounts = mounts(SHM_SIZE, false);
    for (at, mount) in mounts.iter().enumerate() {
        let later = &mounts[at + 1..];
        assert!(later.iter().all(|other| !mount.destination().starts_with(other.destination())));
    }
    assert_eq!(mounts.len(), 7);
}

#[test]
fn the_kernels_trees_are_read_only_unless_privileged() {
    for path in ["/sys", "/sys/fs/cgroup"] {
        assert!(options(at(&mounts(SHM_SIZE, false), path)).contains(&"ro"), "{path}");
        assert!(!options(at(&mounts(SHM_SIZE, true), path)).contains(&"ro"), "{path}");
    }
}

#[test]
fn dev_is_small_and_its_terminals_are_the_containers_own() {
    let mounts = mounts(1 << 30, false);
    assert_eq!(options(at(&mounts, "/dev")), ["nosuid", "strictatime", "mode=755", "size=65536k"]);
    let terminals = options(at(&mounts, "/dev/pts"));
    assert!(["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"].iter().all(|o| terminals.contains(o)));
    assert!(options(at(&mounts, "/dev/shm")).contains(&"size=1073741824"));
}

#[test]
fn shared_memory_is_64_mebibytes_by_default() {
    assert!(options(at(&mounts(SHM_SIZE, false), "/dev/shm")).contains(&"size=67108864"));
}

#[test]
fn masks_and_read_only_paths_are_absolute_and_apart() {
    assert!(MASKED.iter().chain(&READ_ONLY).all(|path| path.starts_with('/')));
    assert!(READ_ONLY.iter().all(|path| !MASKED.contains(path)));
    assert!(MASKED.contains(&"/proc/kcore") && READ_ONLY.contains(&"/proc/sys"));
    assert_eq!(thermal_throttle(3), "/sys/devices/system/cpu/cpu3/thermal_throttle");
}

/// What a list of rules says about one character device: the last rule that matches decides.
fn allowed(rules: &[LinuxDeviceCgroup], major: i64, minor: i64, access: char) -> bool {
    let matches = |rule: &&LinuxDeviceCgroup| {
        rule.typ().is_none_or(|kind| ["a", "c"].contains(&kind.as_str()))
            && rule.major().is_none_or(|number| number == major)
            && rule.minor().is_none_or(|number| number == minor)
            && rule.access().as_ref().is_some_and(|letters| letters.contains(access))
    };
    rules.iter().rev().find(matches).is_some_and(LinuxDeviceCgroup::allow)
}

#[test]
fn standard_devices_and_terminals_open_and_nothing_else_does() {
    let rules = [device_rules(), runtime_device_rules()].concat();
    for device in devices() {
        assert!(allowed(&rules, device.major(), device.minor(), 'w'), "{}", device.path().display());
    }
    let (console, ptmx, pts_7, tun) = ((5, 1), (5, 2), (136, 7), (10, 200));
    for (major, minor) in [console, ptmx, pts_7, tun] {
        assert!(allowed(&rules, major, minor, 'r'), "{major}:{minor}");
    }
    let (mem, kmsg, fuse, kvm) = ((1, 1), (1, 11), (10, 229), (10, 232));
    for (major, minor) in [mem, kmsg, fuse, kvm] {
        assert!(!allowed(&rules, major, minor, 'r'), "{major}:{minor}");
        assert!(allowed(&rules, major, minor, 'm'), "mknod {major}:{minor} is harmless");
    }
    assert!(allowed(&privileged_device_rules(), 1, 1, 'w'));
}

#[test]
fn device_files_are_everyones_and_roots() {
    let paths: Vec<_> = devices().iter().map(|device| device.path().display().to_string()).collect();
    assert_eq!(paths, ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]);
    for device in devices() {
        assert_eq!((device.file_mode(), device.uid(), device.gid()), (Some(0o666), Some(0), Some(0)));
    }
    assert!(DEVICE_LINKS.contains(&("pts/ptmx", "/dev/ptmx")));
}
