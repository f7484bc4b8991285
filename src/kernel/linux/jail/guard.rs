//! What a process may do: capabilities(7), setrlimit(2), credentials(7).

use super::errno;
use crate::error::Kind;
use crate::kernel::{Fault, Outcome};
use crate::op::GuardOp;
use caps::Capability;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
};
use std::io;
use std::str::FromStr;

/// Performs one operation on the calling process's privileges.
pub(super) fn perform(op: &GuardOp) -> Result<Outcome, Fault> {
    match op {
        GuardOp::SetLimit { resource, soft, hard } => {
            setrlimit(limit(resource)?, *soft, *hard).map_err(errno)?;
        }
        GuardOp::BoundCapabilities { keep } => bound(parse(keep)?)?,
        GuardOp::SetCapabilities { effective, inheritable, ambient } => {
            set(parse(effective)?, parse(inheritable)?, parse(ambient)?)?;
        }
        GuardOp::NoNewPrivileges => prctl::set_no_new_privs().map_err(errno)?,
        GuardOp::SetUser { uid, gid, groups } => become_user(*uid, *gid, groups)?,
    }
    Ok(Outcome::done())
}

/// One call a capability, up to the first number the kernel does not know: also those younger
/// than this program go.
fn bound(keep: CapabilitySet) -> Result<(), Fault> {
    for capability in (0..u64::BITS).map(bit).filter(|capability| !keep.contains(*capability)) {
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            Err(Errno::INVAL) => break,
            // Without CAP_SETPCAP nothing can be dropped, which is no matter for what is not there.
            Err(Errno::PERM) if !capability_is_in_bounding_set(capability).unwrap_or(true) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    Ok(())
}

/// CAP_SYS_ADMIN stays until `execve`, which loads the seccomp filter first and needs it there;
/// execve itself takes it away, because only the bounding, inheritable and ambient sets decide
/// what the program gets: capabilities(7), "Transformation of capabilities during execve()".
fn set(effective: CapabilitySet, inheritable: CapabilitySet, ambient: CapabilitySet) -> Result<(), Fault> {
    // A user namespace may have less to give than was asked for.
    let permitted = capabilities(None).map_err(io::Error::from)?.permitted;
    let held = (effective | CapabilitySet::SYS_ADMIN) & permitted;
    let sets = CapabilitySets { effective: held, permitted: held, inheritable };
    set_capabilities(None, sets).map_err(io::Error::from)?;
    // The kernel keeps the ambient set within the inheritable and permitted ones.
    for capability in (ambient & inheritable & held).iter() {
        configure_capability_in_ambient_set(capability, true).map_err(io::Error::from)?;
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

fn parse(names: &[String]) -> Result<CapabilitySet, Fault> {
    names.iter().try_fold(CapabilitySet::empty(), |set, name| match Capability::from_str(name) {
        Ok(capability) => Ok(set | bit(u32::from(capability.index()))),
        Err(_) => Err(Fault::new(Kind::Invalid, format!("unknown capability {name:?}"))),
    })
}

/// The capability of this number, known here by name or not.
fn bit(number: u32) -> CapabilitySet {
    CapabilitySet::from_bits_retain(1 << number)
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
