//! Questions about where things are: a process's directory, a place's path, the mount table.

use super::mounts::Location;
use super::processes::Pid;
use super::tree::{Content, Node};
use super::walk::{Last, Want};
use super::world::World;
use crate::op::Namespace;
use bytes::{Bytes, BytesMut};
use nix::errno::Errno;

impl World {
    /// The directory a path leads to.
    ///
    /// # Errors
    /// ENOTDIR; else as [`World::resolve`].
    pub(super) fn directory(&self, who: Pid, path: &str) -> Result<Location, Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        match self.node(at)?.is_directory() {
            true => Ok(at),
            false => Err(Errno::ENOTDIR),
        }
    }

    /// Changes the working directory: chdir(2).
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, EACCES.
    pub(super) fn change_directory(&mut self, who: Pid, path: &str) -> Result<(), Errno> {
        let at = self.directory(who, path)?;
        self.permit(self.processes.get(who)?, at, Want::Execute)?;
        self.processes.get_mut(who)?.cwd = at;
        Ok(())
    }

    /// Appends to a file, made when it is missing.
    ///
    /// # Errors
    /// As open(2) with O_CREAT and O_APPEND.
    pub(super) fn append(&mut self, who: Pid, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        match self.resolve(who, path, Last::Follow) {
            Err(Errno::ENOENT) => self.create(who, path, Node::file(Bytes::copy_from_slice(bytes), 0o640)),
            Err(errno) => Err(errno),
            Ok(at) => {
                self.permit(self.processes.get(who)?, at, Want::Write)?;
                let fs = self.mount_at(at)?.fs;
                self.change(fs, at.ino, |node| {
                    if let Content::File(old) = &mut node.content {
                        let mut whole = BytesMut::from(old.as_ref());
                        whole.extend_from_slice(bytes);
                        *old = whole.freeze();
                    }
                })
            }
        }
    }

    /// The path from one place down to another, as a process whose root the first is would say it.
    pub(super) fn path_below(&self, root: Location, place: Location) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut at = place;
        while at != root {
            let (Ok(mount), Ok(filesystem)) = (self.mount_at(at), self.fs_at(at)) else { break };
            if at.ino == mount.root {
                match mount.over {
                    Some(over) => at = over,
                    None => break,
                }
                continue;
            }
            let Some((above, name)) = filesystem.tree.name_of(at.ino) else { break };
            names.push(name);
            at.ino = above;
        }
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// `/proc/<pid>/mountinfo`.
    pub(super) fn mount_table(&self, pid: Pid) -> Result<String, Errno> {
        let process = self.processes.get(pid)?;
        let namespace = process.namespaces[&Namespace::Mount];
        let mut table = String::new();
        for (id, mount) in self.mounts.of(namespace) {
            let filesystem = self.filesystems.get(mount.fs);
            let parent = mount.over.map_or(0, |over| over.mount);
            let path = mount.over.map_or("/".to_owned(), |over| self.path_below(process.root, over));
            let mode = if mount.has("ro") { "ro" } else { "rw" };
            let words: Vec<&str> = [mode]
                .into_iter()
                .chain(mount.flags.iter().map(String::as_str).filter(|flag| *flag != "ro"))
                .collect();
            let shared = if mount.propagation == "shared" { " shared:1" } else { "" };
            let data = if mount.data.is_empty() { String::new() } else { format!(",{}", mount.data) };
            table.push_str(&format!(
                "{id} {parent} 0:{} / {path} {}{shared} - {} {} {mode}{data}\n",
                mount.fs,
                words.join(","),
                filesystem.name,
                mount.source,
            ));
        }
        Ok(table)
    }
}
