//! The blocking door of shim and init, onto the modelled machine.

use super::child::{self, Streams};
use super::namespaces::first;
use super::processes::Pid;
use super::program::Programs;
use super::terminal::Terminal;
use super::world::{SharedWorld, lock};
use crate::error::Kind;
use crate::kernel::{Child, Fault, Init, Jail, LogFile, Outcome, Payload, Stdio, Value};
use crate::op::{CgroupOp, FsOp, Namespace, NamespaceOp, Op, ProcessOp};
use crate::trace::facts;
use nix::errno::Errno;
use std::io::{self, Write};
use std::sync::Arc;

/// Performs operations as one process of the modelled machine.
pub struct SimJail {
    pub(super) world: SharedWorld,
    pub(super) programs: Arc<Programs>,
    pub(super) pid: Pid,
    /// What the program will inherit; only init has them.
    pub(super) streams: Option<Streams>,
    /// Set by `process.exec`: what is to run when init has nothing more to say.
    pub(super) program: Option<child::Launch>,
    /// Set by `process.fork-inside`: who is born inside, and what it does.
    pub(super) sibling: Option<(Pid, Init)>,
    /// Set by `terminal.open`: the terminal's two ends.
    pub(super) terminal: Terminal,
}

impl SimJail {
    /// The door of process `pid`.
    pub(super) fn new(world: SharedWorld, programs: Arc<Programs>, pid: Pid) -> SimJail {
        SimJail {
            world,
            programs,
            pid,
            streams: None,
            program: None,
            sibling: None,
            terminal: Terminal::default(),
        }
    }

    fn process_op(&mut self, op: &ProcessOp, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            ProcessOp::NewSession => {
                let mut world = lock(&self.world);
                let process = world.processes.get_mut(self.pid).map_err(fault)?;
                // A group's leader cannot leave it: setsid(2).
                if process.session == self.pid {
                    return Err(fault(Errno::EPERM));
                }
                process.session = self.pid;
                Ok(Outcome::done())
            }
            ProcessOp::ChangeDirectory { path } => {
                let mut world = lock(&self.world);
                world.change_directory(self.pid, path).map_err(fault)?;
                Ok(Outcome::done())
            }
            ProcessOp::LookupProgram { name, path } => lock(&self.world).lookup_program(self.pid, name, path),
            ProcessOp::Exec { program, argv, .. } => self.exec(program, argv, payload),
            ProcessOp::SetCommandLine { argv } => {
                let mut world = lock(&self.world);
                let process = world.processes.get_mut(self.pid).map_err(fault)?;
                let name = argv.first().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
                process.name = name.chars().take(15).collect();
                process.argv.clone_from(argv);
                Ok(Outcome::done())
            }
            ProcessOp::Supervise { seccomp } => {
                self.pid = lock(&self.world).supervise(self.pid, *seccomp).map_err(fault)?;
                Ok(Outcome::done())
            }
            ProcessOp::SpawnShim { .. }
            | ProcessOp::Signal { .. }
            | ProcessOp::Fork
            | ProcessOp::ForkInside
            | ProcessOp::SpawnProxy { .. } => Err(not_here(&op.clone().into())),
        }
    }

    fn exec(&mut self, program: &str, argv: &[String], payload: Payload) -> Result<Outcome, Fault> {
        let Payload::Exec { env, filter } = payload else {
            return Err(Fault::new(Kind::Internal, "process.exec needs its environment"));
        };
        let code = lock(&self.world).exec(self.pid, program, argv, filter.len()).map_err(|errno| {
            let mut fault = fault(errno);
            fault.message = format!("exec {program}: {}", fault.message);
            if errno == Errno::ENOEXEC {
                fault.message = format!("exec {program}: exec format error");
                fault.kind = Kind::Denied;
            }
            fault
        })?;
        self.program = Some(child::Launch { code, program: program.to_owned(), argv: argv.to_vec(), env });
        Ok(Outcome { value: Value::Became, ..Outcome::done() })
    }
}

