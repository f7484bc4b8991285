//! What a process may do: capabilities(7), setrlimit(2), credentials(7).

use super::errno;
use crate::error::Kind;
use crate::kernel::{Fault, Outcome};
use crate::op::GuardOp;
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use std::str::FromStr;

/// Performs one operation on the calling process's privileges.
pub(super) fn perform(op: &GuardOp) -> Result<Outcome, Fault> {
    match op {
        GuardOp::SetLimit { resource, soft, hard } => {
            setrlimit(limit(resource)?, *soft, *hard).map_err(errno)?;
        }
        GuardOp::BoundCapabilities { keep } => bound(&parse(keep)?)?,
        GuardOp::SetCapabilities { effective, inheritable, ambient } => {
            set(&parse(effective)?, &parse(inheritable)?, &parse(ambient)?)?;
        }
        GuardOp::NoNewPrivileges => prctl::set_no_new_privs().map_err(errno)?,
        GuardOp::SetUser { uid, gid, groups } => become_user(*uid, *gid, groups)?,
    }
    Ok(Outcome::done())
}

fn bound(keep: &CapsHashSet) -> Result<(), Fault> {
    for capability in caps::all() {
        if !keep.contains(&capability) && caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false) {
            caps::drop(None, CapSet::Bounding, capability).map_err(fault)?;
        }
    }
    Ok(())
}

/// CAP_SYS_ADMIN stays until `execve`, which loads the seccomp filter first and needs it there;
/// execve itself takes it away, because only the bounding, inheritable and ambient sets decide
/// what the program gets: capabilities(7), "Transformation of capabilities during execve()".
fn set(effective: &CapsHashSet, inheritable: &CapsHashSet, ambient: &CapsHashSet) -> Result<(), Fault> {
    let mut held = effective.clone();
    if caps::has_cap(None, CapSet::Permitted, Capability::CAP_SYS_ADMIN).unwrap_or(false) {
        held.insert(Capability::CAP_SYS_ADMIN);
    }
    // A user namespace may have less to give than was asked for.
    let permitted = caps::read(None, CapSet::Permitted).map_err(fault)?;
    held.retain(|capability| permitted.contains(capability));
    caps::set(None, CapSet::Effective, &held).map_err(fault)?;
    caps::set(None, CapSet::Permitted, &held).map_err(fault)?;
    caps::set(None, CapSet::Inheritable, inheritable).map_err(fault)?;
    // The kernel keeps the ambient set within the inheritable and permitted ones.
    for capability in ambient.intersection(inheritable).filter(|capability| held.contains(capability)) {
        caps::raise(None, CapSet::Ambient, *capability).map_err(fault)?;
    }
    Ok(())
}

/// Groups first: a plain user may not change them any more.
fn become_user(uid: u32, gid: u32, groups: &[u32]) -> Result<(), Fault> {
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    match setgroups(&groups) {
        // An unprivileged user namespace denies setgroups(2) for good: user_namespaces(7).
        Err(nix::errno::Errno::EPERM) if groups.is_empty() => {}
        other => other.map_err(errno)?,
    }
    // Without this the change of user would take the capability to load the seccomp filter.
    prctl::set_keepcaps(true).map_err(errno)?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    setresgid(gid, gid, gid).map_err(errno)?;
    setresuid(uid, uid, uid).map_err(errno)?;
    // A change of credentials clears it, and no container outlives its shim.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(errno)?;
    Ok(())
}

fn parse(names: &[String]) -> Result<CapsHashSet, Fault> {
    names
        .iter()
        .map(|name| {
            Capability::from_str(name)
                .map_err(|_| Fault::new(Kind::Invalid, format!("unknown capability {name:?}")))
        })
        .collect()
}

fn fault(error: caps::errors::CapsError) -> Fault {
    Fault::new(Kind::Denied, error.to_string().to_lowercase())
}

fn limit(name: &str) -> Result<Resource, Fault> {
    Ok(match name {
        "RLIMIT_AS" => Resource::RLIMIT_AS,
        "RLIMIT_CORE" => Resource::RLIMIT_CORE,
        "RLIMIT_CPU" => Resource::RLIMIT_CPU,
        "RLIMIT_DATA" => Resource::RLIMIT_DATA,
        "RLIMIT_FSIZE" => Resource::RLIMIT_FSIZE,
        "RLIMIT_LOCKS" => Resource::RLIMIT_LOCKS,
        "RLIMIT_MEMLOCK" => Resource::RLIMIT_MEMLOCK,
        "RLIMIT_MSGQUEUE" => Resource::RLIMIT_MSGQUEUE,
        "RLIMIT_NICE" => Resource::RLIMIT_NICE,
        "RLIMIT_NOFILE" => Resource::RLIMIT_NOFILE,
        "RLIMIT_NPROC" => Resource::RLIMIT_NPROC,
        "RLIMIT_RSS" => Resource::RLIMIT_RSS,
        "RLIMIT_RTPRIO" => Resource::RLIMIT_RTPRIO,
        "RLIMIT_RTTIME" => Resource::RLIMIT_RTTIME,
        "RLIMIT_SIGPENDING" => Resource::RLIMIT_SIGPENDING,
        "RLIMIT_STACK" => Resource::RLIMIT_STACK,
        other => return Err(Fault::new(Kind::Invalid, format!("unknown resource limit {other:?}"))),
    })
}
