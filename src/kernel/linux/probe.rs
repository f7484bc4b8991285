//! What this machine offers: a handful of small reads, under a millisecond.

use crate::kernel::Machine;
use crate::kernel::machine::{CgroupV2, Cgroups, Cpuset};
use rustix::fs::{Access, access};
use std::collections::BTreeSet;
use std::fs;

/// Probes the running machine.
pub fn probe() -> Machine {
    let uid = rustix::process::geteuid().as_raw();
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut machine = Machine {
        uid,
        gid: rustix::process::getegid().as_raw(),
        cgroups: cgroups(uid == 0),
        overlay: false,
        kernel,
        architecture: go_architecture(std::env::consts::ARCH).to_owned(),
    };
    machine.overlay = overlay(&machine);
    machine
}

/// One line of mountinfo: proc_pid_mountinfo(5).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MountLine {
    /// Where it is mounted.
    pub(crate) point: String,
    /// File system.
    pub(crate) kind: String,
    /// Options of the file system, not of the mount.
    pub(crate) options: String,
}

/// Reads mountinfo's lines.
pub(crate) fn mounts(mountinfo: &str) -> impl Iterator<Item = MountLine> {
    mountinfo.lines().filter_map(|line| {
        // The fields before " - " vary in number, so the two halves are read apart.
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        Some(MountLine {
            point: unescape(mount.split(' ').nth(4)?),
            kind: system.next()?.to_owned(),
            options: system.nth(1)?.to_owned(),
        })
    })
}

/// Space, tab, newline and backslash are written as octal.
fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn cgroups(root: bool) -> Cgroups {
    let mountinfo = read("/proc/self/mountinfo");
    let controllers = read("/proc/cgroups");
    let known: BTreeSet<&str> = controllers
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let own = read("/proc/self/cgroup");
    let mut found = hierarchies(&mountinfo, &known, |mount| {
        // A user's groups are made below the one this process is in, if it was delegated.
        let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
        let group = if root { mount.to_owned() } else { format!("{mount}{}", own.trim_end_matches('/')) };
        let mut controllers: Vec<String> =
            read(&format!("{group}/cgroup.controllers")).split_whitespace().map(str::to_owned).collect();
        controllers.sort();
        CgroupV2 { mount: mount.to_owned(), controllers, writable: access(&group, Access::WRITE_OK).is_ok() }
    });
    found.cpuset = found.v1.get("cpuset").map(|mount| Cpuset {
        cpus: read(&format!("{mount}/cpuset.cpus")).trim().to_owned(),
        mems: read(&format!("{mount}/cpuset.mems")).trim().to_owned(),
    });
    found
}

/// Which hierarchies the mount table shows; `known` are the kernel's controllers, which tells
/// them from other options such as `name=systemd`.
fn hierarchies(mountinfo: &str, known: &BTreeSet<&str>, unified: impl Fn(&str) -> CgroupV2) -> Cgroups {
    let mut found = Cgroups::default();
    for mount in mounts(mountinfo) {
        match mount.kind.as_str() {
            "cgroup" => {
                for controller in mount.options.split(',').filter(|option| known.contains(option)) {
                    found.v1.entry(controller.to_owned()).or_insert_with(|| mount.point.clone());
                }
            }
            "cgroup2" if found.v2.is_none() => found.v2 = Some(unified(&mount.point)),
            _ => {}
        }
    }
    found
}

/// Whether overlay can be expected to mount; only `learn doctor` really mounts one.
fn overlay(machine: &Machine) -> bool {
    let registered =
        read("/proc/filesystems").lines().any(|line| line.split_whitespace().last() == Some("overlay"));
    // For root the kernel loads the module when it is first mounted.
    let loadable = || {
        !machine.unprivileged()
            && read(&format!("/lib/modules/{}/modules.dep", machine.kernel)).contains("/overlay.ko")
    };
    // Mounting in a user namespace came with Linux 5.11.
    (registered || loadable()) && (!machine.unprivileged() || machine.kernel_version() >= (5, 11))
}

/// Go's name for an architecture, as images use it.
pub(crate) fn go_architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// A file's text; one that cannot be read says nothing.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
32 31 0:29 / /sys/fs/cgroup/cpu\\040acct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
35 31 0:32 / / rw - ext4 /dev/vda rw";

    #[test]
    fn hierarchies_are_read_from_the_mount_table() {
        let known = BTreeSet::from(["cpu", "cpuacct", "memory"]);
        let unified =
            |mount: &str| CgroupV2 { mount: mount.into(), controllers: Vec::new(), writable: false };
        let found = hierarchies(HYBRID, &known, unified);
        assert_eq!(found.mode(), "hybrid");
        assert_eq!(found.v1.keys().collect::<Vec<_>>(), ["cpu", "cpuacct"]);
        assert_eq!(found.v1["cpu"], "/sys/fs/cgroup/cpu acct");
        assert_eq!(found.v2.unwrap().mount, "/sys/fs/cgroup/unified");
        assert_eq!(hierarchies("", &known, unified).mode(), "none");
    }
}
