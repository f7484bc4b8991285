//! Control groups: a directory per group with the control files of its hierarchy's controllers.
//! cgroups(7), kernel documentation `admin-guide/cgroup-v2.rst`.

use super::filesystem::{FileSystem, FsId, Sort};
use super::processes::{Pid, Process};
use super::tree::{Content, Ino, Node, ROOT, Tree};
use super::world::World;
use crate::op::Namespace;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// What is special about one cgroup file system.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    /// v1: the controllers mounted together; v2: those the root group offers.
    pub controllers: Vec<String>,
    /// The unified hierarchy.
    pub unified: bool,
    files: BTreeMap<Ino, (Ino, String)>,
}

/// Files every group of v1 has.
const CORE_V1: [(&str, &str); 4] =
    [("cgroup.clone_children", "0\n"), ("cgroup.procs", ""), ("notify_on_release", "0\n"), ("tasks", "")];

/// Files every group of v2 has.
const CORE_V2: [(&str, &str); 10] = [
    ("cgroup.controllers", ""),
    ("cgroup.events", ""),
    ("cgroup.freeze", "0\n"),
    ("cgroup.kill", ""),
    ("cgroup.max.depth", "max\n"),
    ("cgroup.max.descendants", "max\n"),
    ("cgroup.procs", ""),
    ("cgroup.subtree_control", ""),
    ("cgroup.threads", ""),
    ("cgroup.type", "domain\n"),
];

/// A controller's files and what they say at first.
type Files = &'static [(&'static str, &'static str)];

