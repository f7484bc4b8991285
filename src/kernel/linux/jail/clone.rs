//! The birth of the container's first process: clone3(2), pidfd_open(2).

use super::super::sys::{self, Cloned};
use super::super::user_namespace;
use super::LinuxJail;
use crate::kernel::{Child, ExitStatus, Fault, Init, OpError, Stdio};
use crate::op::Namespace;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::process::pidfd_send_signal;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// clone(2)'s bit for a namespace.
pub(super) fn flag(namespace: Namespace) -> u64 {
    (match namespace {
        Namespace::User => libc::CLONE_NEWUSER,
        Namespace::Mount => libc::CLONE_NEWNS,
        Namespace::Pid => libc::CLONE_NEWPID,
        Namespace::Network => libc::CLONE_NEWNET,
        Namespace::Uts => libc::CLONE_NEWUTS,
        Namespace::Ipc => libc::CLONE_NEWIPC,
        Namespace::Cgroup => libc::CLONE_NEWCGROUP,
    }) as u64
}

/// Longest failure init may report; it is one packet.
const REPORT_CAPACITY: usize = 64 * 1024;

/// Clones; the child waits for a packet, runs `init` and, when that fails, sends back why. A
/// successful exec closes its end, which the parent sees as end of file.
pub(super) fn clone_init(
    namespaces: &[Namespace],
    cgroup: Option<&str>,
    stdio: Stdio,
    init: Init,
) -> Result<Box<dyn Child>, Fault> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(io::Error::from)?;
    let flags = namespaces.iter().fold(0, |flags, namespace| flags | flag(*namespace));
    let group = cgroup.map(File::open).transpose()?;
    let cloned =
        sys::clone3(flags, group.as_ref().map(AsFd::as_fd)).map_err(|error| match error.raw_os_error() {
            Some(errno) if namespaces.contains(&Namespace::User) => {
                user_namespace::refused(errno, &user_namespace::settings())
            }
            _ => Fault::from(error),
        })?;
    match cloned {
        Cloned::Parent { pid, pidfd } => Ok(Box::new(LinuxChild { pid, pidfd, wall: ours })),
        Cloned::Child => {
            drop(ours);
            become_init(&theirs, stdio, init)
        }
    }
}

/// Runs in the child and never returns: its stack is a copy of the shim's, whose destructors are
/// not this process's to run.
fn become_init(wall: &OwnedFd, stdio: Stdio, init: Init) -> ! {
    let result = prepare(wall, stdio).and_then(|()| init(&mut LinuxJail::default()).map_err(Stopped::Op));
    let report = match result {
        // A jail whose exec "succeeded" does not come back here.
        Ok(()) => None,
        Err(Stopped::Op(error)) => serde_json::to_vec(&error).ok(),
        Err(Stopped::Io) => None,
    };
    if let Some(report) = report {
        let _ = send(wall, &report, SendFlags::NOSIGNAL);
    }
    sys::exit_now(1)
}

enum Stopped {
    Op(OpError),
    Io,
}

/// Ties this process's life to the shim's, waits for the go-ahead, takes its standard streams.
fn prepare(wall: &OwnedFd, stdio: Stdio) -> Result<(), Stopped> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|_| Stopped::Io)?;
    let mut go = [0u8; 1];
    match recv(wall, &mut go[..], RecvFlags::empty()) {
        Ok((1, _)) => {}
        // The shim went away first.
        _ => return Err(Stopped::Io),
    }
    // Nobody may look into a process that still holds the runtime's descriptors and program, not
    // even root in a container whose pid namespace this one joins. execve(2) ends it. Not sooner,
    // because the parent could not write the id mappings: proc_pid(5).
    prctl::set_dumpable(false).map_err(|_| Stopped::Io)?;
    let stdio = [stdio.stdin, stdio.stdout, stdio.stderr];
    rustix::stdio::dup2_stdin(&stdio[0]).map_err(|_| Stopped::Io)?;
    rustix::stdio::dup2_stdout(&stdio[1]).map_err(|_| Stopped::Io)?;
    rustix::stdio::dup2_stderr(&stdio[2]).map_err(|_| Stopped::Io)?;
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    Ok(())
}

#[derive(Debug)]
struct LinuxChild {
    pid: u32,
    pidfd: OwnedFd,
    wall: OwnedFd,
}

impl Child for LinuxChild {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn proceed(&mut self) -> Result<(), OpError> {
        // A child that died already shows in `ended`.
        let _ = send(&self.wall, b"g", SendFlags::NOSIGNAL);
        let mut report = vec![0u8; REPORT_CAPACITY];
        let length = loop {
            match recv(&self.wall, &mut report[..], RecvFlags::empty()) {
                Ok((length, _)) => break length,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => break 0,
            }
        };
        match serde_json::from_slice(&report[..length]) {
            Ok(error) => Err(error),
            // End of file: execve closed the other end.
            Err(_) => Ok(()),
        }
    }

    fn ended(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        match waitid(Id::PIDFd(self.pidfd.as_fd()), WaitPidFlag::WEXITED).map_err(io::Error::from)? {
            WaitStatus::Exited(_, code) => Ok(ExitStatus::Code(code)),
            WaitStatus::Signaled(_, signal, _) => Ok(ExitStatus::Signal(signal as i32)),
            other => Err(io::Error::other(format!("unexpected wait status {other:?}"))),
        }
    }

    fn signal(&self, signal: i32) -> io::Result<()> {
        let signal = rustix::process::Signal::from_named_raw(signal)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        Ok(pidfd_send_signal(&self.pidfd, signal)?)
    }
}
