//! Acts on the mount table: mount(2), umount2(2), pivot_root(2).

use super::filesystem::{FileSystem, FsId, Sort};
use super::mounts::{Location, Mount, MountId};
use super::overlay::{self, Place};
use super::processes::Pid;
use super::procfs::Procfs;
use super::tree::{Node, ROOT, Tree};
use super::walk::Last;
use super::world::{self, World};
use crate::op::{MountOp, Namespace};
use nix::errno::Errno;
use std::collections::BTreeSet;

/// Words that say how a mount behaves, not what is mounted.
const BEHAVIOUR: [&str; 4] = ["ro", "nosuid", "nodev", "noexec"];

impl World {
    /// Performs one operation on the caller's mount table.
    ///
    /// # Errors
    /// EPERM without CAP_SYS_ADMIN; else as the system calls named above.
    pub fn mount_op(&mut self, who: Pid, op: &MountOp) -> Result<(), Errno> {
        let process = self.processes.get(who)?;
        let owner = self.namespaces.owner(process.namespaces[&Namespace::Mount]);
        if !self.is_capable(process, "CAP_SYS_ADMIN", owner) {
            return Err(Errno::EPERM);
        }
        match op {
            MountOp::Mount { source, target, fstype, flags, data } => {
                let at = self.resolve(who, target, Last::Follow)?;
                let words: BTreeSet<&str> = flags.iter().map(String::as_str).collect();
                if words.contains("remount") {
                    return self.remount(at, flags);
                }
                if words.contains("bind") || words.contains("rbind") {
                    return self.bind(who, source, at, flags);
                }
                let (fs, root) = self.new_filesystem(who, fstype, data)?;
                self.cover(at, fs, root, flags, (source, data)).map(|_| ())
            }
            MountOp::SetPropagation { target, mode } => self.set_propagation(who, target, mode),
            MountOp::PivotRoot { new_root, put_old } => self.pivot_root(who, new_root, put_old),
            MountOp::Unmount { target, detach } => self.unmount(who, target, *detach),
            MountOp::Mask { path } => self.mask(who, path),
            MountOp::MakeReadonly { path } => {
                let at = self.resolve(who, path, Last::Follow)?;
                self.bind(who, path, at, &["rbind".to_owned(), "ro".to_owned()])
            }
        }
    }

    fn cover(
        &mut self,
        at: Location,
        fs: FsId,
        root: u64,
        flags: &[String],
        said: (&str, &str),
    ) -> Result<MountId, Errno> {
        let below = self.node(at)?.is_directory();
        if below != self.filesystems.get(fs).tree.node(root)?.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        let under = self.mount_at(at)?;
        let mount = Mount {
            namespace: under.namespace,
            over: Some(at),
            fs,
            root,
            flags: flags.iter().filter(|flag| BEHAVIOUR.contains(&flag.as_str())).cloned().collect(),
            propagation: under.propagation.clone(),
            source: said.0.to_owned(),
            data: said.1.to_owned(),
        };
        Ok(self.mounts.add(mount))
    }

    fn bind(&mut self, who: Pid, source: &str, at: Location, flags: &[String]) -> Result<(), Errno> {
        let from = self.resolve(who, source, Last::Follow)?;
        let original = self.mount_at(from)?.clone();
        let top = self.cover(at, original.fs, from.ino, flags, (&original.source, &original.data))?;
        let inherited = original.flags.iter().cloned();
        self.mounts.get_mut(top).ok_or(Errno::EINVAL)?.flags.extend(inherited);
        if !flags.iter().any(|flag| flag == "rbind") {
            return Ok(());
        }
        // What is mounted below the source comes along: from the nearest down.
        let mut copies = vec![(from.mount, top)];
        for id in self.mounts.below(from.mount) {
            let Some(mount) = self.mounts.get(id).cloned() else { continue };
            let Some(over) = mount.over else { continue };
            let under = copies.iter().find(|(old, _)| *old == over.mount).map(|(_, new)| *new);
            let (Some(under), true) = (under, id != top && self.is_within(over, from)) else { continue };
            let over = Some(Location { mount: under, ..over });
            copies.push((id, self.mounts.add(Mount { over, ..mount })));
        }
        Ok(())
    }

    /// Whether a place is at or below another one of the same mount, or on a mount below.
    fn is_within(&self, place: Location, top: Location) -> bool {
        let Ok(tree) = self.fs_at(place).map(|fs| &fs.tree) else { return false };
        let mut at = place;
        while at.mount == top.mount && at.ino != top.ino {
            match tree.parent(at.ino) {
                Ok(parent) if parent != at.ino => at.ino = parent,
                // A covered file's own directory is not recorded; files are bound one by one.
                _ => return false,
            }
        }
        true
    }

    fn remount(&mut self, at: Location, flags: &[String]) -> Result<(), Errno> {
        let mount = self.mounts.get_mut(at.mount).ok_or(Errno::EINVAL)?;
        if mount.root != at.ino {
            return Err(Errno::EINVAL);
        }
        mount.flags = flags.iter().filter(|flag| BEHAVIOUR.contains(&flag.as_str())).cloned().collect();
        Ok(())
    }

