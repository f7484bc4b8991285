//! One file system's inodes: directories, files, links, devices. Pure state and errno; who may do
//! what and what is mounted where is decided elsewhere. Numbers as in path_resolution(7),
//! unlink(2), rename(2).

use bytes::Bytes;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// An inode number, unique within its [`Tree`].
pub type Ino = u64;

/// The inode of every tree's root directory.
pub const ROOT: Ino = 1;

/// One inode.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it holds.
    pub content: Content,
    /// Permission bits, set-id and sticky bits included.
    pub mode: u32,
    /// Owner, as the host counts.
    pub uid: u32,
    /// Group, as the host counts.
    pub gid: u32,
    /// Names it has.
    pub links: u32,
    /// Extended attributes: xattr(7).
    pub xattrs: BTreeMap<String, Bytes>,
}

/// What an inode holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Names.
    Directory {
        /// The directory above; the root's is itself.
        parent: Ino,
        /// Name → inode.
        entries: BTreeMap<String, Ino>,
    },
    /// Bytes.
    File(Bytes),
    /// Where it points.
    Symlink(String),
    /// A device node.
    Device {
        /// Block rather than character.
        block: bool,
        /// Device numbers.
        major: u32,
        /// Device numbers.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

impl Node {
    /// A node of root's with no name yet.
    pub fn new(content: Content, mode: u32) -> Node {
        Node { content, mode, uid: 0, gid: 0, links: 0, xattrs: BTreeMap::new() }
    }

    /// An empty directory; [`Tree::add`] tells it its parent.
    pub fn directory(mode: u32) -> Node {
        Node::new(Content::Directory { parent: ROOT, entries: BTreeMap::new() }, mode)
    }

    /// A file.
    pub fn file(bytes: impl Into<Bytes>, mode: u32) -> Node {
        Node::new(Content::File(bytes.into()), mode)
    }

    /// A symbolic link.
    pub fn symlink(target: impl Into<String>) -> Node {
        Node::new(Content::Symlink(target.into()), 0o777)
    }

    /// A character device.
    pub fn device(major: u32, minor: u32, mode: u32) -> Node {
        Node::new(Content::Device { block: false, major, minor }, mode)
    }

    /// The same node of another owner.
    #[must_use]
    pub fn owned(mut self, uid: u32, gid: u32) -> Node {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.content, Content::Directory { .. })
    }

    /// Whether it is overlayfs's sign for "removed": a character device 0/0.
    pub fn is_whiteout(&self) -> bool {
        matches!(self.content, Content::Device { block: false, major: 0, minor: 0 })
    }

    /// Its bytes: a file's content, EISDIR for a directory, EINVAL for what has none.
    ///
    /// # Errors
    /// See above.
    pub fn bytes(&self) -> Result<Bytes, Errno> {
        match &self.content {
            Content::File(bytes) => Ok(bytes.clone()),
            Content::Directory { .. } => Err(Errno::EISDIR),
            // The devices a container gets (null, zero, …) read as empty here.
            Content::Device { .. } => Ok(Bytes::new()),
            Content::Symlink(_) | Content::Fifo => Err(Errno::EINVAL),
        }
    }
}

/// The inodes of one file system.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: BTreeMap<Ino, Node>,
    next: Ino,
}

impl Tree {
    /// A tree that holds nothing but its root directory.
    pub fn new(mode: u32) -> Tree {
        let mut root = Node::directory(mode);
        root.links = 1;
        Tree { nodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1 }
    }

    /// The inode; ESTALE when it is gone.
    ///
    /// # Errors
    /// See above.
    pub fn node(&self, ino: Ino) -> Result<&Node, Errno> {
        self.nodes.get(&ino).ok_or(Errno::ESTALE)
    }

