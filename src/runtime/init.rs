//! Inside the wall: from a bare clone to the program.
//!
//! The order matters. Mounts come before the pivot because their sources are the host's; masks
//! come after it because they name paths as the container sees them; the user changes after
//! everything that needs privilege; the program comes last and takes the narrator's voice.

use super::rootfs;
use crate::error::{Classify, Kind};
use crate::kernel::{Machine, OpError, Payload, TracedJail, Value};
use crate::op::{GuardOp, NamespaceOp, NetworkOp, Op, ProcessOp, redact_environment};
use crate::trace::{Note, Scope, facts};
use oci_spec::runtime::{Capabilities, LinuxNamespaceType, Process, Spec};

/// Everything init needs, worked out before the clone.
pub struct Plan {
    /// The bundle's configuration.
    pub spec: Spec,
    /// Absolute path of the root file system.
    pub root: String,
    /// Compiled seccomp program; empty for none.
    pub filter: Vec<(u16, u8, u8, u32)>,
    /// Kernel parameters to set, as writes.
    pub sysctls: Vec<Op>,
    /// Namespaces of others to join.
    pub joins: Vec<Op>,
    /// Its control groups.
    pub groups: Membership,
    /// What the machine offers.
    pub machine: Machine,
    /// Number of the scope in which the program takes over; the shim closes it.
    pub exec_scope: u32,
}

/// The control groups this process is in, or gets into first of all: what it does from then on
/// counts as the container's.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// The groups' common path.
    pub path: String,
    /// The group it was born in.
    pub born: Option<String>,
    /// Writes that put it into the others.
    pub joins: Vec<Op>,
}

/// Becomes the container's program. On the real kernel it only returns when something failed.
///
/// # Errors
/// The operation that failed.
pub fn run(jail: &mut TracedJail<'_>, plan: Plan) -> Result<(), OpError> {
    let Plan { spec, root, filter, sysctls, joins, groups, machine, exec_scope } = plan;
    let about = root.clone();
    join_groups(jail, groups)?;
    if !joins.is_empty() {
        jail.within(Scope::NamespacesEnter, &about, |jail| perform_all(jail, joins))?;
    }
    jail.within(Scope::RootfsMount, &about, |jail| {
        perform_all(jail, rootfs::mount_root(&spec, &root))?;
        jail.confine(&root)
    })?;
    jail.within(Scope::RootfsFurnish, &about, |jail| furnish(jail, &spec, &root, &machine))?;
    jail.within(Scope::RootfsPivot, &about, |jail| perform_all(jail, rootfs::pivot(&root)))?;
    jail.within(Scope::RootfsProtect, &about, |jail| {
        // Here, because /proc/sys is about to become read-only.
        perform_all(jail, sysctls)?;
        let ops = rootfs::protections(&spec, |path| jail.jail().exists(path));
        perform_all(jail, ops)
    })?;
    let hostname = spec.hostname().clone().unwrap_or_default();
    jail.within(Scope::IdentitySet, &hostname, |jail| identify(jail, &spec, &hostname))?;
    let Some(process) = spec.process() else { return Ok(()) };
    let user = format!("{}:{}", process.user().uid(), process.user().gid());
    jail.within(Scope::GuardApply, user, |jail| guard(jail, process))?;
    let command = process.args().clone().unwrap_or_default().join(" ");
    jail.within_numbered(exec_scope, Scope::ProcessExec, command, |jail| exec(jail, process, filter))
}

fn join_groups(jail: &mut TracedJail<'_>, groups: Membership) -> Result<(), OpError> {
    let Membership { path, born, joins } = groups;
    if born.is_none() && joins.is_empty() {
        return Ok(());
    }
    jail.within(Scope::LimitsJoin, path, |jail| {
        if let Some(group) = born {
            jail.note(Note::BornInGroup, facts([("path", &group)]));
        }
        perform_all(jail, joins)
    })
}

fn perform_all(jail: &mut TracedJail<'_>, ops: Vec<Op>) -> Result<(), OpError> {
    ops.into_iter().try_for_each(|op| jail.perform(op).map(drop))
}

