//! `/proc`: processes as files, for the pid namespace it was mounted in. Texts are made when they
//! are read; writing one changes the process. proc(5), user_namespaces(7).

use super::cgroups;
use super::filesystem::{FsId, Sort};
use super::namespaces::{NsId, inside, outside};
use super::processes::{Capabilities, Life, Pid, Process};
use super::tree::{Ino, Node, ROOT, Tree};
use super::world::World;
use crate::op::Namespace;
use nix::errno::Errno;
use std::collections::BTreeMap;
use strum::VariantArray;

/// What is special about one mounted `/proc`.
#[derive(Clone, Debug)]
pub struct Procfs {
    /// Whose processes it shows.
    pub pids: NsId,
    files: BTreeMap<Ino, (Option<Pid>, &'static str)>,
}

/// Files of one process.
const OF_PROCESS: [(&str, u32); 10] = [
    ("cgroup", 0o444),
    ("cmdline", 0o444),
    ("comm", 0o644),
    ("gid_map", 0o644),
    ("limits", 0o444),
    ("mountinfo", 0o444),
    ("oom_score_adj", 0o644),
    ("setgroups", 0o644),
    ("status", 0o444),
    ("uid_map", 0o644),
];

/// Files of the machine whose content is modelled.
const OF_MACHINE: [&str; 4] = ["/filesystems", FORWARDING, "/sys/kernel/hostname", "/sys/kernel/osrelease"];

/// Whether the machine passes packets on: ip(7).
const FORWARDING: &str = "/sys/net/ipv4/ip_forward";

/// A file of the machine that is there and says nothing.
const SILENT: &str = "";

/// Puts those of a kernel's paths that are below `mount` into its tree; the files among them.
pub(super) fn plant_silent(tree: &mut Tree, mount: &str, kernel_paths: &[String]) -> Vec<Ino> {
    let mut files = Vec::new();
    for path in kernel_paths.iter().filter_map(|path| path.strip_prefix(mount)) {
        match path.strip_suffix('/') {
            // The same path twice changes nothing.
            Some(directory) => drop(tree.directories(directory, 0o555)),
            None => files.extend(tree.plant(path, Node::file("", 0o644))),
        }
    }
    files
}

impl Procfs {
    /// A `/proc` without processes, with what this kernel has in it of its own.
    pub fn mount(pids: NsId, kernel_paths: &[String]) -> (Tree, Procfs) {
        let mut tree = Tree::new(0o555);
        let mut files = BTreeMap::new();
        for ino in plant_silent(&mut tree, "/proc", kernel_paths) {
            files.insert(ino, (None, SILENT));
        }
        for path in OF_MACHINE {
            // A fresh tree has nothing in the way.
            if let Ok(ino) = tree.plant(path, Node::file("", 0o644)) {
                files.insert(ino, (None, path));
            }
        }
        let _ = tree.add(ROOT, "self", Node::symlink(""));
        (tree, Procfs { pids, files })
    }

    /// What the link says to this process, when it is one that differs: `self`, `exe`.
    pub fn link(&self, world: &World, reader: &Process, ino: Ino) -> Option<String> {
        match self.files.get(&ino) {
            // Only `self` among the links is no file of a process.
            None => Some(reader.pid_in(self.pids)?.to_string()),
            Some((Some(pid), "exe")) => Some(world.processes.get(*pid).ok()?.program.clone()),
            Some((Some(pid), name)) => {
                let kind = Namespace::VARIANTS.iter().find(|kind| kind.proc_name() == *name)?;
                let id = world.processes.get(*pid).ok()?.namespaces[kind];
                Some(format!("{name}:[{id}]"))
            }
            Some((None, _)) => None,
        }
    }

    fn add_process(&mut self, tree: &mut Tree, number: u32, pid: Pid) -> Result<(), Errno> {
        let directory = tree.add(ROOT, &number.to_string(), Node::directory(0o555))?;
        for (name, mode) in OF_PROCESS {
            let ino = tree.add(directory, name, Node::file("", mode))?;
            self.files.insert(ino, (Some(pid), name));
        }
        let exe = tree.add(directory, "exe", Node::symlink(""))?;
        self.files.insert(exe, (Some(pid), "exe"));
        let namespaces = tree.add(directory, "ns", Node::directory(0o511))?;
        for kind in Namespace::VARIANTS {
            let ino = tree.add(namespaces, kind.proc_name(), Node::symlink(""))?;
            self.files.insert(ino, (Some(pid), kind.proc_name()));
        }
        Ok(())
    }
}

impl World {
    /// Shows a process in every `/proc` that may see it.
    pub(super) fn publish(&mut self, pid: Pid) {
        let all: Vec<FsId> = self.filesystems.iter().map(|(id, _)| id).collect();
        for id in all {
            self.publish_in(id, pid);
        }
    }

