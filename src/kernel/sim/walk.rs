//! From a path to an inode: path_resolution(7). Links are followed inside the process's own root;
//! `..` climbs over mounts; at most 40 links are followed.

use super::filesystem::{FileSystem, Sort};
use super::mounts::{Location, Mount};
use super::processes::{Pid, Process};
use super::tree::{Content, Node};
use super::world::World;
use nix::errno::Errno;

/// Whether a link at the very end is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// As stat(2).
    Follow,
    /// As lstat(2).
    Keep,
}

/// What a process wants of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Read it, or list its names.
    Read = 4,
    /// Write it, or change its names.
    Write = 2,
    /// Run it, or pass through it.
    Execute = 1,
}

const MOST_LINKS: usize = 40;

/// One resolution under way.
struct Walk<'a> {
    world: &'a World,
    process: &'a Process,
    /// What absolute links start from and `..` does not leave.
    root: Location,
    links: usize,
}

impl World {
    /// The file system a location is in.
    pub(super) fn fs_at(&self, at: Location) -> Result<&FileSystem, Errno> {
        Ok(self.filesystems.get(self.mount_at(at)?.fs))
    }

    pub(super) fn mount_at(&self, at: Location) -> Result<&Mount, Errno> {
        self.mounts.get(at.mount).ok_or(Errno::ENOENT)
    }

    /// The inode at a location.
    pub(super) fn node(&self, at: Location) -> Result<&Node, Errno> {
        self.fs_at(at)?.tree.node(at.ino)
    }

    /// Finds what a path stands for.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, ELOOP, EACCES.
    pub fn resolve(&self, who: Pid, path: &str, last: Last) -> Result<Location, Errno> {
        let process = self.processes.get(who)?;
        if let Some((place, inside)) = process.confinement(path) {
            return Walk { world: self, process, root: place, links: 0 }.walk(place, inside, last);
        }
        let start = if path.starts_with('/') { process.root } else { process.cwd };
        Walk { world: self, process, root: process.root, links: 0 }.walk(start, path, last)
    }

    /// Finds the directory a path's last name is in. EEXIST when there is no last name: `/`, `..`.
    ///
    /// # Errors
    /// As [`World::resolve`].
    pub fn resolve_parent(&self, who: Pid, path: &str) -> Result<(Location, String), Errno> {
        let trimmed = path.trim_end_matches('/');
        let (directory, name) = match trimmed.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((directory, name)) => (directory, name),
            None => (if path.starts_with('/') { "/" } else { "." }, trimmed),
        };
        if matches!(name, "" | "." | "..") {
            return Err(if path.is_empty() { Errno::ENOENT } else { Errno::EEXIST });
        }
        let at = self.resolve(who, directory, Last::Follow)?;
        match self.node(at)?.is_directory() {
            true => Ok((at, name.to_owned())),
            false => Err(Errno::ENOTDIR),
        }
    }

    /// What a link says to this process: `/proc/self` says something else to each.
    fn link_text(&self, process: &Process, filesystem: &FileSystem, at: Location, text: &str) -> String {
        match &filesystem.sort {
            Sort::Proc(procfs) => procfs.link(self, process, at.ino).unwrap_or_else(|| text.to_owned()),
            _ => text.to_owned(),
        }
    }

    /// What the link at `path` says: readlink(2).
    ///
    /// # Errors
    /// EINVAL when it is no link; else as [`World::resolve`].
    pub fn read_link(&self, who: Pid, path: &str) -> Result<String, Errno> {
        if let Some(id) = self.networks.behind(path) {
            return Ok(format!("net:[{id}]"));
        }
        let at = self.resolve(who, path, Last::Keep)?;
        match &self.node(at)?.content {
            Content::Symlink(text) => Ok(self.link_text(self.processes.get(who)?, self.fs_at(at)?, at, text)),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The permission bits' answer, with the capabilities that overrule them: capabilities(7).
    pub(super) fn permit(&self, process: &Process, at: Location, want: Want) -> Result<(), Errno> {
        let node = self.node(at)?;
        let shift = if node.uid == process.uid {
            6
        } else if node.gid == process.gid || process.groups.contains(&node.gid) {
            3
        } else {
            0
        };
        if node.mode >> shift & want as u32 != 0 {
            return Ok(());
        }
        let runnable = node.is_directory() || node.mode & 0o111 != 0;
        let overruled = (want != Want::Execute || runnable)
            && process.has_capability("CAP_DAC_OVERRIDE")
            && self.namespaces.maps(process.user_namespace(), node.uid);
        if overruled { Ok(()) } else { Err(Errno::EACCES) }
    }
}

impl Walk<'_> {
    fn walk(&mut self, start: Location, path: &str, last: Last) -> Result<Location, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let world = self.world;
        let mut at = start;
        let mut names = path.split('/').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            if !world.node(at)?.is_directory() {
                return Err(Errno::ENOTDIR);
            }
            world.permit(self.process, at, Want::Execute)?;
            let follow = names.peek().is_some() || last == Last::Follow || path.ends_with('/');
            at = match name {
                "." => at,
                ".." => self.up(at)?,
                name => self.step(at, name, follow)?,
            };
        }
        match path.ends_with('/') && !world.node(at)?.is_directory() {
            true => Err(Errno::ENOTDIR),
            false => Ok(at),
        }
    }

    fn up(&self, mut at: Location) -> Result<Location, Errno> {
        loop {
            if at == self.root {
                return Ok(at);
            }
            let mount = self.world.mount_at(at)?;
            match mount.over {
                Some(over) if at.ino == mount.root => at = over,
                _ => break,
            }
        }
        let parent = self.world.fs_at(at)?.tree.parent(at.ino)?;
        Ok(self.world.mounts.uncovered(Location { ino: parent, ..at }))
    }

    fn step(&mut self, at: Location, name: &str, follow: bool) -> Result<Location, Errno> {
        let world = self.world;
        let filesystem = world.fs_at(at)?;
        let found = Location { ino: filesystem.tree.lookup(at.ino, name)?, ..at };
        let Content::Symlink(target) = &filesystem.tree.node(found.ino)?.content else {
            return Ok(world.mounts.uncovered(found));
        };
        let target = world.link_text(self.process, filesystem, found, target);
        // The links in /proc/<pid>/ns lead to no path; they are what they name.
        if !follow || (matches!(filesystem.sort, Sort::Proc(_)) && target.ends_with(']')) {
            return Ok(found);
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::ELOOP);
        }
        let start = if target.starts_with('/') { self.root } else { at };
        self.walk(start, &target, Last::Follow)
    }
}
