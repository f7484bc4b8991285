//! Outside the wall: groups, clone, go-ahead, and the way back when something fails.

use super::error::Error;
use super::guard::filter;
use super::init::{self, Plan};
use super::limits::Groups;
use super::rootfs;
use crate::kernel::{Child, Machine, OpError, Payload, Stdio, TracedJail};
use crate::op::{FsOp, Namespace, NamespaceOp, Op, WriteReason};
use crate::trace::{Facts, Note, Scope, facts};
use oci_spec::runtime::{LinuxNamespaceType, Spec};
use std::time::Instant;

/// A container that runs.
pub struct Launched {
    /// Its first process.
    pub child: Box<dyn Child>,
    /// Its control groups.
    pub groups: Groups,
}

/// Reads a bundle's configuration.
///
/// # Errors
/// When the file is missing or not an OCI runtime configuration (with line and column).
pub fn read_spec(jail: &TracedJail<'_>, bundle: &str) -> Result<Spec, Error> {
    let path = format!("{bundle}/config.json");
    let text = jail.jail().read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    serde_json::from_str(&text).map_err(|source| Error::Malformed { path, source })
}

/// Starts the container of `bundle`. On failure nothing is left: the child is gone and so are the
/// groups.
///
/// # Errors
/// The first operation that failed, on either side of the wall.
pub fn launch(
    jail: &mut TracedJail<'_>,
    machine: &Machine,
    bundle: &str,
    stdio: Stdio,
) -> Result<Launched, Error> {
    let spec = read_spec(jail, bundle)?;
    let linux = spec.linux().as_ref().ok_or(Error::Incomplete("linux is missing"))?;
    let filter = match linux.seccomp() {
        Some(profile) => {
            let filter = filter::compile(profile).map_err(|error| Error::Seccomp(error.to_string()))?;
            filter.instructions().iter().map(|i| (i.code, i.jt, i.jf, i.k)).collect()
        }
        None => Vec::new(),
    };
    let path = linux.cgroups_path().as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let groups = Groups::plan(machine, &path, linux.resources().as_ref())?;
    let namespaces = new_namespaces(&spec);
    let root = rootfs::root_path(&spec, bundle);
    let hostname = spec.hostname().clone().unwrap_or_default();
    let mappings = machine.unprivileged().then(|| id_mappings(machine));
    let exec_scope = jail.report().scope_id();
    let plan = Plan { spec, root, filter, machine: machine.clone(), exec_scope };

    let mut made: Vec<Op> = Vec::new();
    let result = apply_limits(jail, machine, &path, &groups, &mut made).and_then(|()| {
        enter(jail, &namespaces, &hostname, mappings, stdio, plan).and_then(|mut child| {
            match join_and_go(jail, &groups, &mut *child, exec_scope) {
                Ok(()) => Ok(child),
                Err(error) => {
                    end(&mut *child);
                    Err(error)
                }
            }
        })
    });
    match result {
        Ok(child) => Ok(Launched { child, groups }),
        Err(error) => {
            roll_back(jail, &path, &made);
            Err(error.into())
        }
    }
}

fn apply_limits(
    jail: &mut TracedJail<'_>,
    machine: &Machine,
    path: &str,
    groups: &Groups,
    made: &mut Vec<Op>,
) -> Result<(), OpError> {
    jail.within(Scope::LimitsApply, path, |jail| {
        note_cgroups(jail, machine, groups);
        for op in &groups.setup {
            jail.perform(op.clone())?;
            made.push(op.clone());
        }
        if let Some(filter) = &groups.device_filter {
            jail.perform_with(filter.op.clone(), Payload::DeviceFilter(filter.program.clone()))?;
        }
        Ok(())
    })
}

fn note_cgroups(jail: &mut TracedJail<'_>, machine: &Machine, groups: &Groups) {
    if groups.directories.is_empty() {
        let reason = if machine.unprivileged() { "unprivileged" } else { "not-mounted" };
        jail.note(Note::CgroupAbsent, facts([("reason", &reason)]));
    } else {
        let mode = machine.cgroups.mode();
        let v2 = machine.cgroups.v2.iter().flat_map(|v2| v2.controllers.iter());
        let controllers: Vec<&str> = machine.cgroups.v1.keys().chain(v2).map(String::as_str).collect();
        jail.note(Note::CgroupMode, facts([("mode", &mode), ("controllers", &controllers.join(","))]));
    }
}

