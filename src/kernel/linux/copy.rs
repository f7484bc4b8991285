//! Lays a layer's tree over a directory, where overlayfs is missing: what overlayfs would show is
//! made by copying. Whiteouts and opaque directories of the layer remove what is there.
//!
//! Directories are opened one at a time by their path beneath the root, so that depth costs no
//! descriptors, and never through a link.

use super::remove::remove_at;
use crate::kernel::Fault;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, SeekFrom, Stat, Timespec, Timestamps, Uid,
    XattrFlags, chmodat, chownat, copy_file_range, fchmod, fchown, fgetxattr, flistxattr, fsetxattr, fstat,
    ftruncate, futimens, ioctl_ficlone, linkat, mkdirat, mknodat, openat, openat2, readlinkat, seek, statat,
    symlinkat, utimensat,
};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

/// Longest value of an extended attribute: XATTR_SIZE_MAX.
const LONGEST_VALUE: usize = 64 * 1024;

/// Copies all that is in `from` over the existing directory `to`.
///
/// # Errors
/// The kernel's refusal, naming the entry.
pub(super) fn copy_tree(from: &str, to: &str) -> Result<(), Fault> {
    let mut copy = Copy {
        from: open_root(from).map_err(|errno| fault(from.as_bytes(), errno))?,
        to: open_root(to).map_err(|errno| fault(to.as_bytes(), errno))?,
        root: rustix::process::geteuid().is_root(),
        linked: HashMap::new(),
    };
    let mut waiting = vec![Vec::new()];
    let mut made: Vec<Vec<u8>> = Vec::new();
    while let Some(path) = waiting.pop() {
        copy.directory(&path, &mut waiting)?;
        made.push(path);
    }
    // Last, for their entries changed their times, and a mode may forbid to make entries.
    for path in &made {
        copy.finish(path).map_err(|errno| fault(path, errno))?;
    }
    Ok(())
}

struct Copy {
    from: OwnedFd,
    to: OwnedFd,
    root: bool,
    /// Inode in the layer → path of its first name, for files that have several.
    linked: HashMap<u64, Vec<u8>>,
}

/// One entry to be made: where from, where to, under which name.
struct Place<'a> {
    from: &'a OwnedFd,
    to: &'a OwnedFd,
    name: &'a [u8],
    stat: Stat,
}

impl Copy {
    /// Copies a directory's entries; its directories are made and put into `waiting`.
    fn directory(&mut self, path: &[u8], waiting: &mut Vec<Vec<u8>>) -> Result<(), Fault> {
        let refused = |errno| fault(path, errno);
        let from = open_beneath(&self.from, path).map_err(refused)?;
        let to = open_beneath(&self.to, path).map_err(refused)?;
        if is_opaque(&from) {
            for name in names(&to).map_err(refused)? {
                remove_at(&to, &name)?;
            }
        }
        for name in names(&from).map_err(refused)? {
            let whole = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            let stat =
                statat(&from, &*name, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| fault(&whole, errno))?;
            let place = Place { from: &from, to: &to, name: &name, stat };
            self.entry(&place, &whole).map_err(|errno| fault(&whole, errno))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                waiting.push(whole);
            }
        }
        Ok(())
    }

    fn entry(&mut self, place: &Place<'_>, path: &[u8]) -> Result<(), Errno> {
        let kind = FileType::from_raw_mode(place.stat.st_mode);
        if kind == FileType::CharacterDevice && place.stat.st_rdev == 0 {
            return remove(place.to, place.name);
        }
        match kind {
            FileType::Directory => make_directory(place),
            FileType::RegularFile => self.file(place, path),
            FileType::Symlink => {
                let target = readlinkat(place.from, place.name, Vec::new())?;
                replacing(place, || symlinkat(&*target, place.to, place.name))?;
                self.describe_by_name(place, false)
            }
            kind => {
                let mode = Mode::from_raw_mode(0o600);
                let made = replacing(place, || mknodat(place.to, place.name, kind, mode, place.stat.st_rdev));
                match made {
                    // An ordinary user's container has no devices: its own /dev has what it needs.
                    Err(Errno::PERM) if !self.root => Ok(()),
                    made => made.and_then(|()| self.describe_by_name(place, true)),
                }
            }
        }
    }

    fn file(&mut self, place: &Place<'_>, path: &[u8]) -> Result<(), Errno> {
        if place.stat.st_nlink > 1 {
            if let Some(first) = self.linked.get(&place.stat.st_ino) {
                // Every directory on the way was made or found to be one by this very copy.
                return replacing(place, || {
                    linkat(&self.to, &**first, place.to, place.name, AtFlags::empty())
                });
            }
            self.linked.insert(place.stat.st_ino, path.to_vec());
        }
        let from = open_file(place)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = replacing(place, || openat(place.to, place.name, flags, Mode::RUSR | Mode::WUSR))?;
        copy_data(&from, &to, &place.stat)?;
        self.describe(&from, &to, &place.stat)
    }

    /// Gives a directory its owner, mode, attributes and times.
    fn finish(&self, path: &[u8]) -> Result<(), Errno> {
        let from = open_beneath(&self.from, path)?;
        let to = open_beneath(&self.to, path)?;
        self.describe(&from, &to, &fstat(&from)?)
    }

    /// Owner first: a change of owner clears setuid bits and file capabilities.
    fn describe(&self, from: &OwnedFd, to: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
        if self.root {
            fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
        }
        copy_attributes(from, to)?;
        fchmod(to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        futimens(to, &times(stat))
    }

    fn describe_by_name(&self, place: &Place<'_>, has_mode: bool) -> Result<(), Errno> {
        let (stat, nofollow) = (&place.stat, AtFlags::SYMLINK_NOFOLLOW);
        if self.root {
            let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
            chownat(place.to, place.name, Some(uid), Some(gid), nofollow)?;
        }
        if has_mode {
            let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
            chmodat(place.to, place.name, mode, AtFlags::empty())?;
        }
        utimensat(place.to, place.name, &times(stat), nofollow)
    }
}

