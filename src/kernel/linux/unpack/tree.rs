//! The layer's directory, and ways into it that cannot lead out.
//!
//! Every directory is reached by openat2(2) with RESOLVE_IN_ROOT: symbolic links, absolute ones
//! and `..` included, resolve as if the layer were the root file system. What is made is made
//! relative to such a directory by its last component, which no call here follows.

use super::error::UnpackError;
use super::name::Name;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps, XattrFlags, fchmod,
    fsetxattr, fstat, futimens, makedev, mkdirat, mknodat, openat, openat2, readlinkat, statat,
};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// Directories kept open; tars list a directory's entries together, so a few would do.
const KEPT_OPEN: usize = 64;
/// Links followed when directories are made, as the kernel's own limit: path_resolution(7).
const MOST_LINKS: u32 = 40;

/// A directory of the layer, open for what is made in it.
pub(super) struct Directory {
    pub(super) fd: OwnedFd,
    /// New entries take the directory's group.
    pub(super) setgid: bool,
}

/// What this user or file system cannot represent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skipped {
    /// Device nodes, without the privilege to make them.
    pub(super) devices: u64,
    /// Extended attributes.
    pub(super) xattrs: u64,
}

/// What a directory gets at the end: its entries would change the time, and its mode may shut
/// an unprivileged user out.
struct Last {
    mode: u32,
    mtime: Timespec,
}

/// What is different when a tree in use is written over.
pub(super) struct Over {
    /// A directory stays a directory, and everything else does not become one.
    pub(super) keep_sorts: bool,
    /// Where it is written to, for messages.
    pub(super) into: String,
}

/// A layer being built, or a tree being written over.
pub(super) struct Tree {
    root: OwnedFd,
    /// Whether owners and trusted attributes can be set.
    pub(super) privileged: bool,
    open: HashMap<Vec<u8>, Rc<Directory>>,
    last: BTreeMap<Name, Last>,
    pub(super) skipped: Skipped,
    /// Bytes that sparse files may still grow to.
    pub(super) sparse_left: u64,
    pub(super) limit: u64,
    /// Only when a tree in use is written over.
    pub(super) over: Option<Over>,
}

impl Tree {
    /// A tree that is in use, from its root.
    pub(super) fn over(root: OwnedFd, over: Over) -> Tree {
        Tree {
            root,
            privileged: rustix::process::geteuid().is_root(),
            open: HashMap::new(),
            last: BTreeMap::new(),
            skipped: Skipped::default(),
            sparse_left: u64::MAX,
            limit: u64::MAX,
            over: Some(over),
        }
    }