fn enter(
    jail: &mut TracedJail<'_>,
    namespaces: &[Namespace],
    about: &str,
    mappings: Option<[(&'static str, String); 3]>,
    stdio: Stdio,
    plan: Plan,
) -> Result<Box<dyn Child>, OpError> {
    jail.within(Scope::NamespacesEnter, about, |jail| {
        let clone = NamespaceOp::Clone { namespaces: namespaces.to_vec() };
        let mut child = jail.clone_init(clone, stdio, move |jail| init::run(jail, plan))?;
        let result = map_ids(jail, child.pid(), mappings);
        if let Err(error) = result {
            end(&mut *child);
            return Err(error);
        }
        let inodes = namespace_inodes(jail, child.pid());
        jail.note(Note::NamespaceInodes, inodes);
        Ok(child)
    })
}

/// Who init is outside. Without privilege only the caller's own id can be mapped, and groups must
/// be given up first: user_namespaces(7).
fn map_ids(
    jail: &mut TracedJail<'_>,
    pid: u32,
    mappings: Option<[(&'static str, String); 3]>,
) -> Result<(), OpError> {
    let Some(mappings) = mappings else { return Ok(()) };
    let outside = mappings[1].1.split(' ').nth(1).unwrap_or_default().to_owned();
    jail.note(Note::IdMapping, facts([("inside", &0), ("outside", &outside), ("count", &1)]));
    for (file, value) in mappings {
        jail.perform(FsOp::WriteFile {
            path: format!("/proc/{pid}/{file}"),
            value,
            why: WriteReason::IdMap,
        })?;
    }
    Ok(())
}

fn id_mappings(machine: &Machine) -> [(&'static str, String); 3] {
    [
        ("setgroups", "deny".into()),
        ("uid_map", format!("0 {} 1", machine.uid)),
        ("gid_map", format!("0 {} 1", machine.gid)),
    ]
}

/// The inode of each namespace on both sides of the wall: equal where it is shared.
fn namespace_inodes(jail: &TracedJail<'_>, pid: u32) -> Facts {
    let mut inodes = facts([("process", &pid)]);
    for name in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup"] {
        for (key, owner) in [(name.to_owned(), pid.to_string()), (format!("host-{name}"), "self".to_owned())]
        {
            if let Ok(link) = jail.jail().read_link(&format!("/proc/{owner}/ns/{name}")) {
                let inode = link.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(']');
                inodes.insert(key, inode.to_owned());
            }
        }
    }
    inodes
}

fn join_and_go(
    jail: &mut TracedJail<'_>,
    groups: &Groups,
    child: &mut dyn Child,
    exec_scope: u32,
) -> Result<(), OpError> {
    if !groups.directories.is_empty() {
        jail.within(Scope::LimitsJoin, child.pid().to_string(), |jail| {
            groups.join(child.pid()).into_iter().try_for_each(|op| jail.perform(op).map(drop))
        })?;
    }
    let began = Instant::now();
    child.proceed()?;
    jail.became(exec_scope, facts([("pid", &child.pid())]), began);
    Ok(())
}

/// Ends a child that is not to become a container, and takes its status.
fn end(child: &mut dyn Child) {
    // Both fail only when it is gone already.
    let _ = child.signal(nix::libc::SIGKILL);
    let _ = child.reap();
}

fn roll_back(jail: &mut TracedJail<'_>, about: &str, made: &[Op]) {
    let undo: Vec<Op> = made.iter().rev().filter_map(Op::undo).collect();
    if undo.is_empty() {
        return;
    }
    jail.report().open_for_rollback();
    let _: Result<(), OpError> = jail.within(Scope::Rollback, about, |jail| {
        for op in undo {
            // A failure here is in the trace; the first error is what the caller must hear.
            let _ = jail.perform(op);
        }
        Ok(())
    });
}

/// The Spec's namespaces without a path are new ones.
fn new_namespaces(spec: &Spec) -> Vec<Namespace> {
    let listed = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_deref()).unwrap_or_default();
    let mut namespaces: Vec<Namespace> = listed
        .iter()
        .filter(|namespace| namespace.path().is_none())
        .filter_map(|namespace| {
            Some(match namespace.typ() {
                LinuxNamespaceType::User => Namespace::User,
                LinuxNamespaceType::Mount => Namespace::Mount,
                LinuxNamespaceType::Pid => Namespace::Pid,
                LinuxNamespaceType::Network => Namespace::Network,
                LinuxNamespaceType::Uts => Namespace::Uts,
                LinuxNamespaceType::Ipc => Namespace::Ipc,
                LinuxNamespaceType::Cgroup => Namespace::Cgroup,
                _ => return None,
            })
        })
        .collect();
    namespaces.sort_unstable();
    namespaces
}
