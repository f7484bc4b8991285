//! What a Spec may say that this runtime does not do. It is refused by name before anything is
//! done: a setting that is silently left out is a container less safe, or less useful, than asked.
//! Source of the names: OCI runtime specification, config.md and config-linux.md.

use super::error::Error;
use crate::kernel::Machine;
use oci_spec::runtime::{
    Hooks, Linux, LinuxIdMapping, LinuxNamespace, LinuxNamespaceType, Mount, Process, Spec,
};
use std::path::Component;

/// The mask of every program here; another one is refused.
const UMASK: u32 = 0o022;

/// Checks all of `spec`.
///
/// # Errors
/// The first field this runtime does not do, or does not do on this machine.
pub fn check(spec: &Spec, linux: &Linux, machine: &Machine) -> Result<(), Error> {
    let hooks = spec.hooks().as_ref().is_some_and(|hooks| *hooks != Hooks::default());
    refuse(hooks, "hooks", "this runtime calls none")?;
    let domain = spec.domainname().as_deref().is_some_and(|name| !name.is_empty());
    refuse(domain, "domainname", "this runtime sets none")?;
    process(spec.process().as_ref().ok_or(Error::Incomplete("process is missing"))?)?;
    spec.mounts().iter().flatten().try_for_each(mount)?;
    self::linux(linux)?;
    namespaces(linux)?;
    identity(linux, machine)
}

fn refuse(asked: bool, field: &str, reason: &str) -> Result<(), Error> {
    if asked { Err(Error::Unsupported(format!("{field}: {reason}"))) } else { Ok(()) }
}

fn filled(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| !text.is_empty())
}

/// Checks a process, the first of a container or a further one.
///
/// # Errors
/// As [`check`].
pub fn process(process: &Process) -> Result<(), Error> {
    if process.args().as_deref().unwrap_or_default().is_empty() {
        return Err(Error::Incomplete("process.args is empty"));
    }
    let none = "this runtime sets none";
    refuse(filled(process.apparmor_profile()), "process.apparmorProfile", none)?;
    refuse(filled(process.selinux_label()), "process.selinuxLabel", none)?;
    refuse(process.io_priority().is_some(), "process.ioPriority", none)?;
    refuse(process.scheduler().is_some(), "process.scheduler", none)?;
    refuse(process.exec_cpu_affinity().is_some(), "process.execCPUAffinity", none)?;
    let umask = process.user().umask().is_some_and(|umask| umask != UMASK);
    refuse(umask, "process.user.umask", "only 18 (octal 022) is known")?;
    let relative = !process.cwd().is_absolute();
    refuse(relative, "process.cwd", "it must be absolute")
}

fn mount(mount: &Mount) -> Result<(), Error> {
    let mapped = mount.uid_mappings().is_some() || mount.gid_mappings().is_some();
    refuse(mapped, "mounts", "this runtime maps no ids of a mount")?;
    refuse(!mount.destination().is_absolute(), "mounts", "a destination must be absolute")
}

fn linux(linux: &Linux) -> Result<(), Error> {
    let none = "this runtime sets none";
    refuse(filled(linux.mount_label()), "linux.mountLabel", none)?;
    refuse(linux.intel_rdt().is_some(), "linux.intelRdt", none)?;
    refuse(linux.memory_policy().is_some(), "linux.memoryPolicy", none)?;
    refuse(linux.personality().is_some(), "linux.personality", none)?;
    let offsets = linux.time_offsets().as_ref().is_some_and(|offsets| !offsets.is_empty());
    refuse(offsets, "linux.timeOffsets", none)?;
    let moved = linux.net_devices().as_ref().is_some_and(|devices| !devices.is_empty());
    refuse(moved, "linux.netDevices", "this runtime moves none")?;
    let propagation = linux.rootfs_propagation().as_deref().unwrap_or("rprivate");
    let shared = !["", "private", "rprivate"].contains(&propagation);
    refuse(shared, "linux.rootfsPropagation", "only rprivate is known")?;
    let character = |kind| {
        use oci_spec::runtime::LinuxDeviceType::{C, U};
        matches!(kind, C | U)
    };
    let upwards =
        linux.cgroups_path().iter().any(|path| path.components().any(|part| part == Component::ParentDir));
    refuse(upwards, "linux.cgroupsPath", "it leads upwards")?;
    let other = linux.devices().iter().flatten().any(|device| !character(device.typ()));
    refuse(other, "linux.devices", "only character devices are known")
}

/// Without a mount namespace of its own, a container's root would become the host's.
fn namespaces(linux: &Linux) -> Result<(), Error> {
    use LinuxNamespaceType::{Mount, Time, User};
    let listed = linux.namespaces().as_deref().unwrap_or_default();
    let with_path = |kind| listed.iter().any(|one| one.typ() == kind && one.path().is_some());
    let field = "linux.namespaces";
    refuse(listed.iter().all(|one| one.typ() != Mount), field, "a mount namespace is needed")?;
    refuse(with_path(Mount), field, "a mount namespace must be new")?;
    refuse(with_path(User), field, "a user namespace must be new")?;
    refuse(listed.iter().any(|one| one.typ() == Time), field, "there is no time namespace here")
}

/// A user namespace is what lets a user without privilege make the others; it maps that user.
fn identity(linux: &Linux, machine: &Machine) -> Result<(), Error> {
    let is_user = |one: &LinuxNamespace| one.typ() == LinuxNamespaceType::User;
    let asked = linux.namespaces().iter().flatten().any(is_user);
    let field = "linux.namespaces";
    refuse(asked && !machine.unprivileged(), field, "a user namespace is only for users without privilege")?;
    refuse(!asked && machine.unprivileged(), field, "without privilege a user namespace is needed")?;
    let own = |mappings: &Option<Vec<LinuxIdMapping>>, id: u32| {
        mappings.as_deref().is_none_or(|mappings| match mappings {
            [] => true,
            [one] => (one.container_id(), one.host_id(), one.size()) == (0, id, 1),
            _ => false,
        })
    };
    let others = "only the caller's own id can be mapped, to 0";
    refuse(!own(linux.uid_mappings(), machine.uid), "linux.uidMappings", others)?;
    refuse(!own(linux.gid_mappings(), machine.gid), "linux.gidMappings", others)
}
