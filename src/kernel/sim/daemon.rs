//! Acts of the daemon's own: what it removes may be gone already, because a rollback may come
//! twice, and a group goes with the groups a container made in it.

use super::mounts::Location;
use super::processes::Pid;
use super::world::World;
use crate::op::{CgroupOp, FsOp};
use bytes::Bytes;
use nix::errno::Errno;

impl World {
    /// Performs one operation on files, as the daemon does it.
    ///
    /// # Errors
    /// As [`World::file_op`], but for what is gone or there already.
    pub(super) fn daemon_file_op(&mut self, who: Pid, op: &FsOp, text: Option<Bytes>) -> Result<(), Errno> {
        let done = self.file_op(who, op, text);
        match op {
            FsOp::RemoveFile { .. } | FsOp::RemoveTree { .. } => unless(Errno::ENOENT, done),
            // Whatever is there can be covered by a mount as it is.
            FsOp::CreateFile { .. } => unless(Errno::EISDIR, done),
            _ => done,
        }
    }

    /// Makes a group, or removes one with those below it, deepest first.
    ///
    /// # Errors
    /// EBUSY while one of them has members; EACCES, ENOTDIR.
    pub(super) fn daemon_cgroup_op(&mut self, who: Pid, op: &CgroupOp) -> Result<(), Errno> {
        if let CgroupOp::Remove { path } = op
            && let Ok(group) = self.directory(who, path)
        {
            self.remove_groups_below(who, group)?;
        }
        self.cgroup_op(who, op)
    }

    fn remove_groups_below(&mut self, who: Pid, group: Location) -> Result<(), Errno> {
        let tree = &self.fs_at(group)?.tree;
        let is_group = |ino: &u64| tree.node(*ino).is_ok_and(|node| node.is_directory());
        let entries = tree.entries(group.ino)?.iter().filter(|(_, ino)| is_group(ino));
        let groups: Vec<(String, u64)> = entries.map(|(name, ino)| (name.clone(), *ino)).collect();
        for (name, ino) in groups {
            self.remove_groups_below(who, Location { ino, ..group })?;
            self.take_directory(who, group, &name)?;
        }
        Ok(())
    }
}

fn unless(forgiven: Errno, done: Result<(), Errno>) -> Result<(), Errno> {
    match done {
        Err(errno) if errno == forgiven => Ok(()),
        other => other,
    }
}
