//! A container's files from outside: paths are resolved as the container would resolve them, by
//! openat2(2) with RESOLVE_IN_ROOT, so that no link in an image or a volume leads onto the host.
//!
//! ```text
//!  running   /proc/<pid>/root ─────────────────────────▶ root descriptor ─▶ find, read, write
//!  stopped   helper process: its own mount namespace,
//!            overlay and volumes mounted ──SCM_RIGHTS──▶ root descriptor, and the namespace
//! ```

mod helper;
mod layer;
mod pack;

pub use helper::main as helper_main;
pub(super) use helper::open;
pub(super) use layer::pack_layer;

use super::unpack::over;
use crate::kernel::tree::{FileTree, Found, Inode, Reading, Sort, Writing};
use crate::kernel::{ByteStream, Fault};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fgetxattr, openat, openat2, readlinkat, statat,
};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Never out of the root, never through /proc's own links.
const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// Links followed before a path counts as a loop, as in path_resolution(7).
const MOST_LINKS: usize = 40;

/// Bytes of a tar handed over at once.
const STRETCH: usize = 128 * 1024;

/// A tree held open.
#[derive(Debug)]
pub(super) struct LinuxTree {
    root: OwnedFd,
    /// Keeps the mounts of a stopped container's tree: the namespace ends with its last user.
    _namespace: Option<OwnedFd>,
}

impl LinuxTree {
    /// A tree whose root is the directory at `path`, itself never a link but for `/proc/<pid>/root`.
    pub(super) fn at(path: &str) -> io::Result<LinuxTree> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(LinuxTree { root: openat(CWD, path, flags, Mode::empty())?, _namespace: None })
    }

    /// Opens what a settled path names; nothing in it is followed.
    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let inside = path.trim_start_matches('/');
        let inside = if inside.is_empty() { "." } else { inside };
        let resolve = INSIDE | ResolveFlags::NO_SYMLINKS;
        loop {
            match openat2(&self.root, inside, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                // Something elsewhere was renamed while `..` was looked up: openat2(2).
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
    }

    /// Walks a path, following links; the last name's only when `follow`. What is behind the end
    /// of a link need not be there.
    fn settle(&self, path: &str, follow: bool) -> io::Result<(Vec<String>, Option<Stat>)> {
        let mut ahead: Vec<String> = names(path).rev().collect();
        let mut settled: Vec<String> = Vec::new();
        let mut links = 0;
        let mut last = None;
        while let Some(name) = ahead.pop() {
            if name == ".." {
                settled.pop();
                last = None;
                continue;
            }
            let directory = self.open(&settled.join("/"), OFlags::PATH | OFlags::DIRECTORY)?;
            let stat = match statat(&directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) if ahead.is_empty() => {
                    settled.push(name);
                    return Ok((settled, None));
                }
                Err(errno) => return Err(errno.into()),
            };
            let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
            if !is_link || (ahead.is_empty() && !follow) {
                settled.push(name);
                last = Some(stat);
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP.into());
            }
            let target = readlinkat(&directory, name.as_str(), Vec::new())?;
            let target = target.to_string_lossy().into_owned();
            if target.starts_with('/') {
                settled.clear();
            }
            ahead.extend(names(&target).rev());
            last = None;
        }
        if last.is_none() {
            let fd = self.open(&settled.join("/"), OFlags::PATH)?;
            last = Some(rustix::fs::fstat(&fd)?);
        }
        Ok((settled, last))
    }
}

/// The names of a path; `.` and nothing are none.
fn names(path: &str) -> impl DoubleEndedIterator<Item = String> + '_ {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned)
}

impl FileTree for LinuxTree {
    fn find(&self, path: &str, follow: bool) -> io::Result<Found> {
        // A slash or a dot at the end asks for a directory, and so for what a link leads to.
        let asserted = path.ends_with('/') || path.ends_with("/.");
        let (settled, stat) = self.settle(path, follow || asserted)?;
        let stat = stat.ok_or(Errno::NOENT)?;
        let inode = inode(&stat, false);
        if asserted && !inode.is_directory() {
            return Err(Errno::NOTDIR.into());
        }
        let target = match inode.sort {
            Sort::Symlink => {
                let (target, _) = self.settle(path, true).unwrap_or((settled.clone(), None));
                Some(format!("/{}", target.join("/")))
            }
            _ => None,
        };
        Ok(Found { path: format!("/{}", settled.join("/")), inode, target })
    }

    fn read(self: Arc<Self>, reading: Reading) -> ByteStream {
        let (sender, receiver) = mpsc::channel(4);
        let work = move || {
            let mut outlet = Outlet { sender: sender.clone(), buffer: Vec::with_capacity(STRETCH) };
            let packed = pack::pack(&self, &reading, &mut outlet).and_then(|()| outlet.flush());
            if let Err(error) = packed {
                // Whoever listened may be gone; that is also what ended it then.
                let _ = sender.blocking_send(Err(error));
            }
        };
        tokio::task::spawn_blocking(work);
        ReceiverStream::new(receiver).boxed()
    }

    fn write(self: Arc<Self>, writing: Writing, bytes: ByteStream) -> BoxFuture<'static, Result<u64, Fault>> {
        let input = SyncIoBridge::new(StreamReader::new(bytes));
        let work = tokio::task::spawn_blocking(move || {
            let root = self.root.try_clone().map_err(Fault::from)?;
            over::write(root, &writing, input)
        });
        Box::pin(async move {
            work.await.map_err(|error| Fault::new(crate::error::Kind::Internal, error.to_string()))?
        })
    }
}

/// A writer whose bytes go to the asynchronous side.
struct Outlet {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= STRETCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(STRETCH));
        let sent = self.sender.blocking_send(Ok(full.into()));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// What lstat(2) says, in the engine's words.
pub(super) fn inode(stat: &Stat, opaque: bool) -> Inode {
    let sort = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Sort::File,
        FileType::Directory => Sort::Directory,
        FileType::Symlink => Sort::Symlink,
        FileType::BlockDevice => Sort::Block,
        FileType::CharacterDevice if stat.st_rdev == 0 => Sort::Whiteout,
        FileType::CharacterDevice => Sort::Character,
        FileType::Fifo => Sort::Fifo,
        _ => Sort::Socket,
    };
    Inode {
        sort,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or_default()),
        opaque,
    }
}

/// `Host::look`.
pub(super) fn look(path: &str) -> io::Result<Inode> {
    let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let opaque = is_directory && {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        is_opaque(&openat(CWD, path, flags, Mode::empty())?)
    };
    Ok(inode(&stat, opaque))
}

/// overlayfs.rst: as root marks it, or as an ordinary user does.
fn is_opaque(directory: &OwnedFd) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0; 2];
        fgetxattr(directory, *name, &mut value[..]).is_ok_and(|length| value[..length] == *b"y")
    })
}
