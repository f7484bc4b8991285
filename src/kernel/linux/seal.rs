//! The runtime's own program, out of reach for writing from inside a container.
//!
//! Until init becomes the program, `/proc/<pid>/exe` inside the container names this very binary;
//! a container that kept it open for writing could replace what the host runs next as root
//! (CVE-2019-5736). So shims are started from something nobody can write through: a detached
//! read-only mount of the file, or, without the privilege to mount, a sealed copy in memory.

use super::sys;
use rustix::fs::{CWD, MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

/// A program that can be run and not be changed.
#[derive(Debug)]
pub struct SealedExe {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// A detached mount whose root is the file: open_tree(2).
    Mount(OwnedFd),
    /// The file, and its copy once one was needed: memfd_create(2).
    Copy { original: File, sealed: OnceLock<OwnedFd> },
}

impl SealedExe {
    /// Seals the running program.
    ///
    /// # Errors
    /// As open(2).
    pub fn of_this_program() -> io::Result<SealedExe> {
        SealedExe::of(Path::new("/proc/self/exe"))
    }

    /// Seals the program at `path`.
    ///
    /// # Errors
    /// As open(2).
    pub fn of(path: &Path) -> io::Result<SealedExe> {
        let way = match read_only_mount(path) {
            Ok(tree) => Way::Mount(tree),
            // Not privileged, or Linux before 5.12: the copy costs memory, not safety.
            Err(_) => Way::Copy { original: File::open(path)?, sealed: OnceLock::new() },
        };
        Ok(SealedExe { way })
    }

    /// What to execute: `/proc/self/fd/<n>`, in a child of this process.
    ///
    /// # Errors
    /// As memfd_create(2) and write(2), the first time a copy is needed.
    pub fn path(&self) -> io::Result<String> {
        let fd = match &self.way {
            Way::Mount(tree) => tree,
            Way::Copy { original, sealed } => match sealed.get() {
                Some(copy) => copy,
                None => {
                    let copy = sealed_copy(original)?;
                    sealed.get_or_init(|| copy)
                }
            },
        };
        Ok(format!("/proc/self/fd/{}", fd.as_raw_fd()))
    }

    /// How it is sealed, as the calls that did it.
    pub fn describe(&self) -> &'static str {
        match self.way {
            Way::Mount(_) => "open_tree(OPEN_TREE_CLONE) + mount_setattr(MOUNT_ATTR_RDONLY)",
            Way::Copy { .. } => "memfd_create() + fcntl(F_ADD_SEALS, F_SEAL_WRITE)",
        }
    }
}

fn read_only_mount(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, path, flags)?;
    sys::mount_read_only(tree.as_fd())?;
    Ok(tree)
}

fn sealed_copy(original: &File) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // MFD_EXEC is needed where vm.memfd_noexec is set, and unknown before Linux 6.3.
    let copy = match memfd_create("learn", flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => memfd_create("learn", flags)?,
        made => made?,
    };
    let mut copy = File::from(copy);
    // A descriptor of its own, with its own position.
    let mut from = File::open(format!("/proc/self/fd/{}", original.as_raw_fd()))?;
    io::copy(&mut from, &mut copy)?;
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(copy.into())
}
