//! The blocking door of shim and init, on the real kernel.
//!
//! One family a file; this file sends each operation to its family.

mod clone;
mod exec;
mod files;
mod guard;
mod log;
mod mounts;
mod root;
mod supervise;
mod terminal;
mod wall;

use super::{groups, sys};
use crate::error::Kind;
use crate::kernel::{Child, Fault, Init, Jail, LogFile, Outcome, Payload, Stdio};
use crate::op::{GuardOp, NamespaceOp, NetworkOp, Op, ProcessOp, TerminalOp};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use root::Root;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use wall::Wall;

/// Performs operations in the calling process, which must be single-threaded.
#[derive(Debug, Default)]
pub struct LinuxJail {
    /// Where paths of the container's are resolved until it is pivoted into.
    root: Option<Root>,
    /// The way back to the shim, for who was cloned by it.
    wall: Option<Wall>,
    /// The inner end of the terminal, until it becomes the session's.
    terminal: Option<OwnedFd>,
}

impl LinuxJail {
    /// The door of a process on the inner side of a wall.
    fn inside(wall: Wall) -> LinuxJail {
        LinuxJail { wall: Some(wall), ..LinuxJail::default() }
    }

    fn terminal(&mut self, op: &TerminalOp) -> Result<Outcome, Fault> {
        match op {
            TerminalOp::Open { rows, columns, owner } => {
                let (inner, outcome) = terminal::create(self.wall.as_ref(), (*rows, *columns), *owner)?;
                self.terminal = Some(inner);
                Ok(outcome)
            }
            TerminalOp::Control => match self.terminal.take() {
                Some(inner) => terminal::control(inner),
                None => Err(Fault::new(Kind::Internal, "there is no terminal to control")),
            },
        }
    }
}

impl Jail for LinuxJail {
    fn perform(&mut self, op: &Op, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            Op::Fs(op) => files::perform(self.root.as_ref(), op, &payload),
            Op::Cgroup(op) => groups::perform(op, &payload),
            Op::Mount(op) => mounts::perform(&mut self.root, op),
            Op::Namespace(op) => namespace(op),
            Op::Network(NetworkOp::LinkUp { interface, sandbox: None }) => {
                link_up(interface)?;
                Ok(Outcome::done())
            }
            Op::Guard(op) => guard_op(op),
            Op::Process(op) => process(op, payload),
            Op::Terminal(op) => self.terminal(op),
            Op::Http(_) | Op::Store(_) | Op::Archive(_) | Op::Network(_) => Err(not_here(op)),
        }
    }

    fn clone_init(&mut self, op: &Op, stdio: Stdio, init: Init) -> Result<Box<dyn Child>, Fault> {
        match op {
            Op::Namespace(NamespaceOp::Clone { namespaces, cgroup }) => {
                clone::clone_init(namespaces, cgroup.as_deref(), stdio, init)
            }
            Op::Process(ProcessOp::Fork) => clone::clone_init(&[], None, stdio, init),
            _ => Err(not_here(op)),
        }
    }

    fn clone_sibling(&mut self, op: &Op, init: Init) -> Result<Outcome, Fault> {
        match (op, &self.wall) {
            (Op::Process(ProcessOp::ForkInside), Some(wall)) => clone::clone_sibling(wall, init),
            _ => Err(not_here(op)),
        }
    }

    fn confine(&mut self, root: &str) -> io::Result<()> {
        self.root = Some(Root::open(root)?);
        Ok(())
    }

    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(fs::read_link(path)?.to_string_lossy().into_owned())
    }

    fn exists(&self, path: &str) -> bool {
        match &self.root {
            Some(root) if root.holds(path) => root.open_path(path).is_ok(),
            _ => fs::exists(path).unwrap_or(false),
        }
    }

    fn rest(&mut self) {
        super::rest();
    }

    fn open_log(&mut self, file: &LogFile) -> io::Result<Box<dyn io::Write + Send>> {
        Ok(Box::new(log::Appending::open(file)?))
    }
}

/// The answer to an operation that belongs to the other door.
fn not_here(op: &Op) -> Fault {
    Fault::new(Kind::Internal, format!("{} is not an act of shim or init", op.name()))
}

fn namespace(op: &NamespaceOp) -> Result<Outcome, Fault> {
    match op {
        NamespaceOp::SetHostname { name } => nix::unistd::sethostname(name).map_err(errno)?,
        NamespaceOp::Join { namespace, path } => {
            let file = fs::File::open(path)?;
            let flag = nix::sched::CloneFlags::from_bits_truncate(clone::flag(*namespace) as i32);
            nix::sched::setns(file, flag).map_err(errno)?;
        }
        NamespaceOp::Clone { .. } => return Err(not_here(&op.clone().into())),
    }
    Ok(Outcome::done())
}

/// Switches on an interface of the caller's network namespace.
///
/// # Errors
/// ENODEV, EPERM.
pub(super) fn link_up(interface: &str) -> io::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    sys::link_up(socket.as_raw_fd(), interface)
}

fn guard_op(op: &GuardOp) -> Result<Outcome, Fault> {
    guard::perform(op)
}

fn process(op: &ProcessOp, payload: Payload) -> Result<Outcome, Fault> {
    match op {
        ProcessOp::NewSession => {
            nix::unistd::setsid().map_err(errno)?;
            Ok(Outcome::done())
        }
        ProcessOp::ChangeDirectory { path } => {
            nix::unistd::chdir(path.as_str()).map_err(errno)?;
            within_root(path)?;
            Ok(Outcome::done())
        }
        ProcessOp::LookupProgram { name, path } => exec::lookup(name, path),
        ProcessOp::Exec { program, argv, .. } => exec::exec(program, argv, payload),
        ProcessOp::SpawnShim { .. }
        | ProcessOp::Signal { .. }
        | ProcessOp::Fork
        | ProcessOp::ForkInside
        | ProcessOp::SpawnProxy { .. } => Err(not_here(&op.clone().into())),
        ProcessOp::SetCommandLine { argv } => supervise::set_command_line(argv),
        ProcessOp::Supervise { .. } => supervise::supervise(&payload),
    }
}

/// A path such as `/proc/self/fd/7` may lead to a directory of the host's that is still open here
/// (CVE-2024-21626). The kernel shows a working directory out of the root's reach by a path that
/// does not begin with a slash: getcwd(2).
fn within_root(path: &str) -> Result<(), Fault> {
    let shown = rustix::process::getcwd(Vec::new()).map_err(io::Error::from)?;
    if shown.as_bytes().starts_with(b"/") {
        return Ok(());
    }
    Err(Fault::new(Kind::Denied, format!("{path:?} leads out of the container")))
}

/// nix's error as a fault.
fn errno(errno: nix::errno::Errno) -> Fault {
    Fault::errno(errno as i32)
}
