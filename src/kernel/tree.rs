//! A container's file tree, held open from outside: how `cp`, `export`, `diff` and `commit` see it.
//!
//! Paths are the container's own; no link in them leads out. Finding is no act, so it is no
//! operation; reading a tar out and writing one in are (`archive.read`, `archive.write`).

use super::{ByteStream, Fault, Outcome, Value};
use crate::error::Kind;
use crate::trace::facts;
use futures_util::future::BoxFuture;
use std::fmt;
use std::io;
use std::sync::Arc;

/// What kind of thing an inode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Bytes.
    File,
    /// Names.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A block device.
    Block,
    /// A character device.
    Character,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// overlayfs's mark for "removed": a character device 0/0.
    Whiteout,
}

/// What is known of an inode without opening it: inode(7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inode {
    /// What it is.
    pub sort: Sort,
    /// Permission bits, set-id and sticky bits included.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since the epoch, and nanoseconds.
    pub mtime: (i64, u32),
    /// A directory that hides what lower layers have in it.
    pub opaque: bool,
}

impl Inode {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.sort == Sort::Directory
    }
}

/// Something in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Absolute, inside; links on the way are resolved, the last name's only when it was asked for.
    pub path: String,
    /// What is there.
    pub inode: Inode,
    /// Where a link leads when it is followed to its end, absolute; whether or not anything is
    /// there.
    pub target: Option<String>,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// As [`Found::path`] gave it.
    pub path: String,
    /// What the tar calls it: `etc`, `.`, or nothing for names without any prefix.
    pub name: String,
    /// Mount points of the container's own that are read as what is mounted there; others are
    /// read as empty.
    pub through: Vec<String>,
}

/// How to write.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// An existing directory, as [`Found::path`] gave it.
    pub into: String,
    /// Refuse to put a directory in the place of what is none, and the other way round.
    pub keep_sorts: bool,
    /// Whose everything is to be, whatever the tar says.
    pub owner: Option<(u32, u32)>,
}

/// A tree, held open.
pub trait FileTree: Send + Sync + fmt::Debug {
    /// Looks a path up; `follow` also resolves a link at its end.
    ///
    /// # Errors
    /// As path_resolution(7): ENOENT, ENOTDIR, ELOOP.
    fn find(&self, path: &str, follow: bool) -> io::Result<Found>;

    /// Reads a path and what is below it, as a tar. A failure midway is the stream's last item.
    fn read(self: Arc<Self>, reading: Reading) -> ByteStream;

    /// Writes the entries of a tar, compressed or not. Gives their number.
    fn write(self: Arc<Self>, writing: Writing, bytes: ByteStream) -> BoxFuture<'static, Result<u64, Fault>>;
}

/// What travels beside an `archive` operation, and beside `store.pack-layer`.
pub enum TreeWork {
    /// For `archive.open-tree`: source on the host, target inside.
    Open(Vec<(String, String)>),
    /// For `archive.read`.
    Read(Arc<dyn FileTree>, Reading),
    /// For `archive.write`.
    Write(Arc<dyn FileTree>, Writing, ByteStream),
    /// For `store.pack-layer`: paths, absolute inside, that are left out when nothing is in them.
    Pack(Vec<String>),
}

/// What an `archive` operation gives back.
pub enum TreeAnswer {
    /// From `archive.open-tree`.
    Tree(Arc<dyn FileTree>),
    /// From `archive.read`.
    Archive(ByteStream),
}

/// Reads or writes: the same on every kernel, since the tree knows how.
///
/// # Errors
/// Those of the tree.
pub async fn perform(work: TreeWork) -> Result<Outcome, Fault> {
    match work {
        TreeWork::Read(tree, reading) => {
            let stream = tree.read(reading);
            Ok(Outcome { value: Value::Tree(TreeAnswer::Archive(stream)), ..Outcome::done() })
        }
        TreeWork::Write(tree, writing, bytes) => {
            let entries = tree.write(writing, bytes).await?;
            Ok(Outcome::facts(facts([("entries", &entries)])))
        }
        TreeWork::Open(_) | TreeWork::Pack(_) => {
            Err(Fault::new(Kind::Internal, "a tree is opened by its own kernel"))
        }
    }
}