    /// Shows a process in one file system, if that is a `/proc` that may see it.
    pub(super) fn publish_in(&mut self, id: FsId, pid: Pid) {
        let Ok(process) = self.processes.get(pid) else { return };
        let filesystem = self.filesystems.get_mut(id);
        if let Sort::Proc(procfs) = &mut filesystem.sort
            && let Some(number) = process.pid_in(procfs.pids)
        {
            // A number is given out once, so its directory is not there yet.
            let _ = procfs.add_process(&mut filesystem.tree, number, pid);
        }
        self.own_proc_files(pid);
    }

    /// The files of a process belong to its user.
    pub(super) fn own_proc_files(&mut self, pid: Pid) {
        let Ok(process) = self.processes.get(pid) else { return };
        for (_, filesystem) in self.filesystems.iter_mut() {
            let Sort::Proc(procfs) = &filesystem.sort else { continue };
            for (ino, _) in procfs.files.iter().filter(|(_, (owner, _))| *owner == Some(pid)) {
                if let Ok(node) = filesystem.tree.node_mut(*ino) {
                    (node.uid, node.gid) = (process.uid, process.gid);
                }
            }
        }
    }

    /// Takes a reaped process out of every `/proc`.
    pub(super) fn unpublish(&mut self, pid: Pid) {
        let Ok(process) = self.processes.get(pid) else { return };
        for (_, filesystem) in self.filesystems.iter_mut() {
            if let Sort::Proc(procfs) = &mut filesystem.sort
                && let Some(number) = process.pid_in(procfs.pids)
            {
                let _ = filesystem.tree.remove_all(ROOT, &number.to_string());
                procfs.files.retain(|_, (owner, _)| *owner != Some(pid));
            }
        }
    }

    /// The text of a file in a `/proc`.
    pub(super) fn proc_text(&self, reader: Pid, procfs: &Procfs, ino: Ino) -> Result<String, Errno> {
        match procfs.files.get(&ino) {
            Some((Some(pid), name)) => self.text_of_process(reader, *pid, name),
            Some((None, "/sys/kernel/hostname")) => {
                let uts = self.processes.get(reader)?.namespaces[&Namespace::Uts];
                Ok(format!("{}\n", self.namespaces.hostname(uts)))
            }
            Some((None, FORWARDING)) => Ok(format!("{}\n", u8::from(self.networks.forwards))),
            Some((None, "/sys/kernel/osrelease")) => Ok(format!("{}\n", self.machine.kernel)),
            Some((None, "/filesystems")) => {
                let kinds = ["sysfs", "tmpfs", "proc", "devpts", "mqueue", "cgroup", "cgroup2"];
                let overlay = self.machine.overlay.then_some("overlay");
                let line = |name: &str| format!("nodev\t{name}\n");
                Ok(kinds.into_iter().chain(overlay).map(line).collect::<String>() + "\text4\n")
            }
            Some((None, _)) | None => Ok(String::new()),
        }
    }

    fn text_of_process(&self, reader: Pid, pid: Pid, name: &str) -> Result<String, Errno> {
        let process = self.processes.get(pid)?;
        let users = self.namespaces.users(process.user_namespace());
        let map = |lines: &[(u32, u32, u32)]| {
            lines.iter().map(|line| format!("{:>10} {:>10} {:>10}\n", line.0, line.1, line.2)).collect()
        };
        Ok(match name {
            "comm" => format!("{}\n", process.name),
            "cmdline" => process.argv.iter().map(|arg| format!("{arg}\0")).collect(),
            "uid_map" => map(&users.uids),
            "gid_map" => map(&users.gids),
            "setgroups" => if users.groups_denied { "deny\n" } else { "allow\n" }.to_owned(),
            "oom_score_adj" => format!("{}\n", process.oom_score_adj),
            "cgroup" => cgroups::memberships(self, process),
            "limits" => process
                .limits
                .iter()
                .map(|(name, (soft, hard))| format!("{name:<26}{soft:<21}{hard}\n"))
                .collect(),
            "mountinfo" => self.mount_table(pid)?,
            "status" => self.status(reader, process),
            _ => String::new(),
        })
    }

    fn status(&self, reader: Pid, process: &Process) -> String {
        let number = |id: Pid| {
            let seen_from = self.processes.get(reader).map(|reader| reader.namespaces[&Namespace::Pid]);
            let other = self.processes.get(id);
            seen_from.ok().and_then(|seen| other.ok()?.pid_in(seen)).unwrap_or(0)
        };
        let pids: Vec<String> = process.pids.iter().rev().map(|(_, pid)| pid.to_string()).collect();
        let host_pid = process.pids.last().map_or(0, |(_, pid)| *pid);
        let users = self.namespaces.users(process.user_namespace());
        let uid = inside(&users.uids, process.uid).unwrap_or(65534);
        let gid = inside(&users.gids, process.gid).unwrap_or(65534);
        let state = match process.life {
            Life::Running | Life::Ending(_) => "S (sleeping)",
            Life::Stopped => "T (stopped)",
            Life::Ended(_) => "Z (zombie)",
        };
        let mask = |set: &Capabilities| {
            let known = caps::all();
            let held = known.into_iter().filter(|cap| set.contains(&cap.to_string()));
            held.fold(0u64, |mask, cap| mask | cap.bitmask())
        };
        let sets = [
            ("Inh", &process.inheritable),
            ("Prm", &process.effective),
            ("Eff", &process.effective),
            ("Bnd", &process.bounding),
            ("Amb", &process.ambient),
        ];
        let sets: String =
            sets.iter().map(|(name, set)| format!("Cap{name}:\t{:016x}\n", mask(set))).collect();
        format!(
            "Name:\t{}\nState:\t{state}\nPid:\t{}\nPPid:\t{}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n\
             Gid:\t{gid}\t{gid}\t{gid}\t{gid}\nNSpid:\t{}\nSigIgn:\t0000000000000000\n\
             SigCgt:\t0000000000000000\n{sets}NoNewPrivs:\t{}\nSeccomp:\t{}\n",
            process.name,
            number(host_pid),
            number(process.parent),
            pids.join("\t"),
            u8::from(process.no_new_privileges),
            if process.seccomp > 0 { 2 } else { 0 },
        )
    }

