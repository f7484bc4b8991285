//! Acts on files, through whatever file system they meet: mkdir(2), open(2), symlink(2),
//! mknod(2), rename(2), unlink(2), rmdir(2).

use super::filesystem::{FsId, Sort};
use super::mounts::Location;
use super::namespaces::first;
use super::overlay::Writer;
use super::processes::Pid;
use super::tree::{Content, Ino, Node};
use super::walk::{Last, Want};
use super::world::World;
use crate::op::{FsOp, Namespace, WriteReason};
use bytes::Bytes;
use nix::errno::Errno;

impl World {
    /// Performs one operation on files; `text` is what travels beside a write.
    ///
    /// # Errors
    /// The error numbers of the system calls named above.
    pub fn file_op(&mut self, who: Pid, op: &FsOp, text: Option<Bytes>) -> Result<(), Errno> {
        match op {
            FsOp::CreateDirectory { path, mode } => self.create_directories(who, path, *mode),
            FsOp::CreateFile { path, mode } => self.create_file(who, path, *mode),
            FsOp::WriteFile { path, value, why } => {
                let text = text.unwrap_or_else(|| value.clone().into());
                match why {
                    WriteReason::Store | WriteReason::Bundle | WriteReason::Run => {
                        self.write(who, path, text)
                    }
                    WriteReason::Cgroup | WriteReason::IdMap | WriteReason::Proc => {
                        self.write_existing(who, path, text)
                    }
                }
            }
            FsOp::Symlink { target, path } => {
                let confined = self.is_confined(who, path)?;
                match self.create(who, path, Node::symlink(target)) {
                    // An image may bring its own `/dev/fd`; that is as good.
                    Err(Errno::EEXIST) if confined => Ok(()),
                    other => other,
                }
            }
            FsOp::MakeNode { path, major, minor, mode } => {
                // mknod(2): no user namespace but the first makes devices.
                let process = self.processes.get(who)?;
                if !self.is_capable(process, "CAP_MKNOD", first(Namespace::User)) {
                    return Err(Errno::EPERM);
                }
                self.create(who, path, Node::device(*major, *minor, *mode))
            }
            FsOp::Rename { from, to } => self.rename(who, from, to),
            FsOp::CopyTree { from, to } => self.copy_tree(who, from, to),
            FsOp::RemoveFile { path } => {
                let (directory, name) = self.resolve_parent(who, path)?;
                self.take(who, directory, &name)
            }
            FsOp::RemoveTree { path } => {
                let (directory, name) = self.resolve_parent(who, path)?;
                self.take_tree(who, directory, &name)
            }
        }
    }

    /// Makes a node at a path that must be free.
    ///
    /// # Errors
    /// EEXIST, ENOENT, ENOTDIR, EROFS, EACCES, EPERM.
    pub(super) fn create(&mut self, who: Pid, path: &str, node: Node) -> Result<(), Errno> {
        if self.is_confined(who, path)?
            && let Some((above, _)) = path.trim_end_matches('/').rsplit_once('/')
        {
            self.create_directories(who, above, 0o755)?;
        }
        let (directory, name) = self.resolve_parent(who, path)?;
        self.make(who, directory, &name, node).map(|_| ())
    }

    /// In a container's root still seen from outside, missing parents are made on the way.
    fn is_confined(&self, who: Pid, path: &str) -> Result<bool, Errno> {
        Ok(self.processes.get(who)?.confinement(path).is_some())
    }

    /// Makes a directory and its missing parents; existing ones are fine.
    ///
    /// # Errors
    /// As mkdir(2), EEXIST only for what is no directory.
    pub(super) fn create_directories(&mut self, who: Pid, path: &str, mode: u32) -> Result<(), Errno> {
        match self.resolve(who, path, Last::Follow) {
            Ok(at) if self.node(at)?.is_directory() => return Ok(()),
            Ok(_) => return Err(Errno::EEXIST),
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
        if let Some((above, _)) = path.trim_end_matches('/').rsplit_once('/')
            && !above.is_empty()
        {
            self.create_directories(who, above, mode)?;
        }
        self.create(who, path, Node::directory(mode))
    }

    fn create_file(&mut self, who: Pid, path: &str, mode: u32) -> Result<(), Errno> {
        match self.resolve(who, path, Last::Follow) {
            Ok(at) if self.node(at)?.is_directory() && !self.is_confined(who, path)? => Err(Errno::EISDIR),
            Ok(_) => Ok(()),
            Err(Errno::ENOENT) => self.create(who, path, Node::file(Bytes::new(), mode)),
            Err(errno) => Err(errno),
        }
    }

    /// Writes a file, made when it is missing.
    ///
    /// # Errors
    /// As open(2) with O_CREAT and O_TRUNC.
    pub(super) fn write(&mut self, who: Pid, path: &str, text: Bytes) -> Result<(), Errno> {
        self.create_file(who, path, 0o644)?;
        self.write_existing(who, path, text)
    }

    fn write_existing(&mut self, who: Pid, path: &str, text: Bytes) -> Result<(), Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        if self.mount_at(at)?.has("ro") {
            return Err(Errno::EROFS);
        }
        self.permit(self.processes.get(who)?, at, Want::Write)?;
        let fs = self.mount_at(at)?.fs;
        let words = String::from_utf8_lossy(&text).into_owned();
        match &self.filesystems.get(fs).sort {
            Sort::Proc(procfs) => {
                let file = World::proc_file(procfs, at.ino)?;
                self.write_proc(who, file, &words)
            }
            // A device rule or a pid a write.
            Sort::Cgroup(_) => {
                let mut lines = words.lines().filter(|line| !line.is_empty());
                lines.try_for_each(|line| self.write_control(who, fs, at.ino, line))
            }
            Sort::Plain | Sort::Overlay(_) | Sort::Fixed => {
                if self.node(at)?.is_directory() {
                    return Err(Errno::EISDIR);
                }
                self.change(fs, at.ino, |node| {
                    if let Content::File(bytes) = &mut node.content {
                        *bytes = text.clone();
                    }
                })
            }
        }
    }

