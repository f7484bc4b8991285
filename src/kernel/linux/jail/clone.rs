//! The birth of the container's first process: clone3(2), pidfd_open(2).

use super::super::sys::{self, Cloned};
use super::super::user_namespace;
use super::LinuxJail;
use super::wall::{Wall, Word};
use crate::kernel::{Child, ExitStatus, Fault, Init, OpError, Outcome, Stdio};
use crate::op::Namespace;
use crate::trace::facts;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
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

/// Clones; the child waits to be let go, runs `init` and, when that fails, says why. A successful
/// exec closes its end, which the parent sees as end of file.
pub(super) fn clone_init(
    namespaces: &[Namespace],
    cgroup: Option<&str>,
    stdio: Stdio,
    init: Init,
) -> Result<Box<dyn Child>, Fault> {
    let (ours, theirs) = Wall::pair()?;
    let flags = namespaces.iter().fold(0, |flags, namespace| flags | flag(*namespace));
    let group = cgroup.map(File::open).transpose()?;
    let group = group.as_ref().map(AsFd::as_fd);
    let cloned = sys::clone3(flags, libc::SIGCHLD, group).map_err(|error| match error.raw_os_error() {
        Some(errno) if namespaces.contains(&Namespace::User) => {
            user_namespace::refused(errno, &user_namespace::settings())
        }
        _ => Fault::from(error),
    })?;
    match cloned {
        Cloned::Parent { pid, pidfd } => Ok(Box::new(LinuxChild { pid, pidfd, wall: ours, terminal: None })),
        Cloned::Child => {
            drop(ours);
            let result = prepare(&theirs, stdio);
            go_on(theirs, result, init)
        }
    }
}

/// In the helper that has joined a container's namespaces: clones once more, as a child of the
/// shim (CLONE_PARENT), so that the shim waits for it. The helper is done then; the new process
/// waits to be let go, as the first one did.
pub(super) fn clone_sibling(wall: &Wall, init: Init) -> Result<Outcome, Fault> {
    let theirs = wall.duplicate()?;
    // The kernel wants no signal named here: the new process ends with the one of this process.
    match sys::clone3(libc::CLONE_PARENT as u64, 0, None)? {
        Cloned::Parent { pid, pidfd } => {
            wall.say(&Word::Born(pid), Some(&pidfd))?;
            Ok(Outcome::facts(facts([("pid", &pid)])))
        }
        Cloned::Child => {
            let result = prctl::set_pdeathsig(Signal::SIGKILL).map_err(|_| Stopped::Io);
            let result = result.and_then(|()| if theirs.wait() { Ok(()) } else { Err(Stopped::Io) });
            go_on(theirs, result, init)
        }
    }
}

/// Runs in the child and never returns: its stack is a copy of the shim's, whose destructors are
/// not this process's to run.
fn go_on(wall: Wall, prepared: Result<(), Stopped>, init: Init) -> ! {
    let result = prepared
        .and_then(|()| wall.duplicate().map_err(|_| Stopped::Io))
        .and_then(|inside| init(&mut LinuxJail::inside(inside)).map_err(Stopped::Op));
    let code = match result {
        // Only a helper comes back: a jail whose exec "succeeded" does not.
        Ok(()) => 0,
        Err(Stopped::Op(error)) => {
            // The shim that went away needs no word.
            let _ = wall.say(&Word::Failed(Box::new(error)), None);
            1
        }
        Err(Stopped::Io) => 1,
    };
    sys::exit_now(code)
}

enum Stopped {
    Op(OpError),
    Io,
}

/// Ties this process's life to the shim's, waits for the go-ahead, takes its standard streams.
fn prepare(wall: &Wall, stdio: Stdio) -> Result<(), Stopped> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|_| Stopped::Io)?;
    if !wall.wait() {
        return Err(Stopped::Io);
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
    wall: Wall,
    terminal: Option<OwnedFd>,
}

impl Child for LinuxChild {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn proceed(&mut self) -> Result<(), OpError> {
        self.wall.go();
        loop {
            match self.wall.listen() {
                Some((Word::Failed(error), _)) => return Err(*error),
                Some((Word::Terminal, terminal)) => self.terminal = terminal,
                Some((Word::Born(pid), Some(pidfd))) => {
                    // The helper has nothing more to do than to end.
                    let _ = self.reap();
                    (self.pid, self.pidfd) = (pid, pidfd);
                    return Ok(());
                }
                Some((Word::Born(_), None)) | None => return Ok(()),
            }
        }
    }

    fn terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
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
        sys::pidfd_send_signal(self.pidfd.as_fd(), signal)
    }
}
