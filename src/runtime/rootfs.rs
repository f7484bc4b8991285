//! The container's file tree, as an ordered list of operations: a pure function of the Spec.

use super::OVERLAY_ANNOTATION;
use super::guard::paths;
use crate::kernel::Machine;
use crate::op::{FsOp, MountOp, Op};
use oci_spec::runtime::{Mount, Spec};
use std::path::Path;

/// The absolute root of a bundle.
pub fn root_path(spec: &Spec, bundle: &str) -> String {
    let path = spec.root().as_ref().map(|root| root.path().as_path()).unwrap_or(Path::new("rootfs"));
    if path.is_absolute() { path.display().to_string() } else { format!("{bundle}/{}", path.display()) }
}

/// Makes this mount namespace private and the root a mount point: the overlay where the bundle
/// says so, else a bind of the directory to itself (pivot_root(2) wants a mount point).
pub fn mount_root(spec: &Spec, root: &str) -> Vec<Op> {
    let overlay = spec.annotations().as_ref().and_then(|annotations| annotations.get(OVERLAY_ANNOTATION));
    let mount = match overlay {
        Some(options) => mount("overlay", root, "overlay", &[], options),
        None => mount(root, root, "", &["rbind"], ""),
    };
    vec![MountOp::SetPropagation { target: "/".into(), mode: "rprivate".into() }.into(), mount]
}

/// One mount of the Spec: its mount point is made, then it is mounted.
#[derive(Clone, Debug)]
pub struct Furnishing {
    /// Directory or file the mount covers.
    pub point: Op,
    /// The mount.
    pub mount: Op,
    /// A propagation of its own, when the options ask for one.
    pub propagation: Option<Op>,
    /// Where the kernel does not let this user mount it: a path of the host's, and its bind.
    pub instead: Option<(&'static str, Op)>,
}

/// The Spec's mounts below `root`. `is_directory` tells what a bind's source is.
pub fn furnishings(
    spec: &Spec,
    root: &str,
    machine: &Machine,
    is_directory: impl Fn(&str) -> bool,
) -> Vec<Furnishing> {
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let mut furnishings = Vec::new();
    for mount in mounts {
        if mount.typ().as_deref() == Some("cgroup") {
            furnishings.extend(cgroups(spec, mount, root, machine));
        } else {
            furnishings.push(furnishing(mount, root, machine, &is_directory));
        }
    }
    furnishings
}

/// What "mount the cgroup file system" means here: cgroup2 where there is only that, seen from the
/// container's own cgroup namespace; on v1 a tmpfs with the container's group of each hierarchy
/// bound into it, read-only; nothing where there are no groups to show.
fn cgroups(spec: &Spec, entry: &Mount, root: &str, machine: &Machine) -> Vec<Furnishing> {
    let target = format!("{root}{}", entry.destination().display());
    let (flags, _, _) = sort_options(entry.options().as_deref().unwrap_or_default());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let directory = |path: &str| FsOp::CreateDirectory { path: path.to_owned(), mode: 0o755 }.into();
    let furnishing =
        |path: &str, mount| Furnishing { point: directory(path), mount, propagation: None, instead: None };
    if machine.cgroups.mode() == "none" {
        return Vec::new();
    }
    // Without privilege /sys may be the host's, whose groups are not to be seen; and what is mounted
    // at a place already cannot be mounted on it again.
    let covered = |rest: Vec<Furnishing>| {
        let flags = ["ro", "nosuid", "nodev", "noexec"];
        let cover = furnishing(&target, mount("tmpfs", &target, "tmpfs", &flags, "size=0k,mode=755"));
        if machine.unprivileged() { [vec![cover], rest].concat() } else { rest }
    };
    if machine.cgroups.mode() == "v2" {
        let instead = bound_instead("cgroup2", &target, &flags, machine);
        let mount = mount("cgroup", &target, "cgroup2", &flags, "");
        return covered(vec![Furnishing { instead, ..furnishing(&target, mount) }]);
    }
    if machine.unprivileged() {
        return covered(Vec::new());
    }
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().as_ref());
    let path = path.map(|path| path.display().to_string()).unwrap_or_default();
    let mut hierarchies: Vec<&String> = machine.cgroups.v1.values().collect();
    hierarchies.sort_unstable();
    hierarchies.dedup();
    let tmpfs = mount("tmpfs", &target, "tmpfs", &["nosuid", "nodev", "noexec"], "mode=755");
    let mut furnishings = vec![furnishing(&target, tmpfs)];
    for hierarchy in hierarchies {
        let name = hierarchy.rsplit('/').next().unwrap_or_default();
        let (source, place) = (format!("{hierarchy}/{}", path.trim_matches('/')), format!("{target}/{name}"));
        let flags: Vec<&str> = flags.iter().copied().chain(["bind"]).collect();
        furnishings.push(furnishing(&place, mount(&source, &place, "", &flags, "")));
    }
    if flags.contains(&"ro") {
        let remount = ["remount", "bind", "ro", "nosuid", "nodev", "noexec"];
        furnishings.push(furnishing(&target, mount("", &target, "", &remount, "")));
    }
    furnishings
}

