//! One layer laid over a directory, where there is no overlayfs: what that would show, by copying.

use super::mounts::Location;
use super::overlay::is_opaque;
use super::processes::Pid;
use super::tree::{Content, Ino, Node};
use super::world::World;
use nix::errno::Errno;
use std::collections::BTreeMap;

impl World {
    /// Copies what `from` holds into `to`, an existing directory: directories merge unless the new
    /// one is opaque, a whiteout removes, anything else replaces. Owners, modes and hard links stay
    /// as they are.
    ///
    /// # Errors
    /// As open(2) for either side.
    pub(super) fn copy_tree(&mut self, who: Pid, from: &str, to: &str) -> Result<(), Errno> {
        let (from, to) = (self.directory(who, from)?, self.directory(who, to)?);
        self.copy_directory(who, from, to, &mut BTreeMap::new())
    }

    fn copy_directory(
        &mut self,
        who: Pid,
        from: Location,
        to: Location,
        linked: &mut BTreeMap<Ino, Location>,
    ) -> Result<(), Errno> {
        let entries = self.fs_at(from)?.tree.entries(from.ino)?.clone();
        for (name, ino) in entries {
            self.copy_entry(who, Location { ino, ..from }, to, &name, linked)?;
        }
        let original = self.node(from)?.clone();
        self.dress(to, &original)
    }

    fn copy_entry(
        &mut self,
        who: Pid,
        source: Location,
        to: Location,
        name: &str,
        linked: &mut BTreeMap<Ino, Location>,
    ) -> Result<(), Errno> {
        let node = self.node(source)?.clone();
        let present = self.fs_at(to)?.tree.lookup(to.ino, name).ok().map(|ino| Location { ino, ..to });
        if let Some(below) = present {
            if node.is_directory() && self.node(below)?.is_directory() && !is_opaque(&node) {
                return self.copy_directory(who, source, below, linked);
            }
            self.take_tree(who, to, name)?;
        }
        if node.is_whiteout() {
            return Ok(());
        }
        if node.is_directory() {
            let ino = self.make(who, to, name, Node::directory(node.mode))?;
            return self.copy_directory(who, source, Location { ino, ..to }, linked);
        }
        if let Some(first) = linked.get(&source.ino) {
            return self.hard_link(who, *first, to, name);
        }
        let ino = self.make(who, to, name, node.clone())?;
        if node.links > 1 {
            linked.insert(source.ino, Location { ino, ..to });
        }
        self.dress(Location { ino, ..to }, &node)
    }

    /// Owner and mode of the original; without privilege everything stays the caller's.
    fn dress(&mut self, at: Location, original: &Node) -> Result<(), Errno> {
        let fs = self.mount_at(at)?.fs;
        let privileged = !self.machine.unprivileged();
        self.change(fs, at.ino, |node| {
            if privileged {
                (node.uid, node.gid) = (original.uid, original.gid);
            }
            if !matches!(node.content, Content::Symlink(_)) {
                node.mode = original.mode;
            }
        })
    }
}
