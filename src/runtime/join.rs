//! A further program in a running container: `docker exec`.
//!
//! Nothing is created here; everything is joined. The order is what keeps the container from
//! reaching what is not yet its own (CVE-2016-9962, CVE-2019-5736):
//!
//! ```text
//!  shim                             helper                      the process inside
//!    fork ─────────────────────────▶ setns: user … net, pid, mnt
//!                                    fork inside ─────────────▶ (born in the container, waits)
//!    ◀── born ────────────────────── (ends)
//!    pid into the container's groups
//!    go ──────────────────────────────────────────────────────▶ terminal, guard, exec
//! ```
//!
//! The helper joins the pid namespace for its children only: what appears inside is a process
//! whose root, network and mounts are the container's already, and that nobody there may look
//! into (PR_SET_DUMPABLE) until it is the program.

use super::birth::Birth;
use super::error::Error;
use super::init;
use super::launch::{self, Launched};
use super::limits::Groups;
use super::namespaces;
use super::protocol::Target;
use super::supported;
use crate::kernel::{Child, Machine, OpError, Stdio, TracedJail};
use crate::op::{Op, ProcessOp};
use crate::trace::{Facts, Note, Scope, facts};
use oci_spec::runtime::Process;

/// What the helper and the process inside need, worked out before the fork.
struct Plan {
    joins: Vec<Op>,
    process: Process,
    filter: Vec<(u16, u8, u8, u32)>,
    exec_scope: u32,
}

/// Runs the program of `directory/process.json` in the container `target`. On failure nothing is
/// left of it.
///
/// # Errors
/// The container is gone; the first operation that failed, on either side of the wall.
pub fn join(
    jail: &mut TracedJail<'_>,
    machine: &Machine,
    target: &Target,
    directory: &str,
    stdio: Stdio,
) -> Result<Launched, Error> {
    let spec = launch::read_spec(jail, &target.bundle)?;
    let process = read_process(jail, directory)?;
    let linux = spec.linux().as_ref().ok_or(Error::Incomplete("linux is missing"))?;
    supported::process(&process)?;
    let path = launch::cgroups_path(linux, &target.bundle);
    let groups = Groups::plan(machine, &path, linux.resources().as_ref())?;
    check_member(jail, target.pid, &path, &groups)?;
    let program = process.args().iter().flatten().next().cloned().unwrap_or_default();
    let plan = Plan {
        joins: namespaces::joins(linux, target.pid),
        filter: launch::compiled_filter(linux)?,
        exec_scope: jail.report().scope_id(),
        process,
    };
    let exec_scope = plan.exec_scope;
    let birth = Birth::joining(&spec, machine);
    let mut child = enter(jail, target.pid, &birth, stdio, plan)?;
    let went = check_member(jail, target.pid, &path, &groups).and_then(|()| {
        join_groups(jail, &groups, child.pid())?;
        Ok(launch::go(jail, &mut *child, exec_scope, &program)?)
    });
    match went {
        // The groups are the container's: they go with it, not with this program.
        Ok(()) => Ok(Launched { child, groups: Groups::default() }),
        Err(error) => {
            launch::end(&mut *child);
            Err(error)
        }
    }
}

fn read_process(jail: &TracedJail<'_>, directory: &str) -> Result<Process, Error> {
    let path = format!("{directory}/process.json");
    let text = jail.jail().read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    serde_json::from_str(&text).map_err(|source| Error::Malformed { path, source })
}

/// A process id is a number that may have been given to another process by now: the first process
/// of the container is in the container's group, before the joins and after them.
fn check_member(jail: &TracedJail<'_>, pid: u32, path: &str, groups: &Groups) -> Result<(), Error> {
    if groups.directories.is_empty() {
        return Ok(());
    }
    let memberships = jail.jail().read(&format!("/proc/{pid}/cgroup")).unwrap_or_default();
    match memberships.contains(path) {
        true => Ok(()),
        false => Err(Error::Gone(pid)),
    }
}

/// From the fork to a process that waits inside.
fn enter(
    jail: &mut TracedJail<'_>,
    pid: u32,
    birth: &Birth,
    stdio: Stdio,
    plan: Plan,
) -> Result<Box<dyn Child>, OpError> {
    jail.within(Scope::NamespacesJoin, pid.to_string(), |jail| {
        let mut child = jail.clone_init(ProcessOp::Fork, stdio, move |jail| help(jail, plan))?;
        jail.flush();
        let born = child.proceed().and_then(|()| birth.register(jail, child.pid()));
        if let Err(error) = born {
            launch::end(&mut *child);
            return Err(error);
        }
        let inodes = launch::namespace_inodes(jail, child.pid(), &[]);
        let shared = shared(&inodes, &launch::namespace_inodes(jail, pid, &[]));
        jail.note(Note::NamespaceInodes, inodes);
        let (process, count) = (child.pid(), shared);
        jail.note(
            Note::NamespacesShared,
            facts([("process", &process), ("container", &pid), ("count", &count)]),
        );
        Ok(child)
    })
}

/// How many namespaces two processes have in common, by their inodes.
fn shared(one: &Facts, other: &Facts) -> usize {
    let own = |name: &&String| !name.starts_with("host-") && *name != "process";
    one.keys().filter(own).filter(|name| one.get(*name) == other.get(*name)).count()
}

/// The helper: joins everything, then leaves the rest to a process born inside.
fn help(jail: &mut TracedJail<'_>, plan: Plan) -> Result<(), OpError> {
    let Plan { joins, process, filter, exec_scope } = plan;
    joins.into_iter().try_for_each(|op| jail.perform(op).map(drop))?;
    jail.clone_sibling(ProcessOp::ForkInside, move |jail| become_program(jail, &process, filter, exec_scope))
}

fn become_program(
    jail: &mut TracedJail<'_>,
    process: &Process,
    filter: Vec<(u16, u8, u8, u32)>,
    exec_scope: u32,
) -> Result<(), OpError> {
    if process.terminal() == Some(true) {
        jail.within(Scope::TerminalOpen, "/dev/pts", |jail| init::open_terminal(jail, process).map(drop))?;
    }
    init::hand_over(jail, process, filter, exec_scope)
}

fn join_groups(jail: &mut TracedJail<'_>, groups: &Groups, pid: u32) -> Result<(), OpError> {
    if groups.directories.is_empty() {
        return Ok(());
    }
    jail.within(Scope::LimitsJoin, pid.to_string(), |jail| {
        groups.join(pid).into_iter().try_for_each(|op| jail.perform(op).map(drop))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_shared_where_their_inodes_are_equal() {
        let of = |net: &str| facts([("process", &7), ("net", &net), ("mnt", &"2"), ("host-net", &"9")]);
        assert_eq!(shared(&of("1"), &of("1")), 2);
        assert_eq!(shared(&of("1"), &of("3")), 1);
    }
}