impl Jail for SimJail {
    fn perform(&mut self, op: &Op, payload: Payload) -> Result<Outcome, Fault> {
        let done = match op {
            Op::Process(op) => return self.process_op(op, payload),
            Op::Terminal(op) => return self.terminal_op(op),
            Op::Namespace(NamespaceOp::Clone { .. })
            | Op::Fs(FsOp::RemoveTree { .. })
            | Op::Archive(_)
            | Op::Http(_)
            | Op::Store(_) => return Err(not_here(op)),
            Op::Fs(op) => {
                let text = match payload {
                    Payload::Bytes(bytes) => Some(bytes),
                    _ => None,
                };
                lock(&self.world).file_op(self.pid, op, text)
            }
            Op::Cgroup(op) => lock(&self.world).cgroup_op(self.pid, op),
            Op::Mount(op) => lock(&self.world).mount_op(self.pid, op),
            Op::Namespace(op) => lock(&self.world).namespace_op(self.pid, op),
            Op::Network(op) => lock(&self.world).network_op(self.pid, op),
            Op::Guard(op) => lock(&self.world).guard_op(self.pid, op),
        };
        done.map(|()| Outcome::done()).map_err(fault)
    }

    fn clone_init(&mut self, op: &Op, stdio: Stdio, init: Init) -> Result<Box<dyn Child>, Fault> {
        match op {
            Op::Namespace(NamespaceOp::Clone { namespaces, cgroup }) => {
                child::clone_init(self, namespaces, cgroup.as_deref(), stdio, init)
            }
            Op::Process(ProcessOp::Fork) => child::clone_init(self, &[], None, stdio, init),
            _ => Err(not_here(op)),
        }
    }

    fn clone_sibling(&mut self, op: &Op, init: Init) -> Result<Outcome, Fault> {
        let Op::Process(ProcessOp::ForkInside) = op else { return Err(not_here(op)) };
        let pid = lock(&self.world).clone_sibling(self.pid).map_err(fault)?;
        self.sibling = Some((pid, init));
        Ok(Outcome::facts(facts([("pid", &pid)])))
    }

    fn confine(&mut self, root: &str) -> io::Result<()> {
        let mut world = lock(&self.world);
        let place = world.directory(self.pid, root)?;
        world.processes.get_mut(self.pid)?.confined = Some((root.trim_end_matches('/').to_owned(), place));
        Ok(())
    }

    fn read(&self, path: &str) -> io::Result<String> {
        let bytes = lock(&self.world).read(self.pid, path)?;
        String::from_utf8(bytes.into()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(lock(&self.world).read_link(self.pid, path)?)
    }

    fn exists(&self, path: &str) -> bool {
        lock(&self.world).resolve(self.pid, path, super::walk::Last::Follow).is_ok()
    }

    /// The models say little: no log of theirs is ever full.
    fn open_log(&mut self, file: &LogFile) -> io::Result<Box<dyn Write + Send>> {
        let log = Log { world: self.world.clone(), pid: self.pid, path: file.path.clone() };
        lock(&self.world).append(self.pid, &file.path, b"")?;
        Ok(Box::new(log))
    }
}

/// A file of the modelled machine, open for appending.
struct Log {
    world: SharedWorld,
    pid: Pid,
    path: String,
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.world).append(self.pid, &self.path, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer to an operation that belongs to the other door.
fn not_here(op: &Op) -> Fault {
    Fault::new(Kind::Internal, format!("{} is not an act of shim or init", op.name()))
}

/// The kernel's refusal.
pub(super) fn fault(errno: Errno) -> Fault {
    Fault::errno(errno as i32)
}

impl super::world::World {
    /// Makes or removes a control group, or gives it a guard of devices: bpf(2).
    ///
    /// # Errors
    /// EBUSY while it has members; EPERM, EACCES, ENOENT, ENOTDIR.
    pub fn cgroup_op(&mut self, who: Pid, op: &CgroupOp) -> Result<(), Errno> {
        match op {
            CgroupOp::Create { path } => self.create_directories(who, path, 0o755),
            CgroupOp::Remove { path } => {
                let gone = |error| if error == Errno::ENOENT { Ok(()) } else { Err(error) };
                match self.resolve_parent(who, path) {
                    Ok((above, name)) => self.take_directory(who, above, &name).or_else(gone),
                    Err(errno) => gone(errno),
                }
            }
            CgroupOp::Freeze { file } => self.freeze(who, file, true),
            CgroupOp::Thaw { file } => self.freeze(who, file, false),
            // The model opens no devices, so a program that guards them has nobody to answer.
            CgroupOp::AttachDeviceFilter { path, .. } => {
                let process = self.processes.get(who)?;
                if !self.is_capable(process, "CAP_SYS_ADMIN", first(Namespace::User)) {
                    return Err(Errno::EPERM);
                }
                self.resolve(who, path, super::walk::Last::Follow).map(drop)
            }
        }
    }
}
