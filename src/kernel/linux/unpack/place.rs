//! Makes one entry: the node, then its owner, its mode, its attributes and its time, in this
//! order, for a change of owner clears setuid bits and file capabilities.

use super::archive::{Archive, Entry, Kind};
use super::error::UnpackError;
use super::name::{Mark, Name, mark};
use super::tree::{Directory, Tree, open_directory, same};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, XattrFlags, chmodat, chownat, fchmod, fchown, fsetxattr,
    ftruncate, futimens, linkat, makedev, mkdirat, mknodat, openat, statat, symlinkat, utimensat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{BufRead, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;

impl Tree {
    /// Makes one entry; a file's data is taken from `archive`.
    pub(super) fn place<R: BufRead>(
        &mut self,
        entry: Entry,
        archive: &mut Archive<R>,
    ) -> Result<(), UnpackError> {
        let name = Name::clean(&entry.path)?;
        if name.is_root() {
            return match entry.kind {
                Kind::Directory => self.place_directory(name, &entry),
                kind => Err(UnpackError::Malformed(format!("the layer's root is a {kind:?}"))),
            };
        }
        let (directory, leaf) = name.split();
        match if self.over.is_some() { Mark::None } else { mark(leaf)? } {
            Mark::None => {}
            Mark::Bookkeeping => return Ok(()),
            Mark::Opaque => return self.empty_below(directory),
            Mark::Whiteout(hidden) => return self.white_out(directory, hidden),
        }
        match entry.kind {
            Kind::File => self.place_file(&name, &entry, archive),
            Kind::Directory => self.place_directory(name, &entry),
            Kind::Symlink => self.place_symlink(&name, &entry),
            Kind::HardLink => self.place_hard_link(&name, &entry),
            Kind::Fifo => self.place_node(&name, &entry, FileType::Fifo),
            Kind::CharDevice => self.place_node(&name, &entry, FileType::CharacterDevice),
            Kind::BlockDevice => self.place_node(&name, &entry, FileType::BlockDevice),
        }
    }

    /// Calls `make` with the parent directory and the last component, a second time after
    /// whatever was there has gone.
    fn make<T>(
        &mut self,
        name: &Name,
        make: impl Fn(&Directory, &[u8]) -> Result<T, Errno>,
    ) -> Result<T, UnpackError> {
        let (directory, leaf) = name.split();
        let parent = self.directory(directory)?;
        let made = match make(&parent, leaf) {
            Err(Errno::EXIST) => {
                self.displace(name, &parent, false)?;
                make(&parent, leaf)
            }
            made => made,
        };
        made.map_err(UnpackError::at(name.bytes()))
    }

    fn place_file<R: BufRead>(
        &mut self,
        name: &Name,
        entry: &Entry,
        archive: &mut Archive<R>,
    ) -> Result<(), UnpackError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (fd, setgid) = self.make(name, |parent, leaf| {
            Ok((openat(&parent.fd, leaf, flags, Mode::RUSR | Mode::WUSR)?, parent.setgid))
        })?;
        let refused = |error| UnpackError::write(String::from_utf8_lossy(name.bytes()), error);
        let mut file = File::from(fd);
        match &entry.pieces {
            None => copy(archive, &mut file, entry.size, &refused)?,
            Some(pieces) => {
                self.sparse_left = self
                    .sparse_left
                    .checked_sub(entry.size)
                    .ok_or(UnpackError::TooLarge { limit: self.limit })?;
                for (offset, length) in pieces {
                    file.seek(SeekFrom::Start(*offset)).map_err(refused)?;
                    copy(archive, &mut file, *length, &refused)?;
                }
                ftruncate(&file, entry.size).map_err(UnpackError::at(name.bytes()))?;
            }
        }
        let fd = OwnedFd::from(file);
        self.describe(&fd, entry, Mode::from_raw_mode(entry.mode), setgid)
            .and_then(|()| futimens(&fd, &same(entry.mtime)))
            .map_err(UnpackError::at(name.bytes()))
    }

    fn place_directory(&mut self, name: Name, entry: &Entry) -> Result<(), UnpackError> {
        let (directory, leaf) = name.split();
        let parent = self.directory(directory)?;
        let at = || UnpackError::at(name.bytes());
        let leaf = if name.is_root() { b"." } else { leaf };
        let mut opaque = false;
        match mkdirat(&parent.fd, leaf, Mode::RWXU) {
            Err(Errno::EXIST) => {
                let there = statat(&parent.fd, leaf, AtFlags::SYMLINK_NOFOLLOW).map_err(at())?;
                let kind = FileType::from_raw_mode(there.st_mode);
                if kind != FileType::Directory {
                    // A whiteout before the directory of its name: both are meant, the lower
                    // directory is gone and this one is there.
                    opaque = kind == FileType::CharacterDevice && there.st_rdev == 0;
                    self.displace(&name, &parent, true)?;
                    mkdirat(&parent.fd, leaf, Mode::RWXU).map_err(at())?;
                }
            }
            made => made.map_err(at())?,
        }
        let fd = open_directory(&parent.fd, leaf).map_err(at())?;
        if opaque {
            self.make_opaque(&fd).map_err(at())?;
        }
        let mode = self.defer(name.clone(), entry.mode, entry.mtime);
        // `mkdir` in a setgid directory takes its group, and so would an owner that is skipped.
        // One that was there may be anybody's.
        let anybody = parent.setgid || name.is_root() || self.over.is_some();
        self.describe(&fd, entry, mode, anybody).map_err(at())?;
        self.keep(name.bytes(), fd, entry.mode);
        Ok(())
    }

    fn place_symlink(&mut self, name: &Name, entry: &Entry) -> Result<(), UnpackError> {
        if entry.link.is_empty() {
            return Err(UnpackError::Malformed(format!("the link {:?} says nothing", shown(name))));
        }
        let (privileged, owner) = (self.privileged, owner(entry));
        // What a link says is not checked: it is only ever followed inside the root.
        self.make(name, |parent, leaf| {
            symlinkat(&*entry.link, &parent.fd, leaf)?;
            if privileged {
                chownat(&parent.fd, leaf, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            utimensat(&parent.fd, leaf, &same(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)
        })
    }

    fn place_hard_link(&mut self, name: &Name, entry: &Entry) -> Result<(), UnpackError> {
        let target = Name::clean(&entry.link)?;
        if target == *name {
            return Ok(());
        }
        let missing = || {
            UnpackError::Malformed(format!(
                "{:?} is a hard link to {:?}, which the layer does not hold",
                shown(name),
                shown(&target)
            ))
        };
        let (directory, target_leaf) = target.split();
        let from = match self.existing(directory) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(missing()),
            found => found.map_err(UnpackError::at(target.bytes()))?,
        };
        let linked = self.make(name, |parent, leaf| {
            // Without AT_SYMLINK_FOLLOW: a link to a link is another name of that link.
            match linkat(&from, target_leaf, &parent.fd, leaf, AtFlags::empty()) {
                Err(Errno::NOENT) => Ok(Err(())),
                made => made.map(Ok),
            }
        })?;
        linked.map_err(|()| missing())
    }

    /// Devices and pipes. Without privilege devices are left out, as rootless Docker does: the
    /// container's own /dev has what it needs.
    fn place_node(&mut self, name: &Name, entry: &Entry, kind: FileType) -> Result<(), UnpackError> {
        let device = match kind {
            FileType::Fifo => 0,
            _ => makedev(entry.device.0, entry.device.1),
        };
        let (privileged, owner) = (self.privileged, owner(entry));
        if kind != FileType::Fifo && !privileged {
            self.skipped.devices += 1;
            return Ok(());
        }
        let made = self.make(name, |parent, leaf| {
            match mknodat(&parent.fd, leaf, kind, Mode::RUSR | Mode::WUSR, device) {
                // Root of a user namespace only: it has no devices to give.
                Err(Errno::PERM) if kind != FileType::Fifo => return Ok(false),
                made => made?,
            }
            if privileged {
                chownat(&parent.fd, leaf, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            // By name, for opening a device acts on it; nobody else is in this tree.
            chmodat(&parent.fd, leaf, Mode::from_raw_mode(entry.mode), AtFlags::empty())?;
            utimensat(&parent.fd, leaf, &same(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(true)
        })?;
        self.skipped.devices += u64::from(!made);
        Ok(())
    }

    /// Owner, mode and attributes of an open file or directory.
    fn describe(&mut self, fd: &OwnedFd, entry: &Entry, mode: Mode, inherits: bool) -> Result<(), Errno> {
        // New nodes are root's already, which is what most entries want.
        if self.privileged && (inherits || (entry.uid, entry.gid) != (0, 0)) {
            let (uid, gid) = owner(entry);
            fchown(fd, uid, gid)?;
        }
        fchmod(fd, mode)?;
        for (name, value) in &entry.xattrs {
            if !self.may_set(name) {
                self.skipped.xattrs += 1;
                continue;
            }
            match fsetxattr(fd, &**name, value, XattrFlags::empty()) {
                Err(Errno::OPNOTSUPP | Errno::PERM) => self.skipped.xattrs += 1,
                set => set?,
            }
        }
        Ok(())
    }

    /// An image must not steer the overlay it will be part of, and only root's word counts for
    /// what the kernel trusts.
    fn may_set(&self, name: &[u8]) -> bool {
        !name.starts_with(b"trusted.")
            && !name.starts_with(b"user.overlay.")
            && (self.privileged || name.starts_with(b"user."))
    }
}

fn copy<R: BufRead>(
    archive: &mut Archive<R>,
    file: &mut File,
    length: u64,
    refused: &impl Fn(std::io::Error) -> UnpackError,
) -> Result<(), UnpackError> {
    let mut left = length;
    while left > 0 {
        let data = archive.data()?;
        let count = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Err(UnpackError::Malformed("a file is shorter than its header says".into()));
        }
        file.write_all(&data[..count]).map_err(refused)?;
        archive.consume(count);
        left -= count as u64;
    }
    Ok(())
}

fn owner(entry: &Entry) -> (Option<Uid>, Option<Gid>) {
    // Ids of 32 bits all ones mean "leave as it is" to chown(2): no file can be theirs.
    let uid = (entry.uid != u32::MAX).then(|| Uid::from_raw(entry.uid));
    let gid = (entry.gid != u32::MAX).then(|| Gid::from_raw(entry.gid));
    (uid, gid)
}

fn shown(name: &Name) -> String {
    String::from_utf8_lossy(name.bytes()).into_owned()
}
