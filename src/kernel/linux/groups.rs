//! Performs [`CgroupOp`]: cgroups(7).

use super::sys;
use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Payload};
use crate::op::CgroupOp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the members of a group may take to be gone once they have been killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a freezer may take; a process in uninterruptible sleep outlasts it.
const FREEZER_PATIENCE: Duration = Duration::from_secs(10);

/// Performs one act, blocking: a group whose last member is still exiting is waited for.
///
/// # Errors
/// As mkdir(2) and rmdir(2); a group that does not empty is `EBUSY`, one in use by others a conflict.
pub fn perform(op: &CgroupOp, payload: &Payload) -> Result<Outcome, Fault> {
    match op {
        CgroupOp::Create { path } => create(Path::new(path))?,
        CgroupOp::Remove { path } => remove(Path::new(path), Instant::now() + PATIENCE)?,
        CgroupOp::Freeze { file } => freeze(Path::new(file), true)?,
        CgroupOp::Thaw { file } => freeze(Path::new(file), false)?,
        CgroupOp::AttachDeviceFilter { path, .. } => {
            let Payload::DeviceFilter(program) = payload else {
                return Err(Fault::new(Kind::Internal, "cgroup.attach-device-filter needs its program"));
            };
            sys::attach_device_filter(fs::File::open(path)?.as_fd(), program)?;
        }
    }
    Ok(Outcome::done())
}

/// A group that is there already may be one that a crash left, but not one somebody lives in: its
/// members would be limited, and ended, with the container's.
fn create(group: &Path) -> Result<(), Fault> {
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o755);
    match builder.create(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(builder.recursive(true).create(group)?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match populated(group)? {
            true => Err(Fault::new(Kind::Conflict, format!("{} is in use", group.display()))),
            false => Ok(()),
        },
        made => Ok(made?),
    }
}

fn populated(group: &Path) -> io::Result<bool> {
    if !fs::read_to_string(group.join("cgroup.procs"))?.is_empty() {
        return Ok(true);
    }
    for child in children(group)? {
        if populated(&child)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Freezes or thaws, and waits until the kernel says that it is done: a process in the middle of a
/// system call stops a little later. Who cannot be frozen in time is thawed again.
fn freeze(file: &Path, frozen: bool) -> io::Result<()> {
    let name = file.to_string_lossy();
    fs::write(file, CgroupOp::freezer_word(&name, frozen))?;
    let deadline = Instant::now() + FREEZER_PATIENCE;
    let mut pause = Duration::from_micros(100);
    while is_frozen(file)? != frozen {
        if Instant::now() >= deadline {
            if frozen {
                fs::write(file, CgroupOp::freezer_word(&name, false))?;
            }
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
        // v1 gives up on a task that sleeps uninterruptibly; writing again asks it again.
        if frozen && name.ends_with("freezer.state") {
            fs::write(file, CgroupOp::freezer_word(&name, true))?;
        }
    }
    Ok(())
}

/// v1 tells in the file itself (`FREEZING` on the way), v2 in `cgroup.events`.
fn is_frozen(file: &Path) -> io::Result<bool> {
    if file.ends_with("freezer.state") {
        return Ok(fs::read_to_string(file)?.trim_end() == "FROZEN");
    }
    let events = fs::read_to_string(file.with_file_name("cgroup.events"))?;
    Ok(events.lines().any(|line| line == "frozen 1"))
}

/// Removes a group and the groups the container made in it, deepest first.
fn remove(group: &Path, deadline: Instant) -> io::Result<()> {
    let mut pause = Duration::from_millis(1);
    loop {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                for child in children(group)? {
                    remove(&child, deadline)?;
                }
                // Without a pid namespace of its own a container may outlive its first process.
                end_members(group)?;
                // The kernel tells of an empty group by inotify on v2 only; on both it is a
                // matter of a few milliseconds after the last exit.
                if Instant::now() >= deadline {
                    return Err(error);
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => return result,
        }
    }
}

/// Kills who is in the group.
fn end_members(group: &Path) -> io::Result<()> {
    for pid in fs::read_to_string(group.join("cgroup.procs"))?.lines().filter_map(|pid| pid.parse().ok()) {
        // It may have ended by itself since.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    Ok(())
}

/// The groups directly below.
fn children(group: &Path) -> io::Result<Vec<PathBuf>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            children.push(entry.path());
        }
    }
    Ok(children)
}
