//! Inside the wall: from a bare clone to the program.
//!
//! The order matters. Mounts come before the pivot because their sources are the host's; masks
//! come after it because they name paths as the container sees them; the user changes after
//! everything that needs privilege; the program comes last and takes the narrator's voice.

use super::{INIT_ANNOTATION, rootfs};
use crate::error::{Classify, Kind};
use crate::kernel::{Machine, OpError, Payload, TracedJail, Value};
use crate::op::{
    FsOp, GuardOp, MountOp, NamespaceOp, NetworkOp, Op, ProcessOp, TerminalOp, redact_environment,
};
use crate::trace::{Note, Scope, facts};
use oci_spec::runtime::{Capabilities, LinuxNamespaceType, Process, Spec};

/// Where a container's first program finds its terminal.
const CONSOLE: &str = "/dev/console";

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
    if let Some(process) = spec.process().as_ref().filter(|process| process.terminal() == Some(true)) {
        jail.within(Scope::TerminalOpen, CONSOLE, |jail| console(jail, process))?;
    }
    jail.within(Scope::RootfsProtect, &about, |jail| {
        // Here, because /proc/sys is about to become read-only.
        perform_all(jail, sysctls)?;
        let ops = rootfs::protections(&spec, |path| jail.jail().exists(path));
        perform_all(jail, ops)
    })?;
    let hostname = spec.hostname().clone().unwrap_or_default();
    jail.within(Scope::IdentitySet, &hostname, |jail| identify(jail, &spec, &hostname))?;
    let Some(process) = spec.process() else { return Ok(()) };
    if let Some(name) = spec.annotations().as_ref().and_then(|all| all.get(INIT_ANNOTATION)) {
        return supervised(jail, process, filter, exec_scope, name);
    }
    hand_over(jail, process, filter, exec_scope)
}

/// The same with a small init as PID 1. It gives up as much as the program, and comes last, for
/// only then is there nothing left to do for PID 1 but to wait.
fn supervised(
    jail: &mut TracedJail<'_>,
    process: &Process,
    filter: Vec<(u16, u8, u8, u32)>,
    exec_scope: u32,
    name: &str,
) -> Result<(), OpError> {
    let user = format!("{}:{}", process.user().uid(), process.user().gid());
    let words = process.args().clone().unwrap_or_default();
    let argv = [name, "--"].into_iter().map(str::to_owned).chain(words.clone()).collect();
    let named = jail.within(Scope::GuardApply, user, |jail| {
        let named = jail.perform(ProcessOp::SetCommandLine { argv });
        guard(jail, process).map(|()| named)
    })?;
    // Without privilege on the host it shows the shim's name, and works as well.
    drop(named);
    jail.within(Scope::InitSupervise, name, |jail| {
        let payload = Payload::Exec { env: Vec::new(), filter: filter.clone() };
        jail.perform_with(ProcessOp::Supervise { seccomp: filter.len() }, payload).map(drop)
    })?;
    jail.within_numbered(exec_scope, Scope::ProcessExec, words.join(" "), |jail| exec(jail, process, filter))
}

/// Gives up what the program may not have, and lets it take over.
pub(super) fn hand_over(
    jail: &mut TracedJail<'_>,
    process: &Process,
    filter: Vec<(u16, u8, u8, u32)>,
    exec_scope: u32,
) -> Result<(), OpError> {
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

/// Opens a terminal of the window's size for the program's user; the path of its inner end.
pub(super) fn open_terminal(jail: &mut TracedJail<'_>, process: &Process) -> Result<String, OpError> {
    let size = process.console_size();
    let short = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
    let (rows, columns) = size.as_ref().map_or((0, 0), |size| (short(size.height()), short(size.width())));
    let opened = jail.perform(TerminalOp::Open { rows, columns, owner: process.user().uid() })?;
    match opened.value {
        Value::Terminal(path) => Ok(path),
        _ => Ok(String::new()),
    }
}

/// The terminal of a container's first program is its console.
fn console(jail: &mut TracedJail<'_>, process: &Process) -> Result<(), OpError> {
    let source = open_terminal(jail, process)?;
    jail.perform(FsOp::CreateFile { path: CONSOLE.into(), mode: 0o600 })?;
    let (target, flags) = (CONSOLE.to_owned(), vec!["bind".to_owned()]);
    jail.perform(MountOp::Mount { source, target, fstype: String::new(), flags, data: String::new() })?;
    Ok(())
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
        jail.perform(NetworkOp::LinkUp { interface: "lo".into(), sandbox: None })?;
    }
    Ok(())
}

fn guard(jail: &mut TracedJail<'_>, process: &Process) -> Result<(), OpError> {
    jail.perform(ProcessOp::NewSession)?;
    if process.terminal() == Some(true) {
        jail.perform(TerminalOp::Control)?;
    }
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
