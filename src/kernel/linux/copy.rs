//! Lays one layer's tree over a directory: what overlayfs would show, made by copying.
//!
//! Each level is entered only after it has been made sure that the directory copied into is one:
//! a link that a lower layer left there is replaced, never followed.

use super::remove::remove_tree;
use crate::kernel::Fault;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, lsetxattr,
    mknodat, utimensat,
};
use std::collections::HashMap;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// overlayfs's mark on a directory that hides the one below, with and without privileges.
const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/// Files with several names, by device and inode, and where the first copy is.
type Linked = HashMap<(u64, u64), PathBuf>;

/// Copies the tree at `from` over `to`, an existing directory.
///
/// # Errors
/// The kernel's refusal, naming the entry.
pub(super) fn copy_tree(from: &str, to: &str) -> Result<(), Fault> {
    copy_directory(Path::new(from), Path::new(to), &mut Linked::new())
}

fn copy_directory(from: &Path, to: &Path, linked: &mut Linked) -> Result<(), Fault> {
    for entry in fs::read_dir(from).map_err(|error| at(from, error))? {
        let entry = entry.map_err(|error| at(from, error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let meta = fs::symlink_metadata(&source).map_err(|error| at(&source, error))?;
        copy_entry(&source, &target, &meta, linked)?;
    }
    let meta = fs::symlink_metadata(from).map_err(|error| at(from, error))?;
    dress(from, to, &meta)
}

fn copy_entry(source: &Path, target: &Path, meta: &Metadata, linked: &mut Linked) -> Result<(), Fault> {
    let kind = meta.file_type();
    if kind.is_dir() {
        let is_directory = fs::symlink_metadata(target).is_ok_and(|there| there.is_dir());
        if !is_directory || is_opaque(source) {
            clear(target)?;
            fs::create_dir(target).map_err(|error| at(target, error))?;
        }
        return copy_directory(source, target, linked);
    }
    clear(target)?;
    if kind.is_char_device() && meta.rdev() == 0 {
        return Ok(());
    }
    let inode = (meta.dev(), meta.ino());
    if let Some(first) = linked.get(&inode) {
        return fs::hard_link(first, target).map_err(|error| at(target, error));
    }
    let made = if kind.is_symlink() {
        fs::read_link(source).and_then(|said| symlink(said, target))
    } else if kind.is_file() {
        fs::copy(source, target).map(drop)
    } else {
        let node = if kind.is_fifo() {
            FileType::Fifo
        } else if kind.is_socket() {
            FileType::Socket
        } else if kind.is_block_device() {
            FileType::BlockDevice
        } else {
            FileType::CharacterDevice
        };
        mknodat(CWD, target, node, Mode::empty(), meta.rdev()).map_err(io::Error::from)
    };
    made.map_err(|error| at(target, error))?;
    if meta.nlink() > 1 {
        linked.insert(inode, target.to_owned());
    }
    dress(source, target, meta)
}

fn clear(target: &Path) -> Result<(), Fault> {
    match fs::symlink_metadata(target) {
        Err(_) => Ok(()),
        Ok(there) if there.is_dir() => remove_tree(&target.to_string_lossy()),
        Ok(_) => fs::remove_file(target).map_err(|error| at(target, error)),
    }
}

fn is_opaque(directory: &Path) -> bool {
    OPAQUE.iter().any(|name| matches!(lgetxattr(directory, *name, &mut [0u8; 4][..]), Ok(1)))
}

/// Owner first: changing it takes set-user-id bits and capabilities away. Times last.
fn dress(from: &Path, to: &Path, meta: &Metadata) -> Result<(), Fault> {
    match lchown(to, Some(meta.uid()), Some(meta.gid())) {
        // Without privileges everything belongs to the user, as the layer does already.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        result => result.map_err(|error| at(to, error))?,
    }
    copy_attributes(from, to).map_err(|error| at(to, error))?;
    if !meta.is_symlink() {
        let mode = Permissions::from_mode(meta.mode() & 0o7777);
        fs::set_permissions(to, mode).map_err(|error| at(to, error))?;
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: meta.atime(), tv_nsec: meta.atime_nsec() },
        last_modification: Timespec { tv_sec: meta.mtime(), tv_nsec: meta.mtime_nsec() },
    };
    utimensat(CWD, to, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| at(to, errno.into()))
}

fn copy_attributes(from: &Path, to: &Path) -> io::Result<()> {
    let length = match llistxattr(from, &mut [0u8; 0][..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    let mut names = vec![0u8; length];
    let length = llistxattr(from, &mut names[..])?;
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let own = OPAQUE.iter().any(|mark| mark.as_bytes() == name);
        if own {
            continue;
        }
        let mut value = vec![0u8; lgetxattr(from, name, &mut [0u8; 0][..])?];
        let length = lgetxattr(from, name, &mut value[..])?;
        match lsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::PERM | rustix::io::Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn at(path: &Path, error: io::Error) -> Fault {
    let fault = Fault::from(error);
    Fault { message: format!("{}: {}", path.display(), fault.message), ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_below_is_replaced_and_never_followed() {
        let place = tempfile::tempdir().expect("a directory");
        let path = |name: &str| place.path().join(name);
        for name in ["lower", "upper/etc", "outside", "root"] {
            fs::create_dir_all(path(name)).expect("a directory");
        }
        symlink(path("outside"), path("lower/etc")).expect("a link");
        fs::write(path("lower/kept"), "below").expect("a file");
        fs::write(path("upper/etc/passwd"), "above").expect("a file");
        for layer in ["lower", "upper"] {
            let (from, to) = (path(layer), path("root"));
            copy_tree(from.to_str().expect("utf-8"), to.to_str().expect("utf-8")).expect("a copy");
        }
        assert!(fs::symlink_metadata(path("root/etc")).expect("there").is_dir());
        assert_eq!(fs::read_to_string(path("root/etc/passwd")).expect("a file"), "above");
        assert_eq!(fs::read_to_string(path("root/kept")).expect("a file"), "below");
        assert_eq!(fs::read_dir(path("outside")).expect("a directory").count(), 0);
    }
}
