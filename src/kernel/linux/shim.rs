//! Starts shims and takes their exit status when they are done.

use super::nursery::Nursery;
use super::seal::SealedExe;
use crate::kernel::{Fault, Outcome, Value};
use crate::trace::facts;
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// Who starts them.
#[derive(Debug)]
pub(super) struct Shims {
    program: Arc<SealedExe>,
    nursery: Nursery,
    reaper: Reaper,
}

impl Shims {
    /// Shims that run `program`.
    pub(super) fn new(program: SealedExe) -> Shims {
        let program = Arc::new(program);
        Shims { nursery: Nursery::new(program.clone()), program, reaper: Reaper::default() }
    }

    /// The program they run.
    pub(super) fn program(&self) -> &SealedExe {
        &self.program
    }

    /// The same, to be kept.
    pub(super) fn sealed(&self) -> Arc<SealedExe> {
        self.program.clone()
    }

    /// See [`Nursery::open`].
    pub(super) fn prepare(&self) {
        self.nursery.open();
    }

    /// Starts a shim with `control` as its control socket and `<bundle>/shim.log` as its standard
    /// error. It gets a process group of its own, so that Ctrl-C at the daemon's terminal does not
    /// reach it, and `/` as its directory, so that it keeps no mount busy.
    ///
    /// # Errors
    /// As open(2), fork(2) and execve(2).
    pub(super) async fn spawn(&self, bundle: &str, control: OwnedFd) -> Result<Outcome, Fault> {
        let log = format!("{bundle}/shim.log");
        let log: OwnedFd = OpenOptions::new().append(true).create(true).mode(0o600).open(log)?.into();
        let pid = match self.nursery.bear(&control, &log).await {
            Some(pid) => {
                self.reaper.expect(pid);
                pid
            }
            None => execute(&self.program, "shim", control, log.into())?,
        };
        let facts = facts([("pid", &pid), ("sealed", &self.program.describe())]);
        Ok(Outcome { facts, value: Value::Pid(pid) })
    }
}

/// Takes the exit status of the nursery's shims, by their pids, so that nobody else's children are
/// touched. If the daemon ends first they live on, and init(1) inherits them.
#[derive(Debug, Default)]
struct Reaper {
    children: Arc<Mutex<Vec<Pid>>>,
    begun: OnceLock<()>,
}

impl Reaper {
    fn expect(&self, pid: u32) {
        let Ok(pid) = i32::try_from(pid).map(Pid::from_raw) else { return };
        self.begun.get_or_init(|| {
            let children = self.children.clone();
            // Without the signal, whoever asks for the next shim looks after the others.
            let Ok(mut ended) = signal(SignalKind::child()) else { return };
            tokio::spawn(async move {
                while ended.recv().await.is_some() {
                    reap(&children);
                }
            });
        });
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
        // It may have ended before it was known here.
        reap(&self.children);
    }
}

fn reap(children: &Mutex<Vec<Pid>>) {
    // Its exit code says nothing: the shim told how its program ended.
    let runs = |pid: &Pid| {
        let status = waitid(Id::Pid(*pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
        matches!(status, Ok(WaitStatus::StillAlive) | Err(Errno::EINTR))
    };
    children.lock().unwrap_or_else(PoisonError::into_inner).retain(runs);
}

/// Starts `learn-proxy proxy` likewise, always anew; it has nothing to say.
///
/// # Errors
/// As fork(2) and execve(2).
pub(super) fn spawn_proxy(program: &SealedExe, control: OwnedFd) -> Result<Outcome, Fault> {
    let pid = execute(program, "proxy", control, Stdio::null())?;
    let facts = facts([("pid", &pid), ("sealed", &program.describe())]);
    Ok(Outcome { facts, value: Value::Pid(pid) })
}

/// Starts `learn-<role> <role>` with `control` as its standard input; its pid.
fn execute(program: &SealedExe, role: &str, control: OwnedFd, log: Stdio) -> io::Result<u32> {
    // No pre_exec hook: so std uses posix_spawn, whose vfork does not copy the daemon's page tables.
    let mut child = Command::new(program.path()?)
        .arg0(format!("learn-{role}"))
        .arg(role)
        .stdin(control)
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .current_dir("/")
        .spawn()?;
    let pid = child.id().unwrap_or_default();
    tokio::spawn(async move { child.wait().await });
    Ok(pid)
}