/// Kernel file systems and where the host has them.
const OF_HOST: [(&str, &str); 4] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("mqueue", "/dev/mqueue"), ("cgroup2", "/sys/fs/cgroup")];

/// The host's own mount of a kernel file system, bound. A user may mount one only where nothing
/// covers parts of the host's (mount_namespaces(7), "Restrictions on mount namespaces"), and only
/// for namespaces of their own; inside another container, or with the host's pids, a bind is all
/// there is.
fn bound_instead(
    fstype: &str,
    target: &str,
    flags: &[&str],
    machine: &Machine,
) -> Option<(&'static str, Op)> {
    let (_, source) = OF_HOST.iter().find(|(name, _)| *name == fstype && machine.unprivileged())?;
    let flags: Vec<&str> = ["rbind"].into_iter().chain(flags.iter().copied()).collect();
    Some((source, mount(source, target, "", &flags, "")))
}

fn furnishing(
    entry: &Mount,
    root: &str,
    machine: &Machine,
    is_directory: &impl Fn(&str) -> bool,
) -> Furnishing {
    let target = format!("{root}{}", entry.destination().display());
    let source = entry.source().as_ref().map(|source| source.display().to_string()).unwrap_or_default();
    let (flags, data, propagation) = sort_options(entry.options().as_deref().unwrap_or_default());
    let bind = flags.iter().any(|flag| flag == "bind" || flag == "rbind");
    let point = if bind && !is_directory(&source) {
        FsOp::CreateFile { path: target.clone(), mode: 0o644 }
    } else {
        FsOp::CreateDirectory { path: target.clone(), mode: 0o755 }
    };
    let fstype = match entry.typ().as_deref() {
        Some("bind" | "none") | None => "",
        Some(_) if bind => "",
        Some(fstype) => fstype,
    };
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Furnishing {
        point: point.into(),
        mount: mount(&source, &target, fstype, &flags, &data),
        instead: bound_instead(fstype, &target, &flags, machine),
        propagation: propagation.map(|mode| MountOp::SetPropagation { target, mode }.into()),
    }
}

/// Splits mount options into kernel flags, the file system's own data, and a propagation.
fn sort_options(options: &[String]) -> (Vec<String>, String, Option<String>) {
    const FLAGS: [&str; 12] = [
        "ro",
        "rw",
        "nosuid",
        "nodev",
        "noexec",
        "noatime",
        "relatime",
        "strictatime",
        "bind",
        "rbind",
        "remount",
        "suid",
    ];
    const PROPAGATION: [&str; 8] =
        ["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"];
    let mut flags = Vec::new();
    let mut data = Vec::new();
    let mut propagation = None;
    for option in options {
        match option.as_str() {
            "rw" | "suid" => {}
            flag if FLAGS.contains(&flag) => flags.push(flag.to_owned()),
            mode if PROPAGATION.contains(&mode) => propagation = Some(mode.to_owned()),
            other => data.push(other),
        }
    }
    (flags, data.join(","), propagation)
}

