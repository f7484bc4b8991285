//! The mount table: which tree is seen where, per mount namespace. mount_namespaces(7).

use super::filesystem::FsId;
use super::namespaces::NsId;
use super::tree::Ino;
use std::collections::{BTreeMap, BTreeSet};

/// Number of a mount, as in the first column of `/proc/self/mountinfo`.
pub type MountId = u32;

/// A place in the mounted tree: an inode, seen through a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Through which mount.
    pub mount: MountId,
    /// Which inode of the mounted file system.
    pub ino: Ino,
}

/// One mount.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The mount namespace it is seen in.
    pub namespace: NsId,
    /// What it covers; `None` for a namespace's root.
    pub over: Option<Location>,
    /// The file system it shows.
    pub fs: FsId,
    /// The part of the file system it shows.
    pub root: Ino,
    /// mount(8)'s words: `ro`, `nosuid`, `nodev`, `noexec`.
    pub flags: BTreeSet<String>,
    /// `shared`, `slave`, `private` or `unbindable`.
    pub propagation: String,
    /// What the table says was mounted.
    pub source: String,
    /// The file system's own options.
    pub data: String,
}

impl Mount {
    /// Where the mount itself begins.
    pub fn top(&self, id: MountId) -> Location {
        Location { mount: id, ino: self.root }
    }

    /// Whether it has this flag.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }
}

/// All mounts of all namespaces.
#[derive(Clone, Debug, Default)]
pub struct Mounts {
    all: BTreeMap<MountId, Mount>,
    next: MountId,
}

impl Mounts {
    /// Adds a mount.
    pub fn add(&mut self, mount: Mount) -> MountId {
        self.next += 1;
        self.all.insert(self.next, mount);
        self.next
    }

    /// A mount, if it is still there.
    pub fn get(&self, id: MountId) -> Option<&Mount> {
        self.all.get(&id)
    }

    /// A mount, to change.
    pub fn get_mut(&mut self, id: MountId) -> Option<&mut Mount> {
        self.all.get_mut(&id)
    }

    /// What lies on top of a location: mounts over it, mounts over those.
    pub fn uncovered(&self, mut location: Location) -> Location {
        while let Some((id, mount)) = self.all.iter().find(|(_, mount)| mount.over == Some(location)) {
            location = mount.top(*id);
        }
        location
    }

    /// The mounts of a namespace, oldest first.
    pub fn of(&self, namespace: NsId) -> impl Iterator<Item = (MountId, &Mount)> {
        self.all.iter().filter(move |(_, mount)| mount.namespace == namespace).map(|(id, mount)| (*id, mount))
    }

    /// Mounts that lie on `id`, nearest first, all the way down.
    pub fn below(&self, id: MountId) -> Vec<MountId> {
        let mut found = vec![id];
        let mut next = 0;
        while next < found.len() {
            let parent = found[next];
            let on_it = |mount: &Mount| mount.over.is_some_and(|over| over.mount == parent);
            found.extend(self.all.iter().filter(|(_, mount)| on_it(mount)).map(|(id, _)| *id));
            next += 1;
        }
        found.split_off(1)
    }

    /// Takes a mount away with all that lies on it.
    pub fn detach(&mut self, id: MountId) {
        for mount in self.below(id) {
            self.all.remove(&mount);
        }
        self.all.remove(&id);
    }

    /// Takes a whole namespace's mounts away, when its last process has gone.
    pub fn drop_namespace(&mut self, namespace: NsId) {
        self.all.retain(|_, mount| mount.namespace != namespace);
    }

    /// Copies all mounts of one namespace into another; returns old → new. With `less_privileged`
    /// (a new user namespace) shared mounts become slaves.
    pub fn copy(&mut self, from: NsId, to: NsId, less_privileged: bool) -> BTreeMap<MountId, MountId> {
        let originals: Vec<(MountId, Mount)> = self.of(from).map(|(id, mount)| (id, mount.clone())).collect();
        let mut map = BTreeMap::new();
        for (id, mut mount) in originals.clone() {
            mount.namespace = to;
            if less_privileged && mount.propagation == "shared" {
                mount.propagation = "slave".to_owned();
            }
            map.insert(id, self.add(mount));
        }
        for new in map.values() {
            if let Some(Mount { over: Some(over), .. }) = self.all.get_mut(new) {
                over.mount = map[&over.mount];
            }
        }
        map
    }
}
