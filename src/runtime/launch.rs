//! Outside the wall: groups, clone, go-ahead, and the way back when something fails.

use super::birth::Birth;
use super::error::Error;
use super::guard::filter;
use super::init::{self, Membership, Plan};
use super::limits::Groups;
use super::namespaces::Namespaces;
use super::{rootfs, supported, sysctl};
use crate::kernel::{Child, Machine, OpError, Payload, Stdio, TracedJail};
use crate::op::{Namespace, NamespaceOp, Op};
use crate::trace::{Facts, Note, Scope, facts};
use oci_spec::runtime::{Linux, Spec};
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
    let Prepared { path, groups, namespaces, birth, plan } = prepare(jail, machine, bundle, spec)?;
    let (hostname, exec_scope) = (plan.spec.hostname().clone().unwrap_or_default(), plan.exec_scope);
    let args = plan.spec.process().as_ref().and_then(|process| process.args().as_ref());
    let program = args.and_then(|args| args.first().cloned()).unwrap_or_default();
    let mut made: Vec<Op> = Vec::new();
    let result = apply_limits(jail, machine, &path, &groups, &mut made).and_then(|()| {
        enter(jail, &namespaces, &hostname, &birth, stdio, plan).and_then(|mut child| {
            match go(jail, &mut *child, exec_scope, &program) {
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

/// All that is decided before anything is done.
struct Prepared {
    path: String,
    groups: Groups,
    namespaces: Namespaces,
    birth: Birth,
    plan: Plan,
}

fn prepare(
    jail: &mut TracedJail<'_>,
    machine: &Machine,
    bundle: &str,
    spec: Spec,
) -> Result<Prepared, Error> {
    let linux = spec.linux().as_ref().ok_or(Error::Incomplete("linux is missing"))?;
    supported::check(&spec, linux, machine)?;
    let filter = compiled_filter(linux)?;
    let path = cgroups_path(linux, bundle);
    let groups = Groups::plan(machine, &path, linux.resources().as_ref())?;
    let namespaces = Namespaces::of(linux);
    let birth = Birth::of(&spec, machine);
    let plan = Plan {
        root: rootfs::root_path(&spec, bundle),
        filter,
        sysctls: sysctl::writes(linux)?,
        joins: namespaces.inside.clone(),
        groups: Membership { path: path.clone(), born: groups.born.clone(), joins: groups.joins.clone() },
        machine: machine.clone(),
        exec_scope: jail.report().scope_id(),
        spec,
    };
    Ok(Prepared { path, groups, namespaces, birth, plan })
}

/// The Spec's seccomp profile as a program; empty for none.
pub(super) fn compiled_filter(linux: &Linux) -> Result<Vec<(u16, u8, u8, u32)>, Error> {
    let Some(profile) = linux.seccomp() else { return Ok(Vec::new()) };
    let filter = filter::compile(profile).map_err(|error| Error::Seccomp(error.to_string()))?;
    Ok(filter.instructions().iter().map(|i| (i.code, i.jt, i.jf, i.k)).collect())
}

/// The Spec's path, or one named after the bundle: never a hierarchy's root, whose limits are the
/// host's.
pub(super) fn cgroups_path(linux: &Linux, bundle: &str) -> String {
    let named = || {
        let bundle = std::fs::canonicalize(bundle).unwrap_or_else(|_| bundle.into());
        format!("/learn/{}", bundle.file_name().unwrap_or_default().to_string_lossy())
    };
    let listed = linux.cgroups_path().as_ref().map(|path| path.display().to_string());
    listed.filter(|path| !path.trim_matches('/').is_empty()).unwrap_or_else(named)
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
    namespaces: &Namespaces,
    about: &str,
    birth: &Birth,
    stdio: Stdio,
    plan: Plan,
) -> Result<Box<dyn Child>, OpError> {
    let joined = namespaces.joined();
    jail.within(Scope::NamespacesEnter, about, |jail| {
        namespaces.before.iter().try_for_each(|op| jail.perform(op.clone()).map(drop))?;
        let (namespaces, cgroup) = (namespaces.new.clone(), plan.groups.born.clone());
        let clone = NamespaceOp::Clone { namespaces, cgroup };
        let mut child = jail.clone_init(clone, stdio, move |jail| init::run(jail, plan))?;
        if let Err(error) = birth.register(jail, child.pid()) {
            end(&mut *child);
            return Err(error);
        }
        let inodes = namespace_inodes(jail, child.pid(), &joined);
        jail.note(Note::NamespaceInodes, inodes);
        Ok(child)
    })
}

/// The inode of each namespace on both sides of the wall: equal where it is shared. One that the
/// process is to join is what its path shows.
pub(super) fn namespace_inodes(jail: &TracedJail<'_>, pid: u32, joined: &[(Namespace, String)]) -> Facts {
    let mut inodes = facts([("process", &pid)]);
    for name in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup"] {
        let to_join = joined.iter().find(|(kind, _)| kind.proc_name() == name).map(|(_, path)| path.clone());
        let inside = to_join.unwrap_or_else(|| format!("/proc/{pid}/ns/{name}"));
        let places = [(name.to_owned(), inside), (format!("host-{name}"), format!("/proc/self/ns/{name}"))];
        for (key, place) in places {
            if let Ok(link) = jail.jail().read_link(&place) {
                let inode = link.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(']');
                inodes.insert(key, inode.to_owned());
            }
        }
    }
    inodes
}

pub(super) fn go(
    jail: &mut TracedJail<'_>,
    child: &mut dyn Child,
    exec_scope: u32,
    program: &str,
) -> Result<(), OpError> {
    let inside = innermost_pid(jail, child.pid());
    let began = Instant::now();
    jail.flush();
    child.proceed()?;
    let running = facts([("pid", &child.pid()), ("inside", &inside), ("program", &program)]);
    jail.became(exec_scope, running, began);
    Ok(())
}

/// What a process is called in its own PID namespace: the last number of `NSpid`, proc(5). Asked
/// while it still waits: a program may be gone at once.
fn innermost_pid(jail: &TracedJail<'_>, pid: u32) -> String {
    let status = jail.jail().read(&format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.and_then(|line| line.split_whitespace().last()).map_or_else(|| pid.to_string(), str::to_owned)
}

/// Ends a child that is not to become a container, and takes its status.
pub(super) fn end(child: &mut dyn Child) {
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
