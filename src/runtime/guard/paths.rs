//! The container's view of the kernel's file systems and devices, as Docker sets it up.
//!
//! Sources: moby's `daemon/pkg/oci/defaults.go` (mounts, paths, device rules), runc's
//! `libcontainer/specconv/spec_linux.go` (devices and rules a runtime adds to any Spec),
//! runtime-spec `config-linux.md` and `runtime-linux.md`.

use oci_spec::runtime::{LinuxDevice, LinuxDeviceCgroup, LinuxDeviceType, Mount};

/// Paths that read as empty in a container: they tell about the host, or reach its hardware.
/// `/proc/interrupts` and `powercap` are side channels (moby advisories GHSA-6fw5-f8r9-fgfm and
/// GHSA-jq35-85cj-fj4p). A kernel need not have them all; one that is absent needs no mask.
pub const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Paths that can be read but not written: to write there is to configure the host's kernel.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// One more path to mask for each processor that has it (GHSA-6fw5-f8r9-fgfm); which do is the
/// host's to say.
pub fn thermal_throttle(cpu: u32) -> String {
    format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle")
}

/// Size of `/dev/shm` when the container does not ask for another, in bytes: 64 MiB.
pub const SHM_SIZE: u64 = 64 << 20;

/// Mount point, type, source, options; the order is the order of mounting, parents first.
const MOUNTS: [(&str, &str, &str, &[&str]); 7] = [
    ("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
    (
        "/dev/pts",
        "devpts",
        "devpts",
        &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    ),
    ("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    ("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
    ("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777"]),
];

/// The file systems every container starts with. `shm_size` is in bytes; a privileged container may
/// write to `/sys` and `/sys/fs/cgroup`.
pub fn mounts(shm_size: u64, privileged: bool) -> Vec<Mount> {
    let mount = |&(destination, kind, source, options): &(&str, &str, &str, &[&str])| {
        let kept = options.iter().filter(|option| !(privileged && **option == "ro"));
        let mut options: Vec<String> = kept.map(|option| option.to_string()).collect();
        if destination == "/dev/shm" {
            options.push(format!("size={shm_size}"));
        }
        let mut mount = Mount::default();
        mount
            .set_destination(destination.into())
            .set_typ(Some(kind.to_owned()))
            .set_source(Some(source.into()))
            .set_options(Some(options));
        mount
    };
    MOUNTS.iter().map(mount).collect()
}

/// Path, major, minor. Everyone may read and write them (mode 0666), root owns them.
const DEVICES: [(&str, i64, i64); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

/// Symbolic links in `/dev`, as (target, path), that a runtime makes unless something is there
/// already.
pub const DEVICE_LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];

/// The device files a runtime makes in every container.
pub fn devices() -> Vec<LinuxDevice> {
    let device = |&(path, major, minor): &(&str, i64, i64)| {
        let mut device = LinuxDevice::default();
        device
            .set_path(path.into())
            .set_typ(LinuxDeviceType::C)
            .set_major(major)
            .set_minor(minor)
            .set_file_mode(Some(0o666))
            .set_uid(Some(0))
            .set_gid(Some(0));
        device
    };
    DEVICES.iter().map(device).collect()
}

/// What Docker writes into the Spec of a container that is not privileged: nothing but zero, null,
/// urandom, random, tty and console, and expressly not fuse. The order counts: a later rule
/// overrides an earlier one.
pub fn device_rules() -> Vec<LinuxDeviceCgroup> {
    let standard = [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)];
    let allowed = standard.map(|(major, minor)| character(true, Some(major), Some(minor), "rwm"));
    let mut rules = vec![everything(false)];
    rules.extend(allowed);
    rules.push(character(false, Some(10), Some(229), "rwm"));
    rules
}

/// What Docker writes into the Spec of a privileged container: every device.
pub fn privileged_device_rules() -> Vec<LinuxDeviceCgroup> {
    vec![everything(true)]
}

/// What a runtime appends to the rules of any Spec, as runc does: a device file may be made for any
/// device (opening it is another matter), the standard devices work, and so do terminals
/// (`/dev/pts/*`, `/dev/ptmx`) and `/dev/net/tun`.
pub fn runtime_device_rules() -> Vec<LinuxDeviceCgroup> {
    let mut any_block = character(true, None, None, "m");
    any_block.set_typ(Some(LinuxDeviceType::B));
    let mut rules = vec![character(true, None, None, "m"), any_block];
    rules.extend(devices().iter().map(LinuxDeviceCgroup::from));
    rules.push(character(true, Some(136), None, "rwm"));
    rules.push(character(true, Some(5), Some(2), "rwm"));
    rules.push(character(true, Some(10), Some(200), "rwm"));
    rules
}

fn everything(allow: bool) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow).set_access(Some("rwm".to_owned()));
    rule
}

/// A rule for character devices; `None` stands for every number.
fn character(allow: bool, major: Option<i64>, minor: Option<i64>, access: &str) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow)
        .set_typ(Some(LinuxDeviceType::C))
        .set_major(major)
        .set_minor(minor)
        .set_access(Some(access.to_owned()));
    rule
}
