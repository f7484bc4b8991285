//! Performs [`FsOp`], blocking, for either door.

use super::copy::copy_tree;
use super::remove::remove_tree;
use crate::kernel::{Fault, Outcome};
use crate::op::{FsOp, WriteReason};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Performs one act. `content` is the whole text of `fs.write-file`; without it the value shown
/// is the whole text.
///
/// # Errors
/// The kernel's refusal.
pub fn perform(op: &FsOp, content: Option<&[u8]>) -> Result<Outcome, Fault> {
    match op {
        FsOp::CreateDirectory { path, mode } => create_directory(path, *mode)?,
        FsOp::CreateFile { path, mode } => create_file(path, *mode)?,
        FsOp::WriteFile { path, value, why } => {
            let content = content.unwrap_or(value.as_bytes());
            match why {
                WriteReason::Store => replace(path, &format!("{path}.new"), content)?,
                WriteReason::Bundle => write_plain(path, content)?,
                WriteReason::Run => exchange(path, content)?,
                // A device rule or a pid a write; a mapping is one write as a whole.
                WriteReason::Cgroup => {
                    for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                        write_once(path, line)?;
                    }
                }
                WriteReason::IdMap | WriteReason::Proc => write_once(path, content)?,
            }
        }
        FsOp::Symlink { target, path } => std::os::unix::fs::symlink(target, path)?,
        FsOp::MakeNode { path, major, minor, mode } => {
            let device = makedev(*major, *minor);
            mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(*mode), device)
                .map_err(io::Error::from)?;
            exact_mode(path, *mode)?;
        }
        FsOp::Rename { from, to } => fs::rename(from, to)?,
        FsOp::CopyTree { from, to } => copy_tree(from, to)?,
        FsOp::RemoveFile { path } => match fs::remove_file(path) {
            // Gone is what was asked for: a rollback may come twice.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        },
        FsOp::RemoveTree { path } => remove_tree(path)?,
    }
    Ok(Outcome::done())
}

/// Whether an act is so small that handing it to another thread would cost more than itself.
pub fn is_quick(op: &FsOp) -> bool {
    !matches!(
        op,
        FsOp::CopyTree { .. } | FsOp::RemoveTree { .. } | FsOp::WriteFile { why: WriteReason::Store, .. }
    )
}

fn create_directory(path: &str, mode: u32) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| there.is_dir()) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    exact_mode(path, mode)
}

fn create_file(path: &str, mode: u32) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Ok(_) => exact_mode(path, mode),
        // Whatever is there can be covered by a mount as it is.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The mode asked for, whatever the umask took away.
fn exact_mode(path: &str, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Puts `content` in the place of `path` so that a crash at any moment leaves the old file or
/// the new one: the data is on disk before the name, and the name before this returns.
pub(super) fn replace(path: &str, temporary: &str, content: &[u8]) -> io::Result<()> {
    let written = write_synced(temporary, content).and_then(|()| fs::rename(temporary, path));
    if let Err(error) = written {
        // The first failure is the one to tell; a temporary file that stays is overwritten.
        let _ = fs::remove_file(temporary);
        return Err(error);
    }
    match Path::new(path).parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

fn write_synced(path: &str, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// The same for what no boot has to find again: whole for every process, but not yet on a disk.
pub(super) fn exchange(path: &str, content: &[u8]) -> io::Result<()> {
    let temporary = format!("{path}.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    fs::rename(temporary, path)
}

fn write_plain(path: &str, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.write_all(content)
}

/// Kernel files take their value in one write(2), and are never created.
fn write_once(path: &str, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    match file.write(content)? {
        written if written == content.len() => Ok(()),
        written => Err(io::Error::other(format!("took {written} of {} bytes", content.len()))),
    }
}