    /// The inode, to change.
    ///
    /// # Errors
    /// ESTALE when it is gone.
    pub fn node_mut(&mut self, ino: Ino) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&ino).ok_or(Errno::ESTALE)
    }

    /// A directory's names.
    ///
    /// # Errors
    /// ENOTDIR, ESTALE.
    pub fn entries(&self, directory: Ino) -> Result<&BTreeMap<String, Ino>, Errno> {
        match &self.node(directory)?.content {
            Content::Directory { entries, .. } => Ok(entries),
            _ => Err(Errno::ENOTDIR),
        }
    }

    fn entries_mut(&mut self, directory: Ino) -> Result<&mut BTreeMap<String, Ino>, Errno> {
        match &mut self.node_mut(directory)?.content {
            Content::Directory { entries, .. } => Ok(entries),
            _ => Err(Errno::ENOTDIR),
        }
    }

    /// The directory above.
    ///
    /// # Errors
    /// ENOTDIR, ESTALE.
    pub fn parent(&self, directory: Ino) -> Result<Ino, Errno> {
        match self.node(directory)?.content {
            Content::Directory { parent, .. } => Ok(parent),
            _ => Err(Errno::ENOTDIR),
        }
    }

    /// The inode a name stands for.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR.
    pub fn lookup(&self, directory: Ino, name: &str) -> Result<Ino, Errno> {
        self.entries(directory)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    /// Gives a new node its first name.
    ///
    /// # Errors
    /// EEXIST, ENOTDIR.
    pub fn add(&mut self, directory: Ino, name: &str, mut node: Node) -> Result<Ino, Errno> {
        let ino = self.next;
        if self.entries(directory)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        if let Content::Directory { parent, .. } = &mut node.content {
            *parent = directory;
        }
        node.links = 1;
        self.entries_mut(directory)?.insert(name.to_owned(), ino);
        self.nodes.insert(ino, node);
        self.next += 1;
        Ok(ino)
    }

    /// Gives a node another name: link(2).
    ///
    /// # Errors
    /// EPERM for a directory, EEXIST, ENOTDIR.
    pub fn link(&mut self, directory: Ino, name: &str, ino: Ino) -> Result<(), Errno> {
        if self.node(ino)?.is_directory() {
            return Err(Errno::EPERM);
        }
        if self.entries(directory)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.entries_mut(directory)?.insert(name.to_owned(), ino);
        self.node_mut(ino)?.links += 1;
        Ok(())
    }

    /// Takes a name from what is not a directory: unlink(2).
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, EISDIR.
    pub fn unlink(&mut self, directory: Ino, name: &str) -> Result<(), Errno> {
        let ino = self.lookup(directory, name)?;
        if self.node(ino)?.is_directory() {
            return Err(Errno::EISDIR);
        }
        self.entries_mut(directory)?.remove(name);
        let node = self.node_mut(ino)?;
        node.links -= 1;
        if node.links == 0 {
            self.nodes.remove(&ino);
        }
        Ok(())
    }

    /// Removes an empty directory: rmdir(2).
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, ENOTEMPTY.
    pub fn rmdir(&mut self, directory: Ino, name: &str) -> Result<(), Errno> {
        let ino = self.lookup(directory, name)?;
        if !self.entries(ino)?.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.entries_mut(directory)?.remove(name);
        self.nodes.remove(&ino);
        Ok(())
    }

    /// Removes a name and, when it is a directory's, all that is below.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR.
    pub fn remove_all(&mut self, directory: Ino, name: &str) -> Result<(), Errno> {
        let ino = self.lookup(directory, name)?;
        if !self.node(ino)?.is_directory() {
            return self.unlink(directory, name);
        }
        let names: Vec<String> = self.entries(ino)?.keys().cloned().collect();
        for inner in names {
            self.remove_all(ino, &inner)?;
        }
        self.rmdir(directory, name)
    }

    /// Moves a name, over an existing one where rename(2) allows it.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, EISDIR, ENOTEMPTY; EINVAL when a directory would move below itself.
    pub fn rename(&mut self, from: (Ino, &str), to: (Ino, &str)) -> Result<(), Errno> {
        let moved = self.lookup(from.0, from.1)?;
        let is_directory = self.node(moved)?.is_directory();
        if is_directory && self.is_below(to.0, moved)? {
            return Err(Errno::EINVAL);
        }
        match self.lookup(to.0, to.1) {
            Ok(existing) if existing == moved => return Ok(()),
            Ok(existing) => match (is_directory, self.node(existing)?.is_directory()) {
                (true, true) => self.rmdir(to.0, to.1)?,
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                (false, false) => self.unlink(to.0, to.1)?,
            },
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
        self.entries_mut(from.0)?.remove(from.1);
        self.entries_mut(to.0)?.insert(to.1.to_owned(), moved);
        if let Content::Directory { parent, .. } = &mut self.node_mut(moved)?.content {
            *parent = to.0;
        }
        Ok(())
    }

    /// A directory and name that lead to an inode; the first found where there are several.
    pub fn name_of(&self, ino: Ino) -> Option<(Ino, String)> {
        self.nodes.iter().find_map(|(directory, node)| match &node.content {
            Content::Directory { entries, .. } => {
                let (name, _) = entries.iter().find(|(_, named)| **named == ino)?;
                Some((*directory, name.clone()))
            }
            _ => None,
        })
    }

    fn is_below(&self, mut directory: Ino, ancestor: Ino) -> Result<bool, Errno> {
        while directory != ROOT {
            if directory == ancestor {
                return Ok(true);
            }
            directory = self.parent(directory)?;
        }
        Ok(directory == ancestor)
    }

    /// Makes the directories of a slash-separated path that are missing, without following
    /// links, and returns the last one. For building trees, not for walking them.
    ///
    /// # Errors
    /// ENOTDIR when something on the way is no directory.
    pub fn directories(&mut self, path: &str, mode: u32) -> Result<Ino, Errno> {
        let mut at = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match self.lookup(at, name) {
                Ok(ino) => ino,
                Err(Errno::ENOENT) => self.add(at, name, Node::directory(mode))?,
                Err(errno) => return Err(errno),
            };
        }
        self.entries(at).map(|_| at)
    }

    /// Puts a node at a path, over whatever file is there, making missing directories.
    ///
    /// # Errors
    /// As [`Tree::directories`]; EISDIR when a directory is there.
    pub fn plant(&mut self, path: &str, node: Node) -> Result<Ino, Errno> {
        let (directory, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let directory = self.directories(directory, 0o755)?;
        match self.unlink(directory, name) {
            Ok(()) | Err(Errno::ENOENT) => self.add(directory, name, node),
            Err(errno) => Err(errno),
        }
    }
}