/// The Spec's device nodes and those every runtime must supply (OCI runtime specification,
/// "Default Devices"), or binds of the host's where mknod(2) is not permitted.
pub fn devices(spec: &Spec, root: &str, may_mknod: bool) -> Vec<Op> {
    let listed = spec.linux().as_ref().and_then(|linux| linux.devices().as_deref()).unwrap_or_default();
    let missing =
        paths::devices().into_iter().filter(|device| listed.iter().all(|one| one.path() != device.path()));
    listed
        .iter()
        .cloned()
        .chain(missing)
        .flat_map(|device| {
            let place = device.path().display().to_string();
            let path = format!("{root}{place}");
            if may_mknod {
                let (major, minor) = (device.major() as u32, device.minor() as u32);
                let mode = device.file_mode().unwrap_or(0o666);
                vec![FsOp::MakeNode { path, major, minor, mode }.into()]
            } else {
                let bind = mount(&place, &path, "", &["bind"], "");
                vec![FsOp::CreateFile { path, mode: 0o644 }.into(), bind]
            }
        })
        .collect()
}

/// The links every /dev has: proc(5), pts(4).
pub fn device_links(root: &str) -> Vec<Op> {
    [
        ("/proc/self/fd", "fd"),
        ("/proc/self/fd/0", "stdin"),
        ("/proc/self/fd/1", "stdout"),
        ("/proc/self/fd/2", "stderr"),
        ("/proc/kcore", "core"),
        ("pts/ptmx", "ptmx"),
    ]
    .map(|(target, name)| FsOp::Symlink { target: target.into(), path: format!("{root}/dev/{name}") }.into())
    .into()
}

/// Makes the working directory, as runc does, where the image has none.
pub fn working_directory(spec: &Spec, root: &str, exists: impl Fn(&str) -> bool) -> Option<Op> {
    let path = format!("{root}{}", spec.process().as_ref()?.cwd().display());
    (!exists(&path)).then(|| FsOp::CreateDirectory { path, mode: 0o755 }.into())
}

/// The new root in, the old one out.
pub fn pivot(root: &str) -> Vec<Op> {
    vec![
        MountOp::PivotRoot { new_root: root.to_owned(), put_old: ".".into() }.into(),
        MountOp::Unmount { target: ".".into(), detach: true }.into(),
        crate::op::ProcessOp::ChangeDirectory { path: "/".into() }.into(),
    ]
}

/// Kernel paths to hide and to make read-only, those `exists` says are there.
pub fn protections(spec: &Spec, exists: impl Fn(&str) -> bool) -> Vec<Op> {
    let Some(linux) = spec.linux() else { return Vec::new() };
    let masked = linux.masked_paths().as_deref().unwrap_or_default();
    let readonly = linux.readonly_paths().as_deref().unwrap_or_default();
    let mask =
        masked.iter().filter(|path| exists(path)).map(|path| MountOp::Mask { path: path.clone() }.into());
    let seal = readonly
        .iter()
        .filter(|path| exists(path))
        .map(|path| MountOp::MakeReadonly { path: path.clone() }.into());
    let mut ops: Vec<Op> = mask.chain(seal).collect();
    if spec.root().as_ref().and_then(|root| root.readonly()) == Some(true) {
        ops.push(mount("", "/", "", &["remount", "bind", "ro"], ""));
    }
    ops
}

fn mount(source: &str, target: &str, fstype: &str, flags: &[&str], data: &str) -> Op {
    MountOp::Mount {
        source: source.to_owned(),
        target: target.to_owned(),
        fstype: fstype.to_owned(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        data: data.to_owned(),
    }
    .into()
}