/// Makes something, after removing what has its name.
fn replacing<T>(place: &Place<'_>, make: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match make() {
        Err(Errno::EXIST) => {
            remove(place.to, place.name)?;
            make()
        }
        made => made,
    }
}

fn make_directory(place: &Place<'_>) -> Result<(), Errno> {
    match mkdirat(place.to, place.name, Mode::RWXU) {
        Err(Errno::EXIST) => {}
        made => return made,
    }
    let there = statat(place.to, place.name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(there.st_mode) != FileType::Directory {
        remove(place.to, place.name)?;
        return mkdirat(place.to, place.name, Mode::RWXU);
    }
    // An earlier layer may have shut it for its owner; `finish` gives it this layer's mode.
    chmodat(place.to, place.name, Mode::RWXU, AtFlags::empty())
}

fn remove(directory: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    remove_at(directory, name).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Opens a file to read. Its owner may have no permission on it (`/etc/shadow` of some images):
/// then it is given for the moment of opening.
fn open_file(place: &Place<'_>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match openat(place.from, place.name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let mode = Mode::from_raw_mode(place.stat.st_mode & 0o7777);
            chmodat(place.from, place.name, mode | Mode::RUSR, AtFlags::empty())?;
            let opened = openat(place.from, place.name, flags, Mode::empty());
            chmodat(place.from, place.name, mode, AtFlags::empty())?;
            opened
        }
        opened => opened,
    }
}

/// Shares the blocks where the file system can (ioctl_ficlone(2)), else copies what is not a hole.
fn copy_data(from: &OwnedFd, to: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
    let size = stat.st_size.cast_unsigned();
    if size == 0 || ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    ftruncate(to, size)?;
    let mut at = 0;
    while at < size {
        let data = match seek(from, SeekFrom::Data(at)) {
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            found => found?,
        };
        let end = seek(from, SeekFrom::Hole(data))?;
        copy_stretch(from, to, data, end)?;
        at = end;
    }
    Ok(())
}

fn copy_stretch(from: &OwnedFd, to: &OwnedFd, begin: u64, end: u64) -> Result<(), Errno> {
    let (mut reading, mut writing) = (begin, begin);
    while reading < end {
        let left = usize::try_from(end - reading).unwrap_or(usize::MAX);
        match copy_file_range(from, Some(&mut reading), to, Some(&mut writing), left) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            // Two file systems, or one that cannot.
            Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => {
                return copy_plainly(from, to, reading, end)
                    .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn copy_plainly(from: &OwnedFd, to: &OwnedFd, begin: u64, end: u64) -> io::Result<()> {
    let (mut from, mut to) = (File::from(from.try_clone()?), File::from(to.try_clone()?));
    seek(&from, SeekFrom::Start(begin))?;
    seek(&to, SeekFrom::Start(begin))?;
    io::copy(&mut io::Read::take(&mut from, end - begin), &mut to)?;
    Ok(())
}

/// Everything but overlayfs's own marks, which mean nothing in a plain tree.
fn copy_attributes(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    let mut list = [0; LONGEST_VALUE];
    let length = match flistxattr(from, &mut list[..]) {
        Err(Errno::OPNOTSUPP) => return Ok(()),
        found => found?,
    };
    let mut value = Vec::new();
    for name in list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
            continue;
        }
        value.resize(LONGEST_VALUE, 0);
        let length = fgetxattr(from, name, &mut value[..])?;
        match fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Err(Errno::OPNOTSUPP | Errno::PERM) => {}
            set => set?,
        }
    }
    Ok(())
}

/// overlayfs.rst: as root marks it, or as an ordinary user does.
fn is_opaque(directory: &OwnedFd) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0; 2];
        fgetxattr(directory, *name, &mut value[..]).is_ok_and(|length| value[..length] == *b"y")
    })
}

fn names(directory: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if !matches!(&*name, b"." | b"..") {
            names.push(name);
        }
    }
    // The same order on every file system: the first name of a hard link is the same too.
    names.sort();
    Ok(names)
}

fn open_root(path: &str) -> Result<OwnedFd, Errno> {
    openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn open_beneath(root: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    openat2(root, path, flags, Mode::empty(), resolve)
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds: i64, nanos: u64| Timespec { tv_sec: seconds, tv_nsec: nanos.cast_signed() };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

fn fault(path: &[u8], errno: Errno) -> Fault {
    let fault = Fault::from(io::Error::from(errno));
    Fault { message: format!("cannot copy {}: {}", String::from_utf8_lossy(path), fault.message), ..fault }
}
