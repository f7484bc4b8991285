//! The small init of `--init`: PID 1 passes signals on to its one program and reaps whatever is
//! left to it, as Docker's does. It is this very process, so there is nothing to find in an image;
//! its program is out of reach for writing (see `seal`), and it keeps neither descriptors nor
//! privileges of the runtime's.

use super::errno;
use crate::error::Kind;
use crate::kernel::linux::sys::{self, Cloned};
use crate::kernel::{Fault, Outcome, Payload};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, setpgid, tcsetpgrp};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use std::io::IsTerminal;

/// Takes the name `ps` shows: prctl(2), PR_SET_MM. Without CAP_SYS_RESOURCE it stays as it was.
pub(super) fn set_command_line(argv: &[String]) -> Result<Outcome, Fault> {
    let name = argv.first().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
    let name = std::ffi::CString::new(name).unwrap_or_default();
    prctl::set_name(&name).map_err(errno)?;
    let words: Vec<u8> = argv.iter().flat_map(|word| word.bytes().chain([0])).collect();
    sys::set_command_line(words)?;
    Ok(Outcome::done())
}

/// Returns in the child only; the caller's former self is PID 1 until the child ends.
pub(super) fn supervise(payload: &Payload) -> Result<Outcome, Fault> {
    let Payload::Exec { filter, .. } = payload else {
        return Err(Fault::new(Kind::Internal, "process.supervise came without its filter"));
    };
    // Nothing that comes between the fork and the first wait is lost.
    let mut before = SigSet::empty();
    nix::sys::signal::sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))
        .map_err(errno)?;
    match sys::clone3(0, libc::SIGCHLD, None)? {
        Cloned::Child => {
            // A group of its own, in front of the terminal: Ctrl-C is for the program alone. SIGTTOU
            // is still blocked.
            setpgid(Pid::from_raw(0), Pid::from_raw(0)).map_err(errno)?;
            if std::io::stdin().is_terminal() {
                tcsetpgrp(std::io::stdin(), getpid()).map_err(errno)?;
            }
            before.thread_set_mask().map_err(errno)?;
            Ok(Outcome::done())
        }
        Cloned::Parent { pid, .. } => {
            let code = give_up(filter).map_or(1, |()| wait(Pid::from_raw(pid.cast_signed())));
            sys::exit_now(code)
        }
    }
}

/// Keeps what passing signals on takes, and no more.
fn give_up(filter: &[(u16, u8, u8, u32)]) -> Result<(), Fault> {
    sys::close_from(3)?;
    if !filter.is_empty() {
        sys::load_seccomp(filter)?;
    }
    let held = capabilities(None).map_err(std::io::Error::from)?.permitted & CapabilitySet::KILL;
    let sets = CapabilitySets { effective: held, permitted: held, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(std::io::Error::from)?;
    // Where root inside is nobody outside, a further program could not join it otherwise.
    let maps = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    if maps.split_whitespace().last() == Some("1") {
        prctl::set_dumpable(true).map_err(errno)?;
    }
    Ok(())
}

/// Passes signals on and reaps until the program has ended; its exit code.
fn wait(program: Pid) -> i32 {
    loop {
        match sys::next_signal() {
            Ok(libc::SIGCHLD) => {
                if let Some(code) = reap(program) {
                    return code;
                }
            }
            // One that ended meanwhile needs none.
            Ok(signal) => drop(sys::kill(program.as_raw(), signal)),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return 1,
        }
    }
}

/// Takes the status of all that have ended; that of the program, when it is among them.
fn reap(program: Pid) -> Option<i32> {
    let mut code = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == program => code = Some(status),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == program => code = Some(128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(_) => return code,
            Ok(_) => {}
        }
    }
}
