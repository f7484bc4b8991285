//! Processes: credentials(7), capabilities(7), signal(7), wait(2), pid_namespaces(7).

use super::filesystem::FsId;
use super::freezer::Freezer;
use super::mounts::Location;
use super::namespaces::NsId;
use super::tree::Ino;
use super::world::World;
use crate::kernel::ExitStatus;
use crate::op::Namespace;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

/// The highest signal number, of the real-time ones.
pub const LAST_SIGNAL: i32 = 64;

/// A process id, as the host counts.
pub type Pid = u32;

/// A set of capabilities by name: `CAP_CHOWN`.
pub type Capabilities = BTreeSet<String>;

/// One process.
#[derive(Debug)]
pub struct Process {
    /// Parent on the host; 1 when that has gone.
    pub parent: Pid,
    /// Name of the program, as `comm` shows it.
    pub name: String,
    /// File it was started from, as seen from its own root.
    pub program: String,
    /// Its arguments.
    pub argv: Vec<String>,
    /// The namespaces it is in.
    pub namespaces: BTreeMap<Namespace, NsId>,
    /// Its number in its pid namespace and in those around it, innermost first.
    pub pids: Vec<(NsId, u32)>,
    /// What `/` is.
    pub root: Location,
    /// What `.` is.
    pub cwd: Location,
    /// From now on paths below this one are resolved inside it: openat2(2), RESOLVE_IN_ROOT.
    pub confined: Option<(String, Location)>,
    /// User, as the host counts.
    pub uid: u32,
    /// Group, as the host counts.
    pub gid: u32,
    /// Supplementary groups, as the host counts.
    pub groups: Vec<u32>,
    /// Effective and permitted.
    pub effective: Capabilities,
    /// What execve(2) may grant at the most.
    pub bounding: Capabilities,
    /// Kept over execve(2) for files that ask for them.
    pub inheritable: Capabilities,
    /// Kept over execve(2) without asking.
    pub ambient: Capabilities,
    /// PR_SET_NO_NEW_PRIVS.
    pub no_new_privileges: bool,
    /// Length of the loaded seccomp filter.
    pub seccomp: usize,
    /// Resource limits: soft, hard.
    pub limits: BTreeMap<String, (u64, u64)>,
    /// −1000 to 1000: proc(5).
    pub oom_score_adj: i32,
    /// The program it passes signals on to, for a small init.
    pub supervises: Option<Pid>,
    /// Session it belongs to: its leader's pid.
    pub session: Pid,
    /// Its control group in each hierarchy.
    pub groups_in: BTreeMap<FsId, Ino>,
    /// Whether its group is frozen.
    pub freezer: Freezer,
    /// Signals that wait until it is thawed.
    pub pending: Vec<i32>,
    /// How far it is.
    pub life: Life,
    /// Closed when a signal wants the program to end; the program's thread holds the other end.
    pub wake: Option<OwnedFd>,
    /// Written to when the process has ended; whoever waits holds the other end.
    pub ended: Option<OwnedFd>,
}

/// How far a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Running,
    /// SIGSTOP.
    Stopped,
    /// A signal ends it as soon as its program notices.
    Ending(i32),
    /// It has ended and waits to be reaped: a zombie.
    Ended(ExitStatus),
}

impl Process {
    /// Whether the capability is in the effective set.
    pub fn has_capability(&self, name: &str) -> bool {
        self.effective.contains(name)
    }

    /// The user namespace it is in.
    pub fn user_namespace(&self) -> NsId {
        self.namespaces[&Namespace::User]
    }

    /// Its number as a pid namespace counts; `None` when it cannot be seen there.
    pub fn pid_in(&self, namespace: NsId) -> Option<u32> {
        self.pids.iter().find(|(id, _)| *id == namespace).map(|(_, pid)| *pid)
    }