fn furnish(jail: &mut TracedJail<'_>, spec: &Spec, root: &str, machine: &Machine) -> Result<(), OpError> {
    let furnishings =
        rootfs::furnishings(spec, root, machine, |source| jail.jail().exists(&format!("{source}/.")));
    for furnishing in furnishings {
        jail.perform(furnishing.point)?;
        match (jail.perform(furnishing.mount), furnishing.instead) {
            (Err(error), Some((path, bind))) if error.kind() == Kind::Denied => {
                jail.note(Note::BoundInstead, facts([("path", &path), ("reason", &error.fault.message)]));
                jail.perform(bind)?;
            }
            (mounted, _) => drop(mounted?),
        }
        furnishing.propagation.map_or(Ok(()), |op| jail.perform(op).map(drop))?;
    }
    perform_all(jail, rootfs::devices(spec, root, !machine.unprivileged()))?;
    perform_all(jail, rootfs::device_links(root))?;
    match rootfs::working_directory(spec, root, |path| jail.jail().exists(path)) {
        Some(op) => jail.perform(op).map(drop),
        None => Ok(()),
    }
}

fn identify(jail: &mut TracedJail<'_>, spec: &Spec, hostname: &str) -> Result<(), OpError> {
    let new = |kind| {
        let namespaces = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_deref());
        namespaces.unwrap_or_default().iter().any(|n| n.typ() == kind && n.path().is_none())
    };
    if !hostname.is_empty() && new(LinuxNamespaceType::Uts) {
        jail.perform(NamespaceOp::SetHostname { name: hostname.to_owned() })?;
    }
    if new(LinuxNamespaceType::Network) {
        jail.perform(NetworkOp::LinkUp { interface: "lo".into() })?;
    }
    Ok(())
}

fn guard(jail: &mut TracedJail<'_>, process: &Process) -> Result<(), OpError> {
    jail.perform(ProcessOp::NewSession)?;
    for limit in process.rlimits().as_deref().unwrap_or_default() {
        let resource = limit.typ().to_string();
        jail.perform(GuardOp::SetLimit { resource, soft: limit.soft(), hard: limit.hard() })?;
    }
    let names = |set: &Option<Capabilities>| {
        let mut names: Vec<String> =
            set.iter().flatten().map(|capability| format!("CAP_{capability}")).collect();
        names.sort_unstable();
        names
    };
    let capabilities = process.capabilities();
    if let Some(sets) = capabilities {
        jail.perform(GuardOp::BoundCapabilities { keep: names(sets.bounding()) })?;
    }
    let user = process.user();
    jail.perform(GuardOp::SetUser {
        uid: user.uid(),
        gid: user.gid(),
        groups: user.additional_gids().clone().unwrap_or_default(),
    })?;
    if let Some(sets) = capabilities {
        jail.perform(GuardOp::SetCapabilities {
            effective: names(sets.effective()),
            inheritable: names(sets.inheritable()),
            ambient: names(sets.ambient()),
        })?;
    }
    if process.no_new_privileges() == Some(true) {
        jail.perform(GuardOp::NoNewPrivileges)?;
    }
    Ok(())
}

fn exec(
    jail: &mut TracedJail<'_>,
    process: &Process,
    filter: Vec<(u16, u8, u8, u32)>,
) -> Result<(), OpError> {
    let env = process.env().clone().unwrap_or_default();
    let argv = process.args().clone().unwrap_or_default();
    let path = env.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or_default().to_owned();
    jail.perform(ProcessOp::ChangeDirectory { path: process.cwd().display().to_string() })?;
    let name = argv.first().cloned().unwrap_or_default();
    let found = jail.perform(ProcessOp::LookupProgram { name: name.clone(), path })?;
    let Value::Program(program) = found.value else { return Ok(()) };
    let op = ProcessOp::Exec {
        program,
        argv,
        env: env.iter().map(|entry| redact_environment(entry)).collect(),
        seccomp: filter.len(),
    };
    jail.perform_with(op, Payload::Exec { env, filter }).map(drop)
}
