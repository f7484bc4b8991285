//! Removes a directory and all that is in it, whatever a container left there: directories
//! without permissions, trees deeper than any path is long, links, sockets. Nothing outside is
//! touched: no link is followed and no mount point entered.

use crate::error::Kind;
use crate::kernel::Fault;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, chmodat, fchmod, openat, openat2,
    renameat_with, unlinkat,
};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Directories open at once; deeper ones are moved up before they are emptied.
const DEEPEST: usize = 64;
/// How often a directory may fill up again while it is emptied.
const MOST_RETRIES: u32 = 100;

/// Removes the tree at `path`, which may be gone already, or a single file of that name.
///
/// # Errors
/// The kernel's refusal, naming the entry; a mount point inside is `EXDEV` or `EBUSY`.
pub fn remove_tree(path: &str) -> Result<(), Fault> {
    let (Some(parent), Some(name)) = (Path::new(path).parent(), Path::new(path).file_name()) else {
        return Err(Fault::new(Kind::Internal, format!("refusing to remove {path:?}")));
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, parent, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Fault::from(io::Error::from(errno))),
        Ok(parent) => remove_at(&parent, name.as_bytes()).map_err(|error| {
            let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Stuck>());
            match cause {
                Some(stuck) => Fault { message: stuck.to_string(), ..Fault::errno(stuck.errno) },
                None => Fault::from(error),
            }
        }),
    }
}

/// An entry that does not go.
#[derive(Debug, thiserror::Error)]
#[error("cannot remove {path}: {}", io::Error::from_raw_os_error(*.errno))]
struct Stuck {
    path: String,
    errno: i32,
}

/// Removes the entry `name` of a directory, with all that is in it.
///
/// # Errors
/// The kernel's refusal, naming the entry.
pub(super) fn remove_at(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // EPERM is POSIX's answer for a directory, EISDIR is Linux's.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(stuck(&[], name, errno)),
    }
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::ACCESS) => {}
        Err(errno) => return Err(stuck(&[], name, errno)),
    }
    let top = enter(parent, name).map_err(|errno| stuck(&[], name, errno))?;
    empty(top, name)?;
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(stuck(&[], name, errno)),
    }
}

struct Frame {
    fd: OwnedFd,
    name: Vec<u8>,
    /// What is still to be entered.
    directories: Vec<Vec<u8>>,
}

fn empty(top: OwnedFd, name: &[u8]) -> io::Result<()> {
    let mut stack = vec![Frame { directories: sweep(&top, name)?, fd: top, name: name.to_vec() }];
    let mut hoisted = 0u64;
    let mut retries = 0;
    while let Some(frame) = stack.last_mut() {
        if let Some(name) = frame.directories.pop() {
            if stack.len() < DEEPEST {
                let at = &stack[stack.len() - 1].fd;
                let fd = enter(at, &name).map_err(|errno| stuck(&stack, &name, errno))?;
                stack.push(Frame { directories: sweep(&fd, &name)?, fd, name });
            } else {
                hoist(&mut stack, &name, &mut hoisted)?;
            }
            continue;
        }
        let Some(done) = stack.pop() else { break };
        let Some(above) = stack.last_mut() else { break };
        match unlinkat(&above.fd, &*done.name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) if retries < MOST_RETRIES => {
                retries += 1;
                above.directories.push(done.name);
            }
            Err(errno) => return Err(stuck(&stack, &done.name, errno)),
        }
    }
    Ok(())
}

/// Opens a directory to empty it: not through a link, not onto another mount.
fn enter(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let open = || openat2(parent, name, flags, Mode::empty(), resolve);
    let fd = match open() {
        Err(Errno::ACCESS) => {
            chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            open()?
        }
        opened => opened?,
    };
    if !rustix::process::geteuid().is_root() {
        // Removing an entry needs write and search permission on its directory.
        fchmod(&fd, Mode::RWXU)?;
    }
    Ok(fd)
}

/// Removes all but the directories, whose names it returns.
fn sweep(directory: &OwnedFd, name: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let refused = |errno| stuck(&[], name, errno);
    let mut directories = Vec::new();
    for entry in Dir::read_from(directory).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        if entry.file_type() == FileType::Directory {
            directories.push(name.to_vec());
            continue;
        }
        match unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            // A file system that does not tell types.
            Err(Errno::ISDIR) => directories.push(name.to_vec()),
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(directories)
}

/// Moves a directory that lies too deep to the top, where it is emptied later.
fn hoist(stack: &mut [Frame], name: &[u8], hoisted: &mut u64) -> io::Result<()> {
    let deep = &stack[stack.len() - 1].fd;
    if !rustix::process::geteuid().is_root() {
        // A new parent is written into the directory itself, as "..".
        chmodat(deep, name, Mode::RWXU, AtFlags::empty()).map_err(|errno| stuck(stack, name, errno))?;
    }
    loop {
        *hoisted += 1;
        let new = format!(".deep-{hoisted}").into_bytes();
        match renameat_with(deep.as_fd(), name, &stack[0].fd, &*new, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(stuck(stack, name, errno)),
            Ok(()) => {
                stack[0].directories.push(new);
                return Ok(());
            }
        }
    }
}

fn stuck(stack: &[Frame], name: &[u8], errno: Errno) -> io::Error {
    let parts: Vec<_> = stack
        .iter()
        .map(|frame| &*frame.name)
        .chain([name])
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    io::Error::other(Stuck { path: parts.join("/"), errno: errno.raw_os_error() })
}