    /// Where a confined path starts, and what is left of it there.
    pub fn confinement<'p>(&self, path: &'p str) -> Option<(Location, &'p str)> {
        let (root, place) = self.confined.as_ref()?;
        let rest = path.strip_prefix(root.as_str())?;
        match rest {
            "" | "/" => Some((*place, ".")),
            rest if rest.starts_with('/') => Some((*place, rest)),
            _ => None,
        }
    }

    fn ignores(&self, signal: Option<Signal>) -> bool {
        let own_init = self.pids.len() > 1 && self.pids[0].1 == 1;
        match signal {
            Some(Signal::SIGKILL | Signal::SIGSTOP) => false,
            Some(Signal::SIGCHLD | Signal::SIGURG | Signal::SIGWINCH) => true,
            // No simulated program installs a handler, and the kernel spares a namespace's init
            // every signal it has no handler for: pid_namespaces(7).
            _ => own_init,
        }
    }
}

/// All processes.
#[derive(Debug, Default)]
pub struct Processes {
    all: BTreeMap<Pid, Process>,
}

impl Processes {
    /// Adds one.
    pub fn insert(&mut self, pid: Pid, process: Process) {
        self.all.insert(pid, process);
    }

    /// One of them.
    ///
    /// # Errors
    /// ESRCH.
    pub fn get(&self, pid: Pid) -> Result<&Process, Errno> {
        self.all.get(&pid).ok_or(Errno::ESRCH)
    }

    /// One of them, to change.
    ///
    /// # Errors
    /// ESRCH.
    pub fn get_mut(&mut self, pid: Pid) -> Result<&mut Process, Errno> {
        self.all.get_mut(&pid).ok_or(Errno::ESRCH)
    }

    /// All of them, by pid.
    pub fn iter(&self) -> impl Iterator<Item = (Pid, &Process)> {
        self.all.iter().map(|(pid, process)| (*pid, process))
    }

    pub(super) fn living(&self) -> impl Iterator<Item = (Pid, &Process)> {
        self.iter().filter(|(_, process)| !matches!(process.life, Life::Ended(_)))
    }
}

impl World {
    /// Makes a process like `parent`, in the namespaces given instead of its own.
    ///
    /// # Errors
    /// ESRCH when there is no such parent.
    pub(super) fn fork(&mut self, parent: Pid, new: BTreeMap<Namespace, NsId>) -> Result<Pid, Errno> {
        let pid_namespace = new.get(&Namespace::Pid).copied();
        let from = self.processes.get(parent)?;
        let mut namespaces = from.namespaces.clone();
        namespaces.extend(new);
        let innermost = pid_namespace.unwrap_or(from.namespaces[&Namespace::Pid]);
        let pids = self.namespaces.next_pids(innermost);
        let pid = pids.last().map(|(_, pid)| *pid).ok_or(Errno::EAGAIN)?;
        let from = self.processes.get(parent)?;
        let child = Process {
            parent,
            name: from.name.clone(),
            program: from.program.clone(),
            argv: from.argv.clone(),
            namespaces,
            pids,
            groups: from.groups.clone(),
            effective: from.effective.clone(),
            bounding: from.bounding.clone(),
            inheritable: from.inheritable.clone(),
            ambient: from.ambient.clone(),
            limits: from.limits.clone(),
            groups_in: from.groups_in.clone(),
            confined: None,
            pending: Vec::new(),
            supervises: None,
            life: Life::Running,
            wake: None,
            ended: None,
            ..*from
        };
        self.processes.insert(pid, child);
        self.publish(pid);
        Ok(pid)
    }

    /// Sends a signal: kill(2).
    ///
    /// # Errors
    /// EINVAL, ESRCH, EPERM.
    pub fn signal(&mut self, who: Pid, target: Pid, signal: i32) -> Result<(), Errno> {
        if !(1..=LAST_SIGNAL).contains(&signal) {
            return Err(Errno::EINVAL);
        }
        // The real-time signals have numbers only, and the usual default: to end the process.
        let known = Signal::try_from(signal).ok();
        let process = self.processes.get(target)?;
        let sender = self.processes.get(who)?;
        if sender.uid != process.uid && !sender.has_capability("CAP_KILL") {
            return Err(Errno::EPERM);
        }
        let passed_on = process.supervises.filter(|_| {
            !matches!(known, Some(Signal::SIGKILL | Signal::SIGSTOP)) && process.life == Life::Running
        });
        if let Some(program) = passed_on {
            // Pid 1 of the machine may signal everyone.
            return self.signal(1, program, signal);
        }
        if matches!(process.life, Life::Ended(_) | Life::Ending(_)) || process.ignores(known) {
            return Ok(());
        }
        let process = self.processes.get_mut(target)?;
        if process.freezer.holds(signal) {
            process.pending.push(signal);
            return Ok(());
        }
        match known {
            Some(Signal::SIGSTOP | Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU) => {
                process.life = Life::Stopped;
            }
            Some(Signal::SIGCONT) => process.life = Life::Running,
            _ => match process.wake.take() {
                // The program's thread lets go of its streams first, then the process ends.
                Some(_closed) => process.life = Life::Ending(signal),
                None => self.end(target, ExitStatus::Signal(signal)),
            },
        }
        Ok(())
    }

