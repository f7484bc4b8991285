//! The modelled machine: its file systems, mounts, namespaces and processes, as they are before
//! anything was asked of it.

use super::cgroups::Hierarchy;
use super::filesystem::{FileSystem, FileSystems, Sort};
use super::freezer::Freezer;
use super::host::SimConfig;
use super::mounts::{Location, Mount, Mounts};
use super::namespaces::{self, Namespaces, NsId, first};
use super::network::Networks;
use super::processes::{Capabilities, Life, Pid, Process, Processes};
use super::procfs::{Procfs, plant_silent};
use super::tree::{Content, Node, ROOT, Tree};
use super::walk::Last;
use crate::kernel::Machine;
use crate::op::Namespace;
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// The daemon's own pid; shims and containers count on from here.
pub const DAEMON: Pid = 1000;

/// The state of the modelled machine.
#[derive(Debug)]
pub struct World {
    pub(super) machine: Machine,
    /// See [`KERNEL_PATHS`].
    pub(super) kernel_paths: Vec<String>,
    pub(super) filesystems: FileSystems,
    pub(super) mounts: Mounts,
    pub(super) namespaces: Namespaces,
    pub(super) processes: Processes,
    pub(super) networks: Networks,
}

/// The machine, shared by the daemon's door and those of shims and containers.
pub type SharedWorld = Arc<Mutex<World>>;

/// Locks the machine. A panic elsewhere (a test's assertion in an init, say) leaves state that is
/// still whole: every act is one change.
pub(super) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the machine's root directory holds beside files given by the caller.
const DIRECTORIES: [&str; 12] = [
    "/bin", "/dev/pts", "/dev/shm", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/usr/bin",
    "/var/lib", "/var/log",
];

/// What a kernel has below `/proc` and `/sys` for containers to hide or to protect; with a slash at
/// its end a directory. Kernels differ in it. Nothing is in these files.
pub const KERNEL_PATHS: [&str; 13] = [
    "/proc/acpi/",
    "/proc/bus/",
    "/proc/fs/",
    "/proc/interrupts",
    "/proc/irq/",
    "/proc/kcore",
    "/proc/keys",
    "/proc/meminfo",
    "/proc/scsi/",
    "/proc/sys/",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/sys/firmware/",
];

/// Devices: name, major, minor.
const DEVICES: [(&str, u32, u32); 7] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("ptmx", 5, 2),
];

impl World {
    /// A machine of the given kind, with pid 1 and the daemon running.
    ///
    /// # Errors
    /// What a file of the caller's meets: ENOTDIR, EISDIR.
    pub fn new(config: &SimConfig) -> Result<World, Errno> {
        let SimConfig { machine, hostname, files, kernel_paths, .. } = config;
        let mut tree = Tree::new(0o755);
        for path in DIRECTORIES {
            tree.directories(path, 0o755)?;
        }
        let tmp = tree.directories("/tmp", 0o755)?;
        tree.node_mut(tmp)?.mode = 0o1777;
        for (name, major, minor) in DEVICES {
            tree.plant(&format!("/dev/{name}"), Node::device(major, minor, 0o666))?;
        }
        tree.plant("/etc/hostname", Node::file(format!("{hostname}\n"), 0o644))?;
        tree.plant("/etc/hosts", Node::file("127.0.0.1\tlocalhost\n", 0o644))?;
        tree.plant("/etc/resolv.conf", Node::file("nameserver 192.0.2.53\n", 0o644))?;
        tree.plant("/etc/passwd", Node::file("root:x:0:0:root:/root:/bin/sh\n", 0o644))?;
        for (path, bytes) in files {
            tree.plant(path, Node::file(bytes.clone(), 0o644).owned(machine.uid, machine.gid))?;
        }
        let mut filesystems = FileSystems::default();
        let fs = filesystems.add(FileSystem::plain("ext4", tree));
        let mut world = World {
            namespaces: Namespaces::new(hostname, DAEMON),
            machine: machine.clone(),
            kernel_paths: kernel_paths.clone(),
            filesystems,
            mounts: Mounts::default(),
            processes: Processes::default(),
            networks: Networks::default(),
        };
        let root = world.mount_first(None, fs, "/dev/root");
        world.first_processes(root);
        world.mount_kernel_trees()?;
        world.mount_cgroups()?;
        world.give_home_to_user()?;
        Ok(world)
    }

    fn mount_first(&mut self, over: Option<Location>, fs: u32, source: &str) -> Location {
        let id = self.mounts.add(Mount {
            namespace: first(Namespace::Mount),
            over,
            fs,
            root: ROOT,
            flags: BTreeSet::new(),
            propagation: "shared".to_owned(),
            source: source.to_owned(),
            data: String::new(),
        });
        Location { mount: id, ino: ROOT }
    }

    fn first_processes(&mut self, root: Location) {
        let everything: Capabilities = caps::all().iter().map(ToString::to_string).collect();
        let process = |pid: Pid, name: &str, uid: u32, gid: u32| Process {
            parent: u32::from(pid != 1),
            name: name.to_owned(),
            program: format!("/usr/bin/{name}"),
            argv: vec![name.to_owned()],
            namespaces: namespaces::FIRST.into_iter().collect(),
            pids: vec![(first(Namespace::Pid), pid)],
            root,
            cwd: root,
            confined: None,
            uid,
            gid,
            groups: Vec::new(),
            effective: if uid == 0 { everything.clone() } else { Capabilities::new() },
            bounding: everything.clone(),
            inheritable: Capabilities::new(),
            ambient: Capabilities::new(),
            no_new_privileges: false,
            seccomp: 0,
            limits: BTreeMap::from([("RLIMIT_NOFILE".to_owned(), (1024, 524_288))]),
            oom_score_adj: 0,
            supervises: None,
            session: pid,
            groups_in: BTreeMap::new(),
            freezer: Freezer::Thawed,
            pending: Vec::new(),
            life: Life::Running,
            wake: None,
            ended: None,
        };
        self.processes.insert(1, process(1, "init", 0, 0));
        self.processes.insert(DAEMON, process(DAEMON, "learn", self.machine.uid, self.machine.gid));
    }