    /// Writes a file in a `/proc`.
    ///
    /// # Errors
    /// EPERM, EINVAL, EIO for what is not written to.
    pub(super) fn write_proc(&mut self, who: Pid, at: (Option<Pid>, &str), text: &str) -> Result<(), Errno> {
        let (Some(pid), name) = at else {
            if at.1 != FORWARDING {
                return Err(Errno::EIO);
            }
            self.networks.forwards = text.trim() != "0";
            return Ok(());
        };
        match name {
            "uid_map" => self.map_ids(who, pid, text, true),
            "gid_map" => self.map_ids(who, pid, text, false),
            "setgroups" => self.set_setgroups(pid, text),
            "oom_score_adj" => {
                let value: i32 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
                if !(-1000..=1000).contains(&value) {
                    return Err(Errno::EINVAL);
                }
                let lowers = value < self.processes.get(pid)?.oom_score_adj;
                let writer = self.processes.get(who)?;
                if lowers
                    && !self.is_capable(writer, "CAP_SYS_RESOURCE", super::namespaces::first(Namespace::User))
                {
                    return Err(Errno::EACCES);
                }
                self.processes.get_mut(pid)?.oom_score_adj = value;
                Ok(())
            }
            "comm" => {
                self.processes.get_mut(pid)?.name = text.trim_end().chars().take(15).collect();
                Ok(())
            }
            _ => Err(Errno::EIO),
        }
    }

    fn set_setgroups(&mut self, pid: Pid, text: &str) -> Result<(), Errno> {
        let user = self.processes.get(pid)?.user_namespace();
        let users = self.namespaces.users_mut(user);
        match text.trim() {
            "deny" if users.gids.is_empty() => users.groups_denied = true,
            "allow" if !users.groups_denied => {}
            "deny" | "allow" => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    fn map_ids(&mut self, who: Pid, pid: Pid, text: &str, of_users: bool) -> Result<(), Errno> {
        let lines = parse_map(text)?;
        let user = self.processes.get(pid)?.user_namespace();
        let writer = self.processes.get(who)?;
        let users = self.namespaces.users(user);
        let (existing, own) = if of_users { (&users.uids, writer.uid) } else { (&users.gids, writer.gid) };
        if !existing.is_empty() {
            return Err(Errno::EPERM);
        }
        let around = self.namespaces.users(self.namespaces.owner(user));
        let capability = if of_users { "CAP_SETUID" } else { "CAP_SETGID" };
        // Without privilege outside: one line that maps the writer's own id, and for groups only
        // after setgroups(2) has been given up.
        let privileged = self.is_capable(writer, capability, self.namespaces.owner(user));
        let own_only = matches!(lines[..], [(_, outside, 1)] if outside == own);
        if !privileged && !(own_only && (of_users || users.groups_denied)) {
            return Err(Errno::EPERM);
        }
        let map_around = if of_users { &around.uids } else { &around.gids };
        let lines: Option<Vec<_>> = lines
            .into_iter()
            .map(|(inside, from, count)| Some((inside, outside(map_around, from)?, count)))
            .collect();
        let lines = lines.ok_or(Errno::EPERM)?;
        let users = self.namespaces.users_mut(user);
        *(if of_users { &mut users.uids } else { &mut users.gids }) = lines;
        Ok(())
    }

    /// Which process and which of its files an inode of a `/proc` is.
    pub(super) fn proc_file(procfs: &Procfs, ino: Ino) -> Result<(Option<Pid>, &'static str), Errno> {
        procfs.files.get(&ino).copied().ok_or(Errno::EISDIR)
    }
}

fn parse_map(text: &str) -> Result<Vec<(u32, u32, u32)>, Errno> {
    let lines: Option<Vec<_>> = text
        .lines()
        .map(|line| {
            let numbers: Vec<u32> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
            match numbers[..] {
                [inside, outside, count] if count > 0 => Some((inside, outside, count)),
                _ => None,
            }
        })
        .collect();
    lines.filter(|lines| !lines.is_empty()).ok_or(Errno::EINVAL)
}