    fn new_filesystem(&mut self, who: Pid, fstype: &str, data: &str) -> Result<(FsId, u64), Errno> {
        let process = self.processes.get(who)?;
        let (uid, gid) = (process.uid, process.gid);
        // Some trees show a namespace: it takes privilege over that one too.
        let shown = match fstype {
            "proc" => Some(Namespace::Pid),
            "sysfs" => Some(Namespace::Network),
            "mqueue" => Some(Namespace::Ipc),
            "cgroup" | "cgroup2" => Some(Namespace::Cgroup),
            _ => None,
        };
        if let Some(owner) = shown.map(|kind| self.namespaces.owner(process.namespaces[&kind]))
            && !self.is_capable(process, "CAP_SYS_ADMIN", owner)
        {
            return Err(Errno::EPERM);
        }
        let filesystem = match fstype {
            "proc" => {
                let pids = process.namespaces[&Namespace::Pid];
                let (tree, procfs) = Procfs::mount(pids, &self.kernel_paths);
                let seen: Vec<Pid> = self
                    .processes
                    .iter()
                    .filter(|(_, process)| process.pid_in(pids).is_some())
                    .map(|(pid, _)| pid)
                    .collect();
                let fs = FileSystem { name: "proc".to_owned(), tree, sort: Sort::Proc(procfs) };
                let id = self.filesystems.add(fs);
                for pid in seen {
                    self.publish_in(id, pid);
                }
                return Ok((id, ROOT));
            }
            "tmpfs" => {
                let mut tree = Tree::new(mode_option(data).unwrap_or(0o1777));
                let root = tree.node_mut(ROOT)?;
                (root.uid, root.gid) = (uid, gid);
                FileSystem::plain("tmpfs", tree)
            }
            "mqueue" => FileSystem::plain("mqueue", Tree::new(0o1777)),
            "devpts" => {
                let mut tree = Tree::new(0o755);
                let mode = data.split(',').find_map(|option| option.strip_prefix("ptmxmode="));
                let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(0);
                tree.add(ROOT, "ptmx", Node::device(5, 2, mode))?;
                FileSystem::plain("devpts", tree)
            }
            "sysfs" => FileSystem {
                name: "sysfs".to_owned(),
                tree: world::sysfs(&self.kernel_paths),
                sort: Sort::Fixed,
            },
            "overlay" if self.machine.overlay => self.overlay(who, data)?,
            "cgroup2" | "cgroup" => {
                // A controller is in one hierarchy only.
                let found = self.hierarchy(fstype, data).ok_or(Errno::EBUSY)?;
                let group = self.processes.get(who)?.groups_in.get(&found).copied();
                return Ok((found, group.unwrap_or(ROOT)));
            }
            _ => return Err(Errno::ENODEV),
        };
        Ok((self.filesystems.add(filesystem), ROOT))
    }

    /// The hierarchy with the controllers named in `data`; all there are when none is named.
    fn hierarchy(&self, fstype: &str, data: &str) -> Option<FsId> {
        let wanted: Vec<&str> = data.split(',').filter(|word| !word.is_empty()).collect();
        let fits = |filesystem: &FileSystem| match &filesystem.sort {
            Sort::Cgroup(hierarchy) if hierarchy.unified => fstype == "cgroup2",
            Sort::Cgroup(hierarchy) => {
                let own: Vec<&str> = hierarchy.controllers.iter().map(String::as_str).collect();
                let all = wanted.is_empty() && own.len() == self.machine.cgroups.v1.len();
                fstype == "cgroup"
                    && (all || !wanted.is_empty() && wanted.iter().all(|name| own.contains(name)))
            }
            _ => false,
        };
        self.filesystems.iter().find(|(_, filesystem)| fits(filesystem)).map(|(id, _)| id)
    }

    fn overlay(&self, who: Pid, data: &str) -> Result<FileSystem, Errno> {
        let option = |name: &str| data.split(',').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let place = |path: &str| -> Result<Place, Errno> {
            let at = self.resolve(who, path, Last::Follow)?;
            match self.node(at)?.is_directory() {
                true => Ok((self.mount_at(at)?.fs, at.ino)),
                false => Err(Errno::ENOTDIR),
            }
        };
        let lowers: Vec<Place> =
            option("lowerdir").ok_or(Errno::EINVAL)?.split(':').map(place).collect::<Result<_, _>>()?;
        let upper = option("upperdir").map(place).transpose()?;
        let work = option("workdir").map(place).transpose()?;
        match (upper, work) {
            // Both on one file system, and that one no overlay itself.
            (Some(upper), Some(work)) if upper.0 == work.0 && upper.1 != work.1 => {
                if matches!(self.filesystems.get(upper.0).sort, Sort::Overlay(_)) {
                    return Err(Errno::EINVAL);
                }
            }
            (None, None) if lowers.len() > 1 => {}
            _ => return Err(Errno::EINVAL),
        }
        let (tree, layers) = overlay::merge(&self.filesystems, &lowers, upper)?;
        Ok(FileSystem { name: "overlay".to_owned(), tree, sort: Sort::Overlay(layers) })
    }