    fn mount_kernel_trees(&mut self) -> Result<(), Errno> {
        let (tree, procfs) = Procfs::mount(first(Namespace::Pid), &self.kernel_paths);
        let proc = FileSystem { name: "proc".to_owned(), tree, sort: Sort::Proc(procfs) };
        let sys = FileSystem { name: "sysfs".to_owned(), tree: sysfs(&self.kernel_paths), sort: Sort::Fixed };
        for (path, filesystem) in [("/proc", proc), ("/sys", sys)] {
            let name = filesystem.name.clone();
            let id = self.filesystems.add(filesystem);
            let at = self.resolve(1, path, Last::Follow)?;
            self.mount_first(Some(at), id, &name);
        }
        self.publish(1);
        self.publish(DAEMON);
        Ok(())
    }

    fn mount_cgroups(&mut self) -> Result<(), Errno> {
        let cgroups = self.machine.cgroups.clone();
        if !cgroups.v1.is_empty() {
            let at = self.resolve(1, "/sys/fs/cgroup", Last::Follow)?;
            let id = self.filesystems.add(FileSystem::plain("tmpfs", Tree::new(0o755)));
            self.mount_first(Some(at), id, "tmpfs");
        }
        // Controllers mounted together (`cpu,cpuacct`) are one hierarchy.
        let mut together: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (controller, path) in &cgroups.v1 {
            together.entry(path.clone()).or_default().push(controller.clone());
        }
        for (path, controllers) in &together {
            self.mount_hierarchy(path, controllers, false, self.machine.uid == 0)?;
        }
        if let Some(v2) = &cgroups.v2 {
            self.mount_hierarchy(&v2.mount, &v2.controllers, true, v2.writable)?;
        }
        Ok(())
    }

    fn mount_hierarchy(
        &mut self,
        path: &str,
        names: &[String],
        v2: bool,
        writable: bool,
    ) -> Result<(), Errno> {
        self.create_directories(1, path, 0o755)?;
        let at = self.resolve(1, path, Last::Follow)?;
        let mut filesystem = Hierarchy::mount(names, v2);
        let tree = &mut filesystem.tree;
        let cpuset = self.machine.cgroups.cpuset.as_ref();
        let texts = [
            ("cpuset.cpus", format!("{}\n", cpuset.map_or("0", |set| &set.cpus))),
            ("cpuset.mems", format!("{}\n", cpuset.map_or("0", |set| &set.mems))),
            ("cgroup.subtree_control", format!("{}\n", names.join(" "))),
        ];
        for (file, text) in texts {
            if let Ok(ino) = tree.lookup(ROOT, file) {
                tree.node_mut(ino)?.content = Content::File(text.into());
            }
        }
        if writable {
            let all: Vec<_> = tree.entries(ROOT)?.values().copied().chain([ROOT]).collect();
            for ino in all {
                tree.node_mut(ino)?.uid = self.machine.uid;
            }
        }
        let name = filesystem.name.clone();
        let id = self.filesystems.add(filesystem);
        self.mount_first(Some(at), id, &name);
        let pids: Vec<Pid> = self.processes.iter().map(|(pid, _)| pid).collect();
        for pid in pids {
            self.processes.get_mut(pid)?.groups_in.insert(id, ROOT);
        }
        Ok(())
    }

    /// A user who is not root gets what a login gives: a home and a runtime directory.
    fn give_home_to_user(&mut self) -> Result<(), Errno> {
        let (uid, gid) = (self.machine.uid, self.machine.gid);
        if uid == 0 {
            return Ok(());
        }
        for path in ["/home/learner".to_owned(), format!("/run/user/{uid}")] {
            self.create_directories(1, &path, 0o755)?;
            let at = self.resolve(1, &path, Last::Follow)?;
            let fs = self.mount_at(at)?.fs;
            self.change(fs, at.ino, |node| (node.uid, node.gid) = (uid, gid))?;
        }
        Ok(())
    }

    /// Whether a process has a capability over what a user namespace governs: its own, or one
    /// made below it. user_namespaces(7).
    pub(super) fn is_capable(&self, process: &Process, name: &str, over: NsId) -> bool {
        let own = process.user_namespace();
        let mut at = over;
        loop {
            if at == own {
                return process.has_capability(name);
            }
            let above = self.namespaces.owner(at);
            if above == at {
                return false;
            }
            // Whoever made a user namespace may do anything to it from the one around it.
            if above == own && self.namespaces.users(at).owner == process.uid {
                return true;
            }
            at = above;
        }
    }
}

/// A small `/sys`: what containers hide, and where groups are mounted.
pub(super) fn sysfs(kernel_paths: &[String]) -> Tree {
    let mut tree = Tree::new(0o555);
    plant_silent(&mut tree, "/sys", kernel_paths);
    for path in ["/block", "/bus", "/class/net", "/dev", "/devices/virtual", "/fs/cgroup", "/kernel"] {
        // A fresh tree has nothing in the way.
        let _ = tree.directories(path, 0o755);
    }
    tree
}
