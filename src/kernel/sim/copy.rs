//! One layer laid over a directory, where there is no overlayfs.

use super::processes::Pid;
use super::tree::{Content, Node};
use super::walk::Last;
use super::world::World;
use nix::errno::Errno;
use std::collections::BTreeMap;

impl World {
    /// Copies what `from` holds into `to`: directories merge, a whiteout removes, anything else
    /// replaces.
    ///
    /// # Errors
    /// As open(2) for either side.
    pub(super) fn copy_tree(&mut self, who: Pid, from: &str, to: &str) -> Result<(), Errno> {
        for name in self.list(who, from)? {
            let (source, target) = (format!("{from}/{name}"), format!("{to}/{name}"));
            let at = self.resolve(who, &source, Last::Keep)?;
            let mut node = self.node(at)?.clone();
            let present = self.resolve(who, &target, Last::Keep).ok();
            let merges =
                node.is_directory() && present.is_some_and(|at| self.node(at).is_ok_and(Node::is_directory));
            if present.is_some() && !merges {
                let (directory, name) = self.resolve_parent(who, &target)?;
                self.take_tree(who, directory, &name)?;
            }
            if node.is_whiteout() {
                continue;
            }
            node.links = 0;
            if let Content::Directory { entries, .. } = &mut node.content {
                *entries = BTreeMap::new();
                if !merges {
                    self.create(who, &target, node)?;
                }
                self.copy_tree(who, &source, &target)?;
            } else {
                self.create(who, &target, node)?;
            }
        }
        Ok(())
    }
}