    /// Changes an inode, copied up first when it is in an overlay.
    pub(super) fn change(&mut self, fs: FsId, ino: Ino, change: impl Fn(&mut Node)) -> Result<(), Errno> {
        match self.filesystems.get(fs).sort {
            Sort::Overlay(_) => {
                self.filesystems.beside(fs, |view, others| Writer::new(view, others).change(ino, change))
            }
            _ => {
                change(self.filesystems.get_mut(fs).tree.node_mut(ino)?);
                Ok(())
            }
        }
    }

    fn may_change_names(&self, who: Pid, directory: Location) -> Result<FsId, Errno> {
        let mount = self.mount_at(directory)?;
        if mount.has("ro") {
            return Err(Errno::EROFS);
        }
        self.permit(self.processes.get(who)?, directory, Want::Write)?;
        Ok(mount.fs)
    }

    /// Makes a node in a directory.
    ///
    /// # Errors
    /// EEXIST, EROFS, EACCES; EPERM where the kernel makes all names.
    pub(super) fn make(&mut self, who: Pid, at: Location, name: &str, node: Node) -> Result<Ino, Errno> {
        if self.node(at).and_then(|_| self.fs_at(at)?.tree.lookup(at.ino, name)).is_ok() {
            return Err(Errno::EEXIST);
        }
        let fs = self.may_change_names(who, at)?;
        let process = self.processes.get(who)?;
        let node = node.owned(process.uid, process.gid);
        match &self.filesystems.get(fs).sort {
            Sort::Overlay(_) => {
                self.filesystems.beside(fs, |view, others| Writer::new(view, others).add(at.ino, name, node))
            }
            Sort::Cgroup(_) if node.is_directory() => {
                let filesystem = self.filesystems.get_mut(fs);
                match &mut filesystem.sort {
                    Sort::Cgroup(hierarchy) => hierarchy.make(&mut filesystem.tree, at.ino, name, node),
                    _ => Err(Errno::EIO),
                }
            }
            Sort::Proc(_) => Err(Errno::ENOENT),
            // open(2) with O_CREAT says EACCES where mkdir(2) and mknod(2) say EPERM.
            Sort::Cgroup(_) | Sort::Fixed => match node.content {
                Content::File(_) => Err(Errno::EACCES),
                _ => Err(Errno::EPERM),
            },
            Sort::Plain => self.filesystems.get_mut(fs).tree.add(at.ino, name, node),
        }
    }

    /// Gives the file at `existing` another name in the same file system.
    ///
    /// # Errors
    /// EXDEV across mounts; as [`World::make`].
    pub(super) fn hard_link(
        &mut self,
        who: Pid,
        existing: Location,
        at: Location,
        name: &str,
    ) -> Result<(), Errno> {
        if existing.mount != at.mount {
            return Err(Errno::EXDEV);
        }
        let fs = self.may_change_names(who, at)?;
        match self.filesystems.get(fs).sort {
            Sort::Plain => self.filesystems.get_mut(fs).tree.link(at.ino, name, existing.ino),
            _ => Err(Errno::EPERM),
        }
    }

    fn is_mount_point(&self, at: Location) -> bool {
        self.mounts.uncovered(at) != at
    }

