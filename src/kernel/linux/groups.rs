//! Performs [`CgroupOp`]: cgroups(7).

use super::sys;
use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Payload};
use crate::op::CgroupOp;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the members of a group may take to be gone once they have been killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Performs one act, blocking: a group whose last member is still exiting is waited for.
///
/// # Errors
/// As mkdir(2) and rmdir(2); a group that does not empty is `EBUSY`.
pub fn perform(op: &CgroupOp, payload: &Payload) -> Result<Outcome, Fault> {
    match op {
        CgroupOp::Create { path } => fs::DirBuilder::new().recursive(true).mode(0o755).create(path)?,
        CgroupOp::Remove { path } => remove(Path::new(path), Instant::now() + PATIENCE)?,
        CgroupOp::AttachDeviceFilter { path, .. } => {
            let Payload::DeviceFilter(program) = payload else {
                return Err(Fault::new(Kind::Internal, "cgroup.attach-device-filter needs its program"));
            };
            sys::attach_device_filter(fs::File::open(path)?.as_fd(), program)?;
        }
    }
    Ok(Outcome::done())
}

/// Removes a group and the groups the container made in it, deepest first.
fn remove(group: &Path, deadline: Instant) -> io::Result<()> {
    let mut pause = Duration::from_millis(1);
    loop {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                if !remove_children(group, deadline)? {
                    // The kernel tells of an empty group by inotify on v2 only; on both it is a
                    // matter of a few milliseconds after the last exit.
                    if Instant::now() >= deadline {
                        return Err(error);
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => return result,
        }
    }
}

fn remove_children(group: &Path, deadline: Instant) -> io::Result<bool> {
    let mut removed = false;
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path(), deadline)?;
            removed = true;
        }
    }
    Ok(removed)
}
