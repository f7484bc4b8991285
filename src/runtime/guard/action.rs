//! What a seccomp rule does, in the kernel's numbers (`SECCOMP_RET_*` of `linux/seccomp.h`): the
//! action in the upper half, a number that goes with it in the lower.

use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction as Action};

use crate::error::{Classify, Kind};

/// `SECCOMP_RET_KILL_THREAD`.
pub(super) const KILL_THREAD: u32 = 0;

/// `SECCOMP_RET_ERRNO` with ENOSYS: "this kernel has no such call".
pub(super) const NO_SUCH_CALL: u32 = 0x0005_0000 | libc::ENOSYS as u32;

/// Why a profile has no program.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The machine this runs on has no syscall table here.
    #[error("seccomp filter: no syscall table for the machine {0}")]
    Machine(&'static str),
    /// The profile wants to hand calls to a supervisor.
    #[error(
        "seccomp action SCMP_ACT_NOTIFY is not supported: no agent listens for this container's system calls"
    )]
    Notify,
    /// An error number, or a number for a tracer, that the kernel cannot pass on.
    #[error("seccomp errnoRet {value} is out of range: the largest is {largest}")]
    Errno {
        /// What the profile says.
        value: u32,
        /// What the action can carry.
        largest: u32,
    },
    /// A rule tests an argument no system call has.
    #[error(
        "seccomp rule for {syscall}: argument index {index} is out of range, a system call has arguments 0 to 5"
    )]
    ArgumentIndex {
        /// The names the rule is for.
        syscall: String,
        /// The index it asks for.
        index: usize,
    },
    /// The profile is too intricate for one program.
    #[error("seccomp profile compiles to {0} instructions: the kernel loads at most 4096")]
    TooLong(usize),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Machine(_) => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }
}

/// The default's verdict, and whether it lets the call reach the kernel.
pub(super) fn default_verdict(profile: &LinuxSeccomp) -> Result<(u32, bool), Error> {
    let action = profile.default_action();
    let permissive = matches!(action, Action::ScmpActAllow | Action::ScmpActLog | Action::ScmpActTrace);
    Ok((verdict(action, profile.default_errno_ret())?, permissive))
}

/// The verdict of an action; EPERM where the profile names no error, as in runc.
pub(super) fn verdict(action: Action, errno: Option<u32>) -> Result<u32, Error> {
    // The kernel cuts an errno at MAX_ERRNO; the number given to a tracer has 16 bits.
    let largest = if action == Action::ScmpActTrace { 0xffff } else { 4095 };
    let data = errno.unwrap_or(libc::EPERM as u32);
    match action {
        Action::ScmpActKill | Action::ScmpActKillThread => Ok(KILL_THREAD),
        Action::ScmpActKillProcess => Ok(0x8000_0000),
        Action::ScmpActTrap => Ok(0x0003_0000),
        Action::ScmpActLog => Ok(0x7ffc_0000),
        Action::ScmpActAllow => Ok(0x7fff_0000),
        Action::ScmpActNotify => Err(Error::Notify),
        Action::ScmpActErrno | Action::ScmpActTrace if data > largest => {
            Err(Error::Errno { value: data, largest })
        }
        Action::ScmpActErrno => Ok(0x0005_0000 | data),
        Action::ScmpActTrace => Ok(0x7ff0_0000 | data),
    }
}

/// The kernel's order of verdicts, strictest first: the action read as a signed number.
pub(super) fn precedence(verdict: u32) -> i32 {
    (verdict & 0xffff_0000).cast_signed()
}
