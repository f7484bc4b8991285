//! The file systems of the modelled machine: a tree each, and what makes one kind differ from
//! another.

use super::cgroups::Hierarchy;
use super::overlay::Overlay;
use super::procfs::Procfs;
use super::tree::Tree;
use std::collections::BTreeMap;

/// Number of a file system: its minor device number.
pub type FsId = u32;

/// One file system.
#[derive(Clone, Debug)]
pub struct FileSystem {
    /// Its name in `/proc/filesystems`: `ext4`, `tmpfs`, `overlay`, …
    pub name: String,
    /// Its inodes.
    pub tree: Tree,
    /// What is special about it.
    pub sort: Sort,
}

/// What is special about a file system.
#[derive(Clone, Debug)]
pub enum Sort {
    /// Nothing: what is written is read back.
    Plain,
    /// Layers: see [`super::overlay`].
    Overlay(Overlay),
    /// Processes as files: see [`super::procfs`].
    Proc(Procfs),
    /// Control groups: see [`super::cgroups`].
    Cgroup(Hierarchy),
    /// The kernel's own tree: names neither come nor go (sysfs).
    Fixed,
}

impl FileSystem {
    /// A file system of the plain sort.
    pub fn plain(name: &str, tree: Tree) -> FileSystem {
        FileSystem { name: name.to_owned(), tree, sort: Sort::Plain }
    }

    /// The layers, when it is an overlay.
    pub fn overlay_mut(&mut self) -> Option<&mut Overlay> {
        match &mut self.sort {
            Sort::Overlay(overlay) => Some(overlay),
            _ => None,
        }
    }
}

/// All file systems there are.
#[derive(Clone, Debug, Default)]
pub struct FileSystems {
    all: BTreeMap<FsId, FileSystem>,
    next: FsId,
}

impl FileSystems {
    /// Adds one.
    pub fn add(&mut self, filesystem: FileSystem) -> FsId {
        self.next += 1;
        self.all.insert(self.next, filesystem);
        self.next
    }

    /// One of them. Ids come from [`FileSystems::add`] and stay valid while something is mounted.
    ///
    /// # Panics
    /// When the id never was one.
    pub fn get(&self, id: FsId) -> &FileSystem {
        self.all.get(&id).expect("file systems are never dropped while mounted")
    }

    /// One of them, to change.
    ///
    /// # Panics
    /// As [`FileSystems::get`].
    pub fn get_mut(&mut self, id: FsId) -> &mut FileSystem {
        self.all.get_mut(&id).expect("file systems are never dropped while mounted")
    }

    /// Lends one out of the collection while `work` uses both.
    pub fn beside<T>(&mut self, id: FsId, work: impl FnOnce(&mut FileSystem, &mut FileSystems) -> T) -> T {
        let mut one = self.all.remove(&id).expect("file systems are never dropped while mounted");
        let result = work(&mut one, self);
        self.all.insert(id, one);
        result
    }

    /// All of them, by id.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (FsId, &mut FileSystem)> {
        self.all.iter_mut().map(|(id, filesystem)| (*id, filesystem))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (FsId, &FileSystem)> {
        self.all.iter().map(|(id, filesystem)| (*id, filesystem))
    }
}