const V1: [(&str, Files); 9] = [
    (
        "blkio",
        &[
            ("blkio.bfq.weight", "100\n"),
            ("blkio.weight", "500\n"),
            ("blkio.throttle.read_bps_device", ""),
            ("blkio.throttle.write_bps_device", ""),
            ("blkio.throttle.read_iops_device", ""),
            ("blkio.throttle.write_iops_device", ""),
        ],
    ),
    (
        "cpu",
        &[
            ("cpu.cfs_period_us", "100000\n"),
            ("cpu.cfs_quota_us", "-1\n"),
            ("cpu.shares", "1024\n"),
            ("cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n"),
        ],
    ),
    ("cpuacct", &[("cpuacct.usage", "0\n"), ("cpuacct.stat", "user 0\nsystem 0\n")]),
    ("cpuset", &[("cpuset.cpus", "\n"), ("cpuset.mems", "\n")]),
    ("devices", &[("devices.allow", ""), ("devices.deny", ""), ("devices.list", "a *:* rwm\n")]),
    ("freezer", &[("freezer.state", "THAWED\n")]),
    (
        "memory",
        &[
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory.failcnt", "0\n"),
            ("memory.memsw.limit_in_bytes", "9223372036854771712\n"),
            ("memory.swappiness", "60\n"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n"),
            ("memory.soft_limit_in_bytes", "9223372036854771712\n"),
            ("memory.usage_in_bytes", "0\n"),
            ("memory.max_usage_in_bytes", "0\n"),
            ("memory.stat", "cache 0\nrss 0\n"),
        ],
    ),
    ("net_cls", &[("net_cls.classid", "0\n")]),
    ("pids", &[("pids.current", ""), ("pids.max", "max\n"), ("pids.events", "max 0\n")]),
];

const V2: [(&str, Files); 8] = [
    (
        "cpu",
        &[
            ("cpu.max", "max 100000\n"),
            ("cpu.weight", "100\n"),
            ("cpu.idle", "0\n"),
            ("cpu.stat", "usage_usec 0\nuser_usec 0\nsystem_usec 0\n"),
        ],
    ),
    ("cpuset", &[("cpuset.cpus", "\n"), ("cpuset.mems", "\n")]),
    ("hugetlb", &[("hugetlb.2MB.current", "0\n"), ("hugetlb.2MB.max", "max\n")]),
    (
        "io",
        &[
            ("io.max", ""),
            ("io.stat", ""),
            ("io.weight", "default 100\n"),
            ("io.bfq.weight", "default 100\n"),
        ],
    ),
    (
        "memory",
        &[
            ("memory.current", "0\n"),
            ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"),
            ("memory.high", "max\n"),
            ("memory.low", "0\n"),
            ("memory.max", "max\n"),
            ("memory.min", "0\n"),
            ("memory.oom.group", "0\n"),
            ("memory.peak", "0\n"),
            ("memory.stat", "anon 0\nfile 0\n"),
            ("memory.swap.current", "0\n"),
            ("memory.swap.max", "max\n"),
        ],
    ),
    ("misc", &[("misc.current", ""), ("misc.max", "")]),
    (
        "pids",
        &[("pids.current", ""), ("pids.max", "max\n"), ("pids.events", "max 0\n"), ("pids.peak", "0\n")],
    ),
    ("rdma", &[("rdma.current", ""), ("rdma.max", "")]),
];

/// Files that only the root group lacks.
const NOT_IN_ROOT: [&str; 4] = ["cgroup.events", "cgroup.freeze", "cgroup.kill", "cgroup.type"];

impl Hierarchy {
    /// A hierarchy with nothing but its root group.
    pub fn mount(controllers: &[String], unified: bool) -> FileSystem {
        let mut hierarchy = Hierarchy { controllers: controllers.to_vec(), unified, files: BTreeMap::new() };
        let mut tree = Tree::new(0o755);
        hierarchy.furnish(&mut tree, ROOT);
        let name = if unified { "cgroup2" } else { "cgroup" };
        FileSystem { name: name.to_owned(), tree, sort: Sort::Cgroup(hierarchy) }
    }

    fn furnish(&mut self, tree: &mut Tree, group: Ino) {
        let core: &[(&str, &str)] = if self.unified { &CORE_V2 } else { &CORE_V1 };
        for (name, text) in core {
            if group != ROOT || !NOT_IN_ROOT.contains(name) {
                self.file(tree, group, name, text);
            }
        }
        for controller in self.enabled(tree, group) {
            self.control(tree, group, &controller);
        }
    }

    fn control(&mut self, tree: &mut Tree, group: Ino, controller: &str) {
        let table: &[(&str, Files)] = if self.unified { &V2 } else { &V1 };
        // v2's root group is the machine: it carries no limits.
        if group == ROOT && self.unified {
            return;
        }
        for (name, text) in table.iter().filter(|row| row.0 == controller).flat_map(|row| row.1) {
            self.file(tree, group, name, text);
        }
    }

    fn file(&mut self, tree: &mut Tree, group: Ino, name: &str, text: &'static str) {
        // EEXIST: the controller was enabled before.
        if let Ok(ino) = tree.add(group, name, Node::file(text, 0o644)) {
            self.files.insert(ino, (group, name.to_owned()));
        }
    }

    /// The controllers of a group: v2 hands them down through `cgroup.subtree_control`.
    fn enabled(&self, tree: &Tree, group: Ino) -> Vec<String> {
        if !self.unified || group == ROOT {
            return self.controllers.clone();
        }
        let above = tree.parent(group).unwrap_or(ROOT);
        self.handed_down(tree, above)
    }

    fn handed_down(&self, tree: &Tree, group: Ino) -> Vec<String> {
        let control = tree.lookup(group, "cgroup.subtree_control").and_then(|ino| tree.node(ino)?.bytes());
        let text = control.unwrap_or_default();
        String::from_utf8_lossy(&text).split_whitespace().map(str::to_owned).collect()
    }

    /// Makes a group.
    ///
    /// # Errors
    /// EEXIST.
    pub fn make(&mut self, tree: &mut Tree, above: Ino, name: &str, node: Node) -> Result<Ino, Errno> {
        let group = tree.add(above, name, node)?;
        self.furnish(tree, group);
        Ok(group)
    }

    fn subtree_control(&mut self, tree: &mut Tree, group: Ino, text: &str) -> Result<(), Errno> {
        let mut handed = self.handed_down(tree, group);
        for word in text.split_whitespace() {
            let (sign, name) = word.split_at_checked(1).ok_or(Errno::EINVAL)?;
            if !V2.iter().any(|row| row.0 == name) {
                return Err(Errno::EINVAL);
            }
            if !self.enabled(tree, group).iter().any(|enabled| enabled == name) {
                return Err(Errno::ENOENT);
            }
            handed.retain(|other| other != name);
            match sign {
                "+" => handed.push(name.to_owned()),
                "-" => {}
                _ => return Err(Errno::EINVAL),
            }
        }
        handed.sort();
        let control = tree.lookup(group, "cgroup.subtree_control")?;
        tree.node_mut(control)?.content = Content::File(format!("{}\n", handed.join(" ")).into());
        let is_group = |ino: &Ino| tree.node(*ino).is_ok_and(Node::is_directory);
        let groups: Vec<Ino> = tree.entries(group)?.values().copied().filter(is_group).collect();
        for below in groups {
            for controller in &handed {
                self.control(tree, below, controller);
            }
        }
        Ok(())
    }
}

impl World {
    fn members(&self, fs: FsId, group: Ino) -> Vec<Pid> {
        let here = |process: &Process| process.groups_in.get(&fs) == Some(&group);
        self.processes.iter().filter(|(_, process)| here(process)).map(|(pid, _)| pid).collect()
    }

    fn populated(&self, fs: FsId, tree: &Tree, group: Ino) -> bool {
        let below = tree.entries(group).map(|entries| entries.values().copied().collect()).unwrap_or(vec![]);
        !self.members(fs, group).is_empty()
            || below
                .into_iter()
                .any(|ino| tree.node(ino).is_ok_and(Node::is_directory) && self.populated(fs, tree, ino))
    }

    /// The text of a control file.
    pub(super) fn control_text(&self, reader: Pid, fs: FsId, ino: Ino) -> Result<String, Errno> {
        let filesystem = self.filesystems.get(fs);
        let Sort::Cgroup(hierarchy) = &filesystem.sort else { return Err(Errno::EINVAL) };
        let (group, name) = hierarchy.files.get(&ino).ok_or(Errno::EISDIR)?;
        let tree = &filesystem.tree;
        Ok(match name.as_str() {
            "cgroup.procs" | "cgroup.threads" | "tasks" => {
                let seen_from = self.processes.get(reader)?.namespaces[&Namespace::Pid];
                let number = |pid: Pid| self.processes.get(pid).ok()?.pid_in(seen_from);
                let members = self.members(fs, *group).into_iter();
                members.map(|pid| format!("{}\n", number(pid).unwrap_or(0))).collect()
            }
            "cgroup.controllers" => format!("{}\n", hierarchy.enabled(tree, *group).join(" ")),
            "cgroup.events" => {
                format!("populated {}\nfrozen 0\n", u8::from(self.populated(fs, tree, *group)))
            }
            "pids.current" => format!("{}\n", self.members(fs, *group).len()),
            _ => String::from_utf8_lossy(&tree.node(ino)?.bytes()?).into_owned(),
        })
    }

    /// Writes a control file.
    ///
    /// # Errors
    /// ESRCH for an unknown pid, EBUSY for processes in a group that hands controllers down,
    /// ENOENT for a controller that is not there, EINVAL.
    pub(super) fn write_control(&mut self, who: Pid, fs: FsId, ino: Ino, text: &str) -> Result<(), Errno> {
        let Sort::Cgroup(hierarchy) = &self.filesystems.get(fs).sort else { return Err(Errno::EINVAL) };
        let (group, name) = hierarchy.files.get(&ino).cloned().ok_or(Errno::EISDIR)?;
        match name.as_str() {
            "cgroup.procs" | "tasks" => self.join_group(who, fs, group, text),
            "cgroup.subtree_control" => {
                if group != ROOT && text.contains('+') && !self.members(fs, group).is_empty() {
                    return Err(Errno::EBUSY);
                }
                let filesystem = self.filesystems.get_mut(fs);
                let Sort::Cgroup(hierarchy) = &mut filesystem.sort else { return Err(Errno::EINVAL) };
                hierarchy.subtree_control(&mut filesystem.tree, group, text)
            }
            "cgroup.kill" => {
                for pid in self.members(fs, group) {
                    self.signal(who, pid, nix::libc::SIGKILL)?;
                }
                Ok(())
            }
            "cgroup.controllers" | "cgroup.events" | "pids.current" => Err(Errno::EINVAL),
            "freezer.state" | "cgroup.freeze" => {
                let content = Content::File(format!("{}\n", text.trim_end()).into());
                self.set_frozen(who, self.members(fs, group), text)?;
                self.filesystems.get_mut(fs).tree.node_mut(ino)?.content = content;
                Ok(())
            }
            _ => {
                let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
                self.filesystems.get_mut(fs).tree.node_mut(ino)?.content = Content::File(text.into());
                Ok(())
            }
        }
    }

    fn join_group(&mut self, who: Pid, fs: FsId, group: Ino, text: &str) -> Result<(), Errno> {
        let number: u32 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
        let seen_from = self.processes.get(who)?.namespaces[&Namespace::Pid];
        let pid = match number {
            0 => who,
            number => self
                .processes
                .iter()
                .find(|(_, process)| process.pid_in(seen_from) == Some(number))
                .map(|(pid, _)| pid)
                .ok_or(Errno::ESRCH)?,
        };
        self.admits(fs, group)?;
        self.enter_group(pid, fs, group)
    }

    /// A group of the unified hierarchy that a process can be born in: clone3(2).
    ///
    /// # Errors
    /// ENOENT, ENOTDIR; EBADF for a directory that is no such group; EBUSY.
    pub(super) fn open_group(&self, who: Pid, path: &str) -> Result<(FsId, Ino), Errno> {
        let place = self.directory(who, path)?;
        let fs = self.mount_at(place)?.fs;
        let Sort::Cgroup(hierarchy) = &self.filesystems.get(fs).sort else { return Err(Errno::EBADF) };
        hierarchy.unified.then_some(()).ok_or(Errno::EBADF)?;
        self.admits(fs, place.ino).map(|()| (fs, place.ino))
    }

    /// Puts a process into a group that admits it.
    pub(super) fn enter_group(&mut self, pid: Pid, fs: FsId, group: Ino) -> Result<(), Errno> {
        self.processes.get_mut(pid)?.groups_in.insert(fs, group);
        Ok(())
    }

    fn admits(&self, fs: FsId, group: Ino) -> Result<(), Errno> {
        let filesystem = self.filesystems.get(fs);
        let Sort::Cgroup(hierarchy) = &filesystem.sort else { return Err(Errno::EINVAL) };
        // cgroups(7), "no internal processes".
        let hands_down = !hierarchy.handed_down(&filesystem.tree, group).is_empty();
        if hierarchy.unified && group != ROOT && hands_down {
            return Err(Errno::EBUSY);
        }
        // v1: a cpuset takes nobody before it has processors and memory.
        if !hierarchy.unified && hierarchy.controllers.iter().any(|name| name == "cpuset") && group != ROOT {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let ino = filesystem.tree.lookup(group, file)?;
                if filesystem.tree.node(ino)?.bytes()?.trim_ascii().is_empty() {
                    return Err(Errno::ENOSPC);
                }
            }
        }
        Ok(())
    }

    /// Removes a group: rmdir(2) on its directory.
    ///
    /// # Errors
    /// EBUSY while it has processes or groups below; ENOENT, ENOTDIR.
    pub(super) fn remove_group(&mut self, fs: FsId, above: Ino, name: &str) -> Result<(), Errno> {
        let tree = &self.filesystems.get(fs).tree;
        let group = tree.lookup(above, name)?;
        let has_groups =
            tree.entries(group)?.values().any(|ino| tree.node(*ino).is_ok_and(Node::is_directory));
        if has_groups || !self.members(fs, group).is_empty() {
            return Err(Errno::EBUSY);
        }
        let filesystem = self.filesystems.get_mut(fs);
        if let Sort::Cgroup(hierarchy) = &mut filesystem.sort {
            hierarchy.files.retain(|_, (owner, _)| *owner != group);
        }
        filesystem.tree.remove_all(above, name)
    }
}

/// `/proc/<pid>/cgroup`.
pub(super) fn memberships(world: &World, process: &Process) -> String {
    let mut lines = String::new();
    for (id, filesystem) in world.filesystems.iter() {
        let Sort::Cgroup(hierarchy) = &filesystem.sort else { continue };
        let mut names = Vec::new();
        let mut at = process.groups_in.get(&id).copied().unwrap_or(ROOT);
        while at != ROOT {
            let Ok(above) = filesystem.tree.parent(at) else { break };
            let entries = filesystem.tree.entries(above).ok();
            names.extend(
                entries.and_then(|all| all.iter().find(|(_, ino)| **ino == at)).map(|(name, _)| name.clone()),
            );
            at = above;
        }
        names.reverse();
        let (number, controllers) =
            if hierarchy.unified { (0, String::new()) } else { (id, hierarchy.controllers.join(",")) };
        lines.push_str(&format!("{number}:{controllers}:/{}\n", names.join("/")));
    }
    lines
}