    fn set_propagation(&mut self, who: Pid, target: &str, mode: &str) -> Result<(), Errno> {
        let at = self.resolve(who, target, Last::Follow)?;
        if self.mount_at(at)?.root != at.ino {
            return Err(Errno::EINVAL);
        }
        let (recursive, kind) = match mode.strip_prefix('r') {
            Some(kind) => (true, kind),
            None => (false, mode),
        };
        if !["shared", "slave", "private", "unbindable"].contains(&kind) {
            return Err(Errno::EINVAL);
        }
        let mut touched = vec![at.mount];
        if recursive {
            touched.extend(self.mounts.below(at.mount));
        }
        for id in touched {
            let mount = self.mounts.get_mut(id).ok_or(Errno::EINVAL)?;
            // A private mount has no master to become the slave of.
            if kind != "slave" || mount.propagation == "shared" {
                mount.propagation = kind.to_owned();
            }
        }
        Ok(())
    }

    fn pivot_root(&mut self, who: Pid, new_root: &str, put_old: &str) -> Result<(), Errno> {
        let new = self.resolve(who, new_root, Last::Follow)?;
        // The second path is taken from inside the new root: `cd NEW && pivot_root . OLD`.
        let root = self.processes.get(who)?.root;
        let before = std::mem::replace(&mut self.processes.get_mut(who)?.cwd, new);
        let old = self.resolve(who, put_old, Last::Follow);
        self.processes.get_mut(who)?.cwd = before;
        let old = old?;
        if !self.node(new)?.is_directory() || !self.node(old)?.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        let (new_mount, root_mount, old_mount) =
            (self.mount_at(new)?, self.mount_at(root)?, self.mount_at(old)?);
        let shared = |over: Option<Location>| {
            let mount = over.and_then(|over| self.mount_at(over).ok());
            mount.is_some_and(|mount| mount.propagation == "shared")
        };
        // In the kernel's order: who would see it elsewhere, then whether it is the root already.
        if old_mount.propagation == "shared" || shared(new_mount.over) || shared(root_mount.over) {
            return Err(Errno::EINVAL);
        }
        if new.mount == root.mount || old.mount == root.mount {
            return Err(Errno::EBUSY);
        }
        let is_mount_point = new_mount.root == new.ino && root_mount.root == root.ino;
        if !is_mount_point || old.mount != new.mount {
            return Err(Errno::EINVAL);
        }
        let above = root_mount.over;
        self.mounts.get_mut(new.mount).ok_or(Errno::EINVAL)?.over = above;
        self.mounts.get_mut(root.mount).ok_or(Errno::EINVAL)?.over = Some(old);
        let namespace = self.processes.get(who)?.namespaces[&Namespace::Mount];
        let inside: Vec<Pid> = self
            .processes
            .iter()
            .filter(|(_, process)| process.namespaces[&Namespace::Mount] == namespace)
            .map(|(pid, _)| pid)
            .collect();
        for pid in inside {
            let process = self.processes.get_mut(pid)?;
            if process.root == root {
                process.root = new;
            }
            if process.cwd == root {
                process.cwd = new;
            }
        }
        // The caller now stands in the old root, so that `.` names what is to be let go.
        let caller = self.processes.get_mut(who)?;
        caller.cwd = root;
        caller.confined = None;
        Ok(())
    }

    fn unmount(&mut self, who: Pid, target: &str, detach: bool) -> Result<(), Errno> {
        let at = self.mounts.uncovered(self.resolve(who, target, Last::Follow)?);
        let mount = self.mount_at(at)?;
        if mount.root != at.ino || mount.over.is_none() {
            return Err(Errno::EINVAL);
        }
        let used = |id: MountId| {
            let on_it = |(_, process): (Pid, &super::processes::Process)| {
                process.root.mount == id || process.cwd.mount == id
            };
            self.processes.iter().any(on_it)
        };
        if !detach && (used(at.mount) || !self.mounts.below(at.mount).is_empty()) {
            return Err(Errno::EBUSY);
        }
        self.mounts.detach(at.mount);
        Ok(())
    }

    fn mask(&mut self, who: Pid, path: &str) -> Result<(), Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        if self.node(at)?.is_directory() {
            let empty = self.filesystems.add(FileSystem::plain("tmpfs", Tree::new(0o755)));
            return self.cover(at, empty, ROOT, &["ro".to_owned()], ("tmpfs", "")).map(|_| ());
        }
        let null = self.resolve(who, "/dev/null", Last::Follow)?;
        let fs = self.mount_at(null)?.fs;
        self.cover(at, fs, null.ino, &[], ("/dev/null", "")).map(|_| ())
    }
}

fn mode_option(data: &str) -> Option<u32> {
    let mode = data.split(',').find_map(|option| option.strip_prefix("mode="))?;
    u32::from_str_radix(mode, 8).ok()
}
