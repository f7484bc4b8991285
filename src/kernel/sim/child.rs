//! The container's first process, seen from the shim: born waiting, let go, become a program,
//! ended, reaped. clone(2), pidfd_open(2), waitid(2).

use super::jail::{SimJail, fault};
use super::namespaces::NsId;
use super::processes::{Life, Pid};
use super::program::{Context, Programs};
use super::world::{SharedWorld, World, lock};
use crate::kernel::{Child, ExitStatus, Fault, Init, OpError, Stdio};
use crate::op::Namespace;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// The descriptors a program inherits.
pub(super) type Streams = Stdio;

/// What `process.exec` decided to run.
pub(super) struct Launch {
    /// File the code comes from.
    pub code: String,
    /// Path it was started by.
    pub program: String,
    /// Arguments.
    pub argv: Vec<String>,
    /// Environment.
    pub env: Vec<String>,
}

/// Makes a process in new namespaces, and in a control group, that waits to be let go.
pub(super) fn clone_init(
    jail: &SimJail,
    namespaces: &[Namespace],
    cgroup: Option<&str>,
    stdio: Stdio,
    init: Init,
) -> Result<Box<dyn Child>, Fault> {
    let (ended, end) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut world = lock(&jail.world);
    let group = cgroup.map(|path| world.open_group(jail.pid, path)).transpose().map_err(fault)?;
    let pid = world.clone_process(jail.pid, namespaces).map_err(fault)?;
    group.map(|(fs, group)| world.enter_group(pid, fs, group)).transpose().map_err(fault)?;
    world.processes.get_mut(pid).map_err(fault)?.ended = Some(end);
    drop(world);
    Ok(Box::new(SimChild {
        world: jail.world.clone(),
        programs: jail.programs.clone(),
        shim: jail.pid,
        pid,
        ended,
        waiting: Some((stdio, init)),
        terminal: None,
    }))
}

/// clone(2): see [`World::clone_process`].
pub(super) fn clone_process(world: &mut World, who: Pid, kinds: &[Namespace]) -> Result<Pid, Errno> {
    world.clone_process(who, kinds)
}

impl World {
    fn clone_process(&mut self, who: Pid, kinds: &[Namespace]) -> Result<Pid, Errno> {
        let parent = self.processes.get(who)?;
        let (uid, from) = (parent.uid, parent.namespaces.clone());
        let new_user = kinds.contains(&Namespace::User);
        let privileged = parent.has_capability("CAP_SYS_ADMIN");
        if !new_user && !privileged && !kinds.is_empty() {
            return Err(Errno::EPERM);
        }
        let mut made: BTreeMap<Namespace, NsId> = BTreeMap::new();
        let mut owner = from[&Namespace::User];
        // The user namespace first: it governs the others.
        let mut ordered = kinds.to_vec();
        ordered.sort_unstable_by_key(|kind| *kind != Namespace::User);
        for kind in ordered {
            let id = self.namespaces.make(kind, from[&kind], owner, uid);
            if kind == Namespace::User {
                owner = id;
            }
            made.insert(kind, id);
        }
        let copied =
            made.get(&Namespace::Mount).map(|to| self.mounts.copy(from[&Namespace::Mount], *to, new_user));
        let pid = self.fork(who, made)?;
        let child = self.processes.get_mut(pid)?;
        if let Some(copied) = copied {
            child.root.mount = copied[&child.root.mount];
            child.cwd.mount = copied[&child.cwd.mount];
        }
        if new_user {
            child.effective = child.bounding.clone();
        }
        Ok(pid)
    }

    /// A process like the helper `who`, as a child of the helper's parent: CLONE_PARENT.
    pub(super) fn clone_sibling(&mut self, who: Pid) -> Result<Pid, Errno> {
        let parent = self.processes.get(who)?.parent;
        let pid = self.fork(who, BTreeMap::new())?;
        self.processes.get_mut(pid)?.parent = parent;
        Ok(pid)
    }

    /// The caller stays as the init of its namespace and passes signals on to a new process like
    /// it, which will be the program.
    pub(super) fn supervise(&mut self, who: Pid, seccomp: usize) -> Result<Pid, Errno> {
        let program = self.fork(who, BTreeMap::new())?;
        let init = self.processes.get_mut(who)?;
        (init.supervises, init.seccomp) = (Some(program), seccomp);
        Ok(program)
    }