    /// Takes a name that is no directory's.
    fn take(&mut self, who: Pid, at: Location, name: &str) -> Result<(), Errno> {
        let ino = self.fs_at(at)?.tree.lookup(at.ino, name)?;
        let fs = self.may_change_names(who, at)?;
        if self.is_mount_point(Location { ino, ..at }) {
            return Err(Errno::EBUSY);
        }
        match &self.filesystems.get(fs).sort {
            Sort::Overlay(_) => self
                .filesystems
                .beside(fs, |view, others| Writer::new(view, others).remove(at.ino, name, false)),
            Sort::Plain => self.filesystems.get_mut(fs).tree.unlink(at.ino, name),
            Sort::Proc(_) | Sort::Cgroup(_) | Sort::Fixed => Err(Errno::EPERM),
        }
    }

    /// Takes an empty directory.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, ENOTEMPTY; EBUSY for mount points and groups in use.
    pub(super) fn take_directory(&mut self, who: Pid, at: Location, name: &str) -> Result<(), Errno> {
        let ino = self.fs_at(at)?.tree.lookup(at.ino, name)?;
        let fs = self.may_change_names(who, at)?;
        if self.is_mount_point(Location { ino, ..at }) {
            return Err(Errno::EBUSY);
        }
        match &self.filesystems.get(fs).sort {
            Sort::Overlay(_) => self
                .filesystems
                .beside(fs, |view, others| Writer::new(view, others).remove(at.ino, name, true)),
            Sort::Cgroup(_) => self.remove_group(fs, at.ino, name),
            Sort::Plain => self.filesystems.get_mut(fs).tree.rmdir(at.ino, name),
            Sort::Proc(_) | Sort::Fixed => Err(Errno::EPERM),
        }
    }

    pub(super) fn take_tree(&mut self, who: Pid, at: Location, name: &str) -> Result<(), Errno> {
        let tree = &self.fs_at(at)?.tree;
        let ino = tree.lookup(at.ino, name)?;
        if !tree.node(ino)?.is_directory() {
            return self.take(who, at, name);
        }
        let below = Location { ino, ..at };
        if self.is_mount_point(below) {
            return Err(Errno::EBUSY);
        }
        let names: Vec<String> = tree.entries(ino)?.keys().cloned().collect();
        for inner in names {
            self.take_tree(who, below, &inner)?;
        }
        self.take_directory(who, at, name)
    }

    fn rename(&mut self, who: Pid, from: &str, to: &str) -> Result<(), Errno> {
        let busy = |errno| if errno == Errno::EEXIST { Errno::EBUSY } else { errno };
        let (from, from_name) = self.resolve_parent(who, from).map_err(busy)?;
        let (to, to_name) = self.resolve_parent(who, to).map_err(busy)?;
        let moved = self.fs_at(from)?.tree.lookup(from.ino, &from_name)?;
        if from.mount != to.mount {
            return Err(Errno::EXDEV);
        }
        let fs = self.may_change_names(who, from)?;
        self.may_change_names(who, to)?;
        let replaced = self.fs_at(to)?.tree.lookup(to.ino, &to_name).ok();
        if [Some(moved), replaced]
            .into_iter()
            .flatten()
            .any(|ino| self.is_mount_point(Location { ino, ..from }))
        {
            return Err(Errno::EBUSY);
        }
        let (from, to) = ((from.ino, from_name.as_str()), (to.ino, to_name.as_str()));
        match &self.filesystems.get(fs).sort {
            Sort::Overlay(_) => {
                self.filesystems.beside(fs, |view, others| Writer::new(view, others).rename(from, to))
            }
            Sort::Plain => self.filesystems.get_mut(fs).tree.rename(from, to),
            Sort::Proc(_) | Sort::Cgroup(_) | Sort::Fixed => Err(Errno::EPERM),
        }
    }

    /// A file's content, as this process reads it.
    ///
    /// # Errors
    /// EACCES, EISDIR; else as [`World::resolve`].
    pub fn read(&self, who: Pid, path: &str) -> Result<Bytes, Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        self.permit(self.processes.get(who)?, at, Want::Read)?;
        let mount = self.mount_at(at)?;
        match &self.filesystems.get(mount.fs).sort {
            Sort::Proc(_) | Sort::Cgroup(_) if self.node(at)?.is_directory() => Err(Errno::EISDIR),
            Sort::Proc(procfs) => self.proc_text(who, procfs, at.ino).map(Bytes::from),
            Sort::Cgroup(_) => self.control_text(who, mount.fs, at.ino).map(Bytes::from),
            Sort::Plain | Sort::Overlay(_) | Sort::Fixed => self.node(at)?.bytes(),
        }
    }

    /// A directory's names, sorted.
    ///
    /// # Errors
    /// EACCES, ENOTDIR; else as [`World::resolve`].
    pub fn list(&self, who: Pid, path: &str) -> Result<Vec<String>, Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        let names = self.fs_at(at)?.tree.entries(at.ino)?.keys().cloned().collect();
        self.permit(self.processes.get(who)?, at, Want::Read)?;
        Ok(names)
    }
}
