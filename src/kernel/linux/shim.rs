//! Starts shims and takes their exit status when they are done.

use super::seal::SealedExe;
use crate::kernel::{Fault, Outcome, Value};
use crate::trace::facts;
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use tokio::process::Command;

/// Starts `learn-shim shim` with `control` as its standard input and `<bundle>/shim.log` as its
/// standard error. It gets a process group of its own, so that Ctrl-C at the daemon's terminal
/// does not reach it, and `/` as its directory, so that it keeps no mount busy.
///
/// # Errors
/// As fork(2), execve(2) and open(2).
pub(super) fn spawn(program: &SealedExe, bundle: &str, control: OwnedFd) -> Result<Outcome, Fault> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(format!("{bundle}/shim.log"))?;
    spawn_role(program, "shim", control, log.into())
}

/// Starts `learn-proxy proxy` likewise; it has nothing to say.
///
/// # Errors
/// As fork(2) and execve(2).
pub(super) fn spawn_proxy(program: &SealedExe, control: OwnedFd) -> Result<Outcome, Fault> {
    spawn_role(program, "proxy", control, Stdio::null())
}

fn spawn_role(program: &SealedExe, role: &str, control: OwnedFd, log: Stdio) -> Result<Outcome, Fault> {
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
    // Waits for this one child by its pidfd, so that nobody else's children are touched. If the
    // daemon ends first the shim lives on, and init(1) inherits it.
    tokio::spawn(async move { child.wait().await });
    let facts = facts([("pid", &pid), ("sealed", &program.describe())]);
    Ok(Outcome { facts, value: Value::Pid(pid) })
}
