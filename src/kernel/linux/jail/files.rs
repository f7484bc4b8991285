//! Files and directories, as shim and init make them.

use super::root::Root;
use super::{errno, not_here};
use crate::kernel::{Fault, Outcome, Payload};
use crate::op::{FsOp, WriteReason};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::libc::dev_t;
use nix::sys::stat::{Mode, SFlag, fstatat, makedev, mknodat};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};

/// Performs one file operation; paths below `root` are resolved inside it.
pub(super) fn perform(root: Option<&Root>, op: &FsOp, payload: &Payload) -> Result<Outcome, Fault> {
    let confined = |path: &str| root.filter(|root| root.holds(path));
    match op {
        FsOp::CreateDirectory { path, mode } => match confined(path) {
            Some(root) => root.make_directory_at(path, *mode)?,
            None => DirBuilder::new().recursive(true).mode(*mode).create(path)?,
        },
        FsOp::CreateFile { path, mode } => match confined(path) {
            Some(root) => root.make_file_at(path, *mode)?,
            None => drop(OpenOptions::new().create(true).append(true).mode(*mode).open(path)?),
        },
        FsOp::WriteFile { path, value, why } => write(path, value, *why, payload)?,
        FsOp::Symlink { target, path } => match confined(path) {
            Some(root) => {
                let (parent, name) = root.parent(path, 0o755)?;
                ignore_existing(rustix::fs::symlinkat(target.as_str(), parent, name))?;
            }
            None => symlink(target, path)?,
        },
        FsOp::MakeNode { path, major, minor, mode } => {
            let device = makedev(u64::from(*major), u64::from(*minor));
            let mode = Mode::from_bits_truncate(*mode);
            match confined(path) {
                Some(root) => {
                    let (parent, name) = root.parent(path, 0o755)?;
                    match mknodat(parent.as_fd(), name, SFlag::S_IFCHR, mode, device) {
                        Err(Errno::EEXIST) if is_device(&parent, name, device)? => {}
                        made => made.map_err(errno)?,
                    }
                }
                None => {
                    mknodat(rustix::fs::CWD, path.as_str(), SFlag::S_IFCHR, mode, device).map_err(errno)?
                }
            }
        }
        FsOp::Rename { from, to } => fs::rename(from, to)?,
        FsOp::RemoveFile { path } => fs::remove_file(path)?,
        _ => return Err(not_here(&op.clone().into())),
    }
    Ok(Outcome::done())
}

/// Kernel files take one write a line: a device rule, a pid, a mapping.
fn write(path: &str, value: &str, why: WriteReason, payload: &Payload) -> Result<(), Fault> {
    match why {
        WriteReason::Cgroup | WriteReason::IdMap | WriteReason::Proc => {
            let mut file = OpenOptions::new().write(true).open(path)?;
            for line in value.lines() {
                file.write_all(line.as_bytes())?;
            }
        }
        WriteReason::Bundle | WriteReason::Store | WriteReason::Run => {
            let bytes = match payload {
                Payload::Bytes(bytes) => bytes.as_ref(),
                _ => value.as_bytes(),
            };
            let new = format!("{path}.new");
            File::create(&new)?.write_all(bytes)?;
            fs::rename(&new, path)?;
        }
    }
    Ok(())
}

/// A container without a `/dev` of its own has the image's, whose nodes are as good if they are
/// what they are called: masks are made of `/dev/null`.
fn is_device(parent: &OwnedFd, name: &str, device: dev_t) -> Result<bool, Fault> {
    let found = fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(errno)?;
    Ok(SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFCHR && found.st_rdev == device)
}

/// An image may bring its own `/dev/fd`; that is as good.
fn ignore_existing(result: rustix::io::Result<()>) -> Result<(), Fault> {
    match result {
        Err(rustix::io::Errno::EXIST) => Ok(()),
        other => Ok(other.map_err(std::io::Error::from)?),
    }
}