    /// The process is over: it leaves its groups, its orphans go to pid 1, and what only it kept
    /// alive goes too.
    pub(super) fn end(&mut self, pid: Pid, status: ExitStatus) {
        let Ok(process) = self.processes.get_mut(pid) else { return };
        process.life = match process.life {
            Life::Ended(earlier) => Life::Ended(earlier),
            Life::Ending(signal) => Life::Ended(ExitStatus::Signal(signal)),
            Life::Running | Life::Stopped => Life::Ended(status),
        };
        process.groups_in.clear();
        process.wake = None;
        let ended = process.ended.take();
        let innermost = process.pids[0];
        let (parent, over) = (process.parent, process.life);
        let mount = process.namespaces[&Namespace::Mount];
        let orphans: Vec<Pid> =
            self.processes.iter().filter(|(_, child)| child.parent == pid).map(|(pid, _)| pid).collect();
        for orphan in orphans {
            let _ = self.processes.get_mut(orphan).map(|child| child.parent = 1);
        }
        let supervised = self.processes.get(parent).is_ok_and(|init| init.supervises == Some(pid));
        if let (true, Life::Ended(status)) = (supervised, over) {
            // The init reaps its program and ends with its code.
            let _ = self.reap(pid);
            self.end(parent, ExitStatus::Code(status.code()));
        }
        if innermost.1 == 1 {
            self.end_namespace(innermost.0);
        }
        if !self.processes.living().any(|(_, other)| other.namespaces[&Namespace::Mount] == mount) {
            self.mounts.drop_namespace(mount);
        }
        if let Some(fd) = ended {
            // One byte, then the end: readable to poll(2) as a pidfd would be. Nobody left to
            // read it is no failure.
            let _ = nix::unistd::write(&fd, b"e");
        }
    }

    /// A pid namespace without its init has no processes.
    fn end_namespace(&mut self, namespace: NsId) {
        let others: Vec<Pid> = self
            .processes
            .living()
            .filter(|(_, other)| other.pid_in(namespace).is_some())
            .map(|(pid, _)| pid)
            .collect();
        for pid in others {
            // Root's pid 1 may signal everyone; the process cannot be gone, the lock is held.
            let _ = self.signal(1, pid, Signal::SIGKILL as i32);
        }
    }

    /// The table `ps -ef` prints.
    pub(super) fn list_processes(&self) -> String {
        let mut table = "UID          PID    PPID  C STIME TTY          TIME CMD\n".to_owned();
        for (pid, process) in self.processes.living() {
            let user = if process.uid == 0 { "root".to_owned() } else { process.uid.to_string() };
            let command = process.argv.join(" ");
            let row =
                format!("{user:<8} {pid:>7} {:>7}  0 00:00 ?        00:00:00 {command}\n", process.parent);
            table.push_str(&row);
        }
        table
    }

    /// Takes the exit status of a child that has ended: waitid(2).
    ///
    /// # Errors
    /// ECHILD when it is gone, EAGAIN while it runs.
    pub(super) fn reap(&mut self, pid: Pid) -> Result<ExitStatus, Errno> {
        match self.processes.get(pid).map_err(|_| Errno::ECHILD)?.life {
            Life::Ended(status) => {
                self.unpublish(pid);
                self.processes.all.remove(&pid);
                Ok(status)
            }
            _ => Err(Errno::EAGAIN),
        }
    }
}