    /// Ends what a shim that goes away leaves behind: its children asked for it (PR_SET_PDEATHSIG).
    pub(super) fn end_shim(&mut self, shim: Pid) {
        let children: Vec<Pid> =
            self.processes.iter().filter(|(_, child)| child.parent == shim).map(|(pid, _)| pid).collect();
        for child in children {
            // Pid 1 of the machine may signal everyone.
            let _ = self.signal(1, child, nix::libc::SIGKILL);
        }
        self.end(shim, ExitStatus::Code(0));
        // Its parent is the daemon, which waits for nobody: pid 1's habit of reaping stands in.
        let _ = self.reap(shim);
    }
}

struct SimChild {
    world: SharedWorld,
    programs: Arc<Programs>,
    shim: Pid,
    pid: Pid,
    ended: OwnedFd,
    waiting: Option<(Stdio, Init)>,
    terminal: Option<OwnedFd>,
}

impl Child for SimChild {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn proceed(&mut self) -> Result<(), OpError> {
        let Some((stdio, init)) = self.waiting.take() else { return Ok(()) };
        if self.is_over() {
            // A child that died already shows in `ended`.
            return Ok(());
        }
        let mut jail = SimJail::new(self.world.clone(), self.programs.clone(), self.pid);
        jail.streams = Some(stdio);
        let result = init(&mut jail);
        self.terminal = jail.terminal.outer.take().or_else(|| self.terminal.take());
        if let (Ok(()), Some((pid, init))) = (&result, jail.sibling.take()) {
            return self.hand_over(pid, jail.streams.take(), init);
        }
        match (result, jail.program.take(), jail.streams.take()) {
            (Ok(()), Some(launch), Some(streams)) => {
                // Of a small init the child became the program.
                start(self.world.clone(), self.programs.clone(), jail.pid, launch, streams);
                Ok(())
            }
            (result, _, streams) => {
                drop(streams);
                lock(&self.world).end(self.pid, ExitStatus::Code(1));
                result
            }
        }
    }

    fn terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        loop {
            match lock(&self.world).reap(self.pid) {
                Err(Errno::EAGAIN) => {}
                other => return Ok(other?),
            }
            match poll(&mut [PollFd::new(self.ended.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn signal(&self, signal: i32) -> io::Result<()> {
        Ok(lock(&self.world).signal(self.shim, self.pid, signal)?)
    }
}

impl SimChild {
    /// The helper ends, and who was born inside takes its place.
    fn hand_over(&mut self, pid: Pid, streams: Option<Streams>, init: Init) -> Result<(), OpError> {
        let mut world = lock(&self.world);
        world.end(self.pid, ExitStatus::Code(0));
        // It has just ended, and nobody else reaps it.
        let _ = world.reap(self.pid);
        self.pid = pid;
        if let (Ok((ended, end)), Ok(process)) = (pipe_with(PipeFlags::CLOEXEC), world.processes.get_mut(pid))
        {
            (process.ended, self.ended) = (Some(end), ended);
        }
        self.waiting = streams.map(|streams| (streams, init));
        Ok(())
    }

    fn is_over(&self) -> bool {
        let world = lock(&self.world);
        let process = world.processes.get(self.pid);
        process.map_or(true, |process| matches!(process.life, Life::Ended(_)))
    }
}

impl Drop for SimChild {
    /// Whoever was never let go finds the other side closed, and ends.
    fn drop(&mut self) {
        if self.waiting.take().is_some() {
            lock(&self.world).end(self.pid, ExitStatus::Code(1));
        }
    }
}

/// Runs the program on a thread of its own, with the real descriptors.
fn start(world: SharedWorld, programs: Arc<Programs>, pid: Pid, launch: Launch, streams: Streams) {
    let woken = match wake(&world, pid) {
        Ok(woken) => woken,
        Err(_) => {
            drop(streams);
            lock(&world).end(pid, ExitStatus::Signal(nix::libc::SIGKILL));
            return;
        }
    };
    let inside = world.clone();
    let run = move || {
        let mut context = Context::new(inside.clone(), pid, launch, streams, woken);
        let code = programs.run(&mut context);
        // The streams close before anyone can learn of the end, as the kernel does it.
        drop(context);
        lock(&inside).end(pid, ExitStatus::Code(code));
    };
    if std::thread::Builder::new().name(format!("sim-{pid}")).spawn(run).is_err() {
        lock(&world).end(pid, ExitStatus::Signal(nix::libc::SIGKILL));
    }
}

/// A pipe whose end tells the program's thread that a signal wants it.
fn wake(world: &SharedWorld, pid: Pid) -> io::Result<OwnedFd> {
    let (woken, wake) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut world = lock(world);
    let process = world.processes.get_mut(pid)?;
    if process.life == Life::Running {
        process.wake = Some(wake);
    }
    Ok(woken)
}