    /// Opens the directory a layer is built in, which is made if it is missing.
    pub(super) fn open(path: &str, limit: u64) -> Result<Tree, UnpackError> {
        match mkdirat(CWD, path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(UnpackError::write(path, errno)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(UnpackError::at(path.as_bytes()))?;
        // What an earlier attempt left would become part of the layer without being in it.
        let entries = Dir::read_from(&root).map_err(UnpackError::at(path.as_bytes()))?;
        for entry in entries {
            let entry = entry.map_err(UnpackError::at(path.as_bytes()))?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                return Err(UnpackError::write(path, Errno::NOTEMPTY));
            }
        }
        fchmod(&root, Mode::from_raw_mode(0o755)).map_err(UnpackError::at(path.as_bytes()))?;
        Ok(Tree {
            root,
            privileged: rustix::process::geteuid().is_root(),
            open: HashMap::new(),
            last: BTreeMap::new(),
            skipped: Skipped::default(),
            sparse_left: limit,
            limit,
            over: None,
        })
    }

    /// Applies what had to wait, children before their parents.
    pub(super) fn finish(self) -> Result<Skipped, UnpackError> {
        for (name, last) in self.last.iter().rev() {
            let at = || UnpackError::at(name.bytes());
            let fd = self.resolve(name.bytes(), OFlags::RDONLY | OFlags::NOFOLLOW).map_err(at())?;
            futimens(&fd, &same(last.mtime)).map_err(at())?;
            if last.mode & 0o700 != 0o700 {
                fchmod(&fd, Mode::from_raw_mode(last.mode)).map_err(at())?;
            }
        }
        Ok(self.skipped)
    }

    /// Notes a directory's final mode and time; returns the mode it has meanwhile.
    pub(super) fn defer(&mut self, name: Name, mode: u32, mtime: Timespec) -> Mode {
        self.last.insert(name, Last { mode, mtime });
        Mode::from_raw_mode(mode | 0o700)
    }

    /// Keeps a directory that was just made open for its entries.
    pub(super) fn keep(&mut self, path: &[u8], fd: OwnedFd, mode: u32) {
        self.insert(path, Rc::new(Directory { fd, setgid: mode & 0o2000 != 0 }));
    }

    fn insert(&mut self, path: &[u8], directory: Rc<Directory>) {
        if self.open.len() >= KEPT_OPEN {
            self.open.clear();
        }
        self.open.insert(path.to_vec(), directory);
    }

    /// The directory at `path`, made with its parents where it is missing.
    pub(super) fn directory(&mut self, path: &[u8]) -> Result<Rc<Directory>, UnpackError> {
        if let Some(directory) = self.open.get(path) {
            return Ok(directory.clone());
        }
        let fd = match self.resolve(path, OFlags::PATH) {
            Err(Errno::NOENT) => {
                self.make_directories(path, 0)?;
                self.resolve(path, OFlags::PATH).map_err(UnpackError::at(path))?
            }
            result => result.map_err(UnpackError::at(path))?,
        };
        let mode = fstat(&fd).map_err(UnpackError::at(path))?.st_mode;
        let directory = Rc::new(Directory { fd, setgid: mode & 0o2000 != 0 });
        self.insert(path, directory.clone());
        Ok(directory)
    }

    /// The directory at `path` if it is there.
    pub(super) fn existing(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.resolve(path, OFlags::PATH)
    }

    /// Opens a directory beneath the root, whatever the links on the way say.
    fn resolve(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        // A layer lies on one file system; a container has volumes.
        let resolve = if self.over.is_some() { inside } else { inside | ResolveFlags::NO_XDEV };
        loop {
            match openat2(&self.root, path, flags, Mode::empty(), resolve) {
                // Something elsewhere was renamed while `..` was looked up: openat2(2).
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
    }

    /// Makes every missing directory of `path`, those that links on the way point to included.
    fn make_directories(&mut self, path: &[u8], links: u32) -> Result<(), UnpackError> {
        let mut parent = self.resolve(b"", OFlags::PATH).map_err(UnpackError::at(path))?;
        let ends = (0..=path.len()).filter(|at| *at == path.len() || path[*at] == b'/');
        let mut begin = 0;
        for end in ends {
            let (prefix, component) = (&path[..end], &path[begin..end]);
            let above = &path[..begin.saturating_sub(1)];
            begin = end + 1;
            parent = match self.resolve(prefix, OFlags::PATH) {
                Err(Errno::NOENT) => {
                    self.make_directory(&parent, above, component, links)?;
                    self.resolve(prefix, OFlags::PATH).map_err(UnpackError::at(prefix))?
                }
                result => result.map_err(UnpackError::at(prefix))?,
            };
        }
        Ok(())
    }

    fn make_directory(
        &mut self,
        parent: &OwnedFd,
        above: &[u8],
        component: &[u8],
        links: u32,
    ) -> Result<(), UnpackError> {
        let shown = || UnpackError::at(component);
        match mkdirat(parent, component, Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let fd = open_directory(parent, component).map_err(shown())?;
                return fchmod(&fd, Mode::from_raw_mode(0o755)).map_err(shown());
            }
            Err(Errno::EXIST) if links < MOST_LINKS => {}
            Err(errno) => return Err(shown()(errno)),
        }
        // It exists and does not resolve: a link whose target is still to come.
        let target = readlinkat(parent, component, Vec::new()).map_err(shown())?;
        let target = target.as_bytes();
        let joined = match target.first() {
            Some(b'/') => target.to_vec(),
            _ => [above, b"/", target].concat(),
        };
        // Lexically cleaned like any name: `..` at the root stays there for the kernel, and is
        // refused here.
        self.make_directories(Name::clean(&joined)?.bytes(), links + 1)
    }

    /// Removes what is at `name`, so that another kind of entry can take its place.
    pub(super) fn displace(
        &mut self,
        name: &Name,
        parent: &Directory,
        by_directory: bool,
    ) -> Result<(), UnpackError> {
        let (_, leaf) = name.split();
        if let Some(over) = self.over.as_ref().filter(|over| over.keep_sorts) {
            let there = statat(&parent.fd, leaf, AtFlags::SYMLINK_NOFOLLOW);
            let there = there.map_err(UnpackError::at(name.bytes()))?;
            let is_directory = FileType::from_raw_mode(there.st_mode) == FileType::Directory;
            if is_directory != by_directory {
                let words = ["non-directory", "directory"].map(str::to_owned);
                let (old, new) = (&words[usize::from(is_directory)], &words[usize::from(by_directory)]);
                let path = format!("/{}", String::from_utf8_lossy(name.bytes()));
                let message = format!("cannot overwrite {old} {path:?} with {new} {:?}", over.into);
                return Err(UnpackError::Refused(message));
            }
        }
        super::super::remove::remove_at(&parent.fd, leaf)
            .map_err(|error| UnpackError::write(String::from_utf8_lossy(name.bytes()), error))?;
        // Any of them may have been reached through what is gone.
        self.open.clear();
        self.last.retain(|other, _| !other.is_within(name));
        Ok(())
    }

    /// Hides a name of lower layers: a character device 0/0, overlayfs.rst "whiteouts". An entry
    /// of this same layer is not hidden, but a directory hides what lower layers have in it.
    pub(super) fn white_out(&mut self, directory: &[u8], hidden: &[u8]) -> Result<(), UnpackError> {
        let parent = self.directory(directory)?;
        match mknodat(&parent.fd, hidden, FileType::CharacterDevice, Mode::empty(), makedev(0, 0)) {
            Err(Errno::EXIST) => {}
            result => return result.map_err(UnpackError::at(hidden)),
        }
        let there = statat(&parent.fd, hidden, AtFlags::SYMLINK_NOFOLLOW).map_err(UnpackError::at(hidden))?;
        match FileType::from_raw_mode(there.st_mode) {
            FileType::Directory => {
                let fd = open_directory(&parent.fd, hidden).map_err(UnpackError::at(hidden))?;
                self.make_opaque(&fd).map_err(UnpackError::at(hidden))
            }
            _ => Ok(()),
        }
    }

    /// Hides all that lower layers have in a directory.
    pub(super) fn empty_below(&mut self, directory: &[u8]) -> Result<(), UnpackError> {
        self.directory(directory)?;
        let fd = self.resolve(directory, OFlags::RDONLY).map_err(UnpackError::at(directory))?;
        self.make_opaque(&fd).map_err(UnpackError::at(directory))
    }

    /// overlayfs.rst: `trusted.overlay.*`, or `user.overlay.*` where overlay is mounted by an
    /// ordinary user with `userxattr`.
    pub(super) fn make_opaque(&self, directory: &OwnedFd) -> Result<(), Errno> {
        let name = if self.privileged { "trusted.overlay.opaque" } else { "user.overlay.opaque" };
        fsetxattr(directory, name, b"y", XattrFlags::empty())
    }
}

/// Opens the directory `component` itself, not what a link of that name points to.
pub(super) fn open_directory(parent: &OwnedFd, component: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, component, flags, Mode::empty())
}

/// One time for both stamps, as an image knows only one.
pub(super) fn same(time: Timespec) -> Timestamps {
    Timestamps { last_access: time, last_modification: time }
}
