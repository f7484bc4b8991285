//! Where shims come from: a process that has executed the sealed program and linked it once, and
//! then only forks. A fork costs a tenth of execve(2) and the dynamic linker.
//!
//! ```text
//!  daemon ══ line (SOCK_SEQPACKET) ══ nursery ── clone3(CLONE_PARENT) ──▶ shim
//!     │  a byte, and three descriptors:            its parent is the daemon, as if the daemon
//!     │  control, log, report                      had executed it
//!     └──◀── report: the shim's pid ───────────────┘
//! ```
//!
//! Nursery and shim both write the pid, so that it comes even if one of them is killed in between;
//! a report that ends empty means that there is no shim, and the request can be made again. The
//! nursery ends when the daemon does: its line is closed then.

use super::seal::SealedExe;
use super::sys::{self, Cloned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Command;

/// The role's name on the command line, after `learn-shim`.
pub const ROLE: &str = "nursery";

/// Descriptors that come with a request: control, log, report.
const GIFTS: usize = 3;
/// Quiet this long, a nursery gives back what it can do without.
const SETTLED: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// Nurseries that ended without a shim before the daemon executes shims by itself.
const PATIENCE: u32 = 3;

/// The daemon's end.
#[derive(Debug)]
pub(super) struct Nursery {
    program: Arc<SealedExe>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    line: Option<Arc<OwnedFd>>,
    failures: u32,
}

impl Nursery {
    /// A nursery of `program`, started when first needed.
    pub(super) fn new(program: Arc<SealedExe>) -> Nursery {
        Nursery { program, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it now, so that the first container need not wait for it.
    pub(super) fn open(&self) {
        // Without one, the first shim asks again, and gets by without.
        let _ = self.line();
    }

    /// A new shim with `control` as its control socket and `log` as its standard error; its pid.
    /// `None` when no nursery can be had.
    pub(super) async fn bear(&self, control: &OwnedFd, log: &OwnedFd) -> Option<u32> {
        while self.state().failures < PATIENCE {
            if let Ok(line) = self.line()
                && let Ok(pid) = request(&line, control, log).await
            {
                self.state().failures = 0;
                return Some(pid);
            }
            let mut state = self.state();
            state.line = None;
            state.failures += 1;
        }
        None
    }

    fn line(&self) -> io::Result<Arc<OwnedFd>> {
        let mut state = self.state();
        if let Some(line) = &state.line {
            return Ok(line.clone());
        }
        let line = Arc::new(start(&self.program)?);
        state.line = Some(line.clone());
        Ok(line)
    }
}

/// Executes a nursery. It keeps the daemon's standard error: what it has to say is the daemon's.
fn start(program: &SealedExe) -> io::Result<OwnedFd> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    // No pre_exec hook: so std uses posix_spawn, whose vfork does not copy the daemon's page tables.
    let mut child = Command::new(program.path()?)
        .arg0("learn-shim")
        .arg(ROLE)
        .stdin(theirs)
        .stdout(Stdio::null())
        .process_group(0)
        .current_dir("/")
        .spawn()?;
    tokio::spawn(async move { child.wait().await });
    Ok(ours)
}

/// Asks for one shim and waits for its pid.
async fn request(line: &OwnedFd, control: &OwnedFd, log: &OwnedFd) -> io::Result<u32> {
    let (answer, report) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&answer, true)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GIFTS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let gifts = [control.as_fd(), log.as_fd(), report.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&gifts));
    // One byte: it is read at once, so the socket's buffer never fills.
    sendmsg(line, &[IoSlice::new(b"n")], &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    drop(report);
    let mut pid = [0; size_of::<u32>()];
    pipe::Receiver::from_owned_fd(answer)?.read_exact(&mut pid).await?;
    Ok(u32::from_ne_bytes(pid))
}

/// The nursery's life: forks a shim a request. Returns in each shim, with its control socket, and
/// in the nursery when the daemon is gone.
///
/// # Errors
/// When the line cannot be used.
pub fn serve() -> io::Result<Option<OwnedFd>> {
    let line = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    rustix::stdio::dup2_stdin(&null)?;
    // Shown by ps(1); the kernel would say the name of the descriptor this was executed from.
    let _ = nix::sys::prctl::set_name(c"learn-nursery");
    loop {
        wait(&line)?;
        let Some([control, log, report]) = receive(&line)? else { return Ok(None) };
        match sys::clone3(libc::CLONE_PARENT as u64, 0, None) {
            Ok(Cloned::Parent { pid, .. }) => tell(&report, pid),
            Ok(Cloned::Child) => {
                drop(line);
                let _ = nix::sys::prctl::set_name(c"learn-shim");
                rustix::process::setpgid(None, None)?;
                rustix::stdio::dup2_stderr(&log)?;
                tell(&report, std::process::id());
                return Ok(Some(control));
            }
            // Its descriptors are closed, and the daemon sees that there is no shim.
            Err(_) => {}
        }
    }
}

/// Until there is a request; gives memory back when there was none for a while.
fn wait(line: &OwnedFd) -> io::Result<()> {
    let mut patience = Some(&SETTLED);
    loop {
        match poll(&mut [PollFd::new(line, PollFlags::IN)], patience) {
            Ok(0) => {
                patience = None;
                super::rest();
            }
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The next request's descriptors; `None` at the end of the line.
fn receive(line: &OwnedFd) -> io::Result<Option<[OwnedFd; GIFTS]>> {
    loop {
        let mut byte = [0u8; 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GIFTS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(line, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
        match got {
            Err(Errno::INTR) => continue,
            Err(Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(got) if got.bytes == 0 => return Ok(None),
            Ok(_) => {}
        }
        let gifts = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors.collect::<Vec<_>>()),
            _ => None,
        });
        // Less than that is no request: this process had no room for the descriptors.
        if let Ok(gifts) = gifts.flatten().collect::<Vec<OwnedFd>>().try_into() {
            return Ok(Some(gifts));
        }
    }
}

/// Four bytes are written at once or not at all: pipe(7). Nobody there to read them is no concern.
fn tell(report: &OwnedFd, pid: u32) {
    let _ = rustix::io::write(report, &pid.to_ne_bytes());
}
