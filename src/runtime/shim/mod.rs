//! The shim: the small parent that stays with a container.
//!
//! It is told what to run, launches it, keeps its output (`log`), carries it to clients
//! (`streams`), takes its exit status, and survives the daemon: a daemon that comes back finds it
//! behind its listening socket. One thread, one poll loop, no async runtime.

mod client;
mod log;
mod report;
mod streams;

use super::channel;
use super::error::Error;
use super::join;
use super::launch::{self, Launched};
use super::limits::Groups;
use super::log_format::LogPlan;
use super::protocol::{Attach, Exit, FromShim, Start, ToShim};
use crate::kernel::{Child, ExitStatus, Jail, LogFile, OpError, Stdio, TracedJail};
use crate::op::{FsOp, Op, WriteReason};
use crate::trace::Scope;
use client::Client;
use report::{ChannelReport, Control};
use rustix::fs::{Mode, OFlags, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::OwnedFd;
use streams::{Ended, Streams};

/// Runs one container from start to exit, as the daemon says over `control`. Returns when the
/// program has ended and every client has its output.
///
/// # Errors
/// When the conversation breaks before the program runs; failures of the program's start go to
/// the daemon instead.
pub fn run(jail: &mut dyn Jail, control: OwnedFd) -> Result<(), Error> {
    let control = Control::new(control);
    let Some((start, clients)) = instructions(&control)? else { return Ok(()) };
    let stop = ChannelReport::new(&control, &start);
    let mut jail = TracedJail::new(jail, Box::new(stop), start.scope);
    let listener = listener(&start.socket)?;
    match begin(&mut jail, &start) {
        Ok((launched, pipes)) => {
            jail.flush();
            tell(&control, &FromShim::Started { pid: launched.child.pid(), shim: std::process::id() });
            let kept = Some(&start.log).filter(|plan| !plan.path.is_empty());
            let file = kept.and_then(|LogPlan { path, max_size, max_files, .. }| {
                let file = LogFile { path: path.clone(), max_size: *max_size, max_files: *max_files };
                jail.open_log(&file).ok()
            });
            let streams = Streams::new(pipes, clients, file, &start);
            attend(&mut jail, &control, &start, launched, streams, listener)
        }
        Err(error) => {
            remove_socket(&start.socket);
            jail.flush();
            tell(&control, &FromShim::Failed((&error).into()));
            Ok(())
        }
    }
}

/// Everything up to `Go`; `None` when the daemon went away before.
fn instructions(control: &Control) -> Result<Option<(Start, Vec<Client>)>, Error> {
    let mut start = None;
    let mut clients = Vec::new();
    loop {
        let packet =
            channel::receive::<ToShim>(&control.current()).map_err(plumbing("receive instructions"))?;
        match packet {
            Some((ToShim::Start(told), _)) => start = Some(*told),
            Some((ToShim::Attach(attach), Some(descriptor))) => clients.push(client(attach, descriptor)),
            Some((ToShim::Go, _)) => return Ok(start.map(|start| (start, clients))),
            Some(_) => {}
            None => return Ok(None),
        }
    }
}

fn client(attach: Attach, descriptor: OwnedFd) -> Client {
    Client::new(attach, descriptor)
}

/// Pipes, then the launch.
fn begin(jail: &mut TracedJail<'_>, start: &Start) -> Result<(Launched, streams::Pipes), Error> {
    let (stdio, pipes) =
        if start.terminal { (nothing()?, None) } else { self::pipes(start).map(|(i, o)| (i, Some(o)))? };
    let mut launched = match &start.exec {
        Some(target) => join::join(jail, &start.machine, target, &start.bundle, stdio)?,
        None => launch::launch(jail, &start.machine, &start.bundle, stdio)?,
    };
    let pipes = match pipes {
        Some(pipes) => pipes,
        None => terminal(&mut *launched.child, start.open_stdin)?,
    };
    Ok((launched, pipes))
}

/// Standard streams of a program that gets a terminal instead, until it has it.
fn nothing() -> Result<Stdio, Error> {
    let null = || open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(io::Error::from);
    let all = || Ok(Stdio { stdin: null()?, stdout: null()?, stderr: null()? });
    all().map_err(plumbing("open /dev/null"))
}

fn pipes(start: &Start) -> Result<(Stdio, streams::Pipes), Error> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from).map_err(plumbing("make a pipe"));
    let (stdout, stdout_inside) = pipe()?;
    let (stderr, stderr_inside) = pipe()?;
    let (stdin_inside, stdin) = if start.open_stdin {
        let (inside, outside) = pipe()?;
        (inside, Some(outside))
    } else {
        let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        (null.map_err(io::Error::from).map_err(plumbing("open /dev/null"))?, None)
    };
    let stdio = Stdio { stdin: stdin_inside, stdout: stdout_inside, stderr: stderr_inside };
    Ok((stdio, streams::Pipes { stdin, stdout, stderr: Some(stderr), terminal: None }))
}

/// The terminal's outer end, for what goes in and for what comes out.
fn terminal(child: &mut dyn Child, open_stdin: bool) -> Result<streams::Pipes, Error> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let ends = |outer: OwnedFd| -> io::Result<streams::Pipes> {
        let stdin = open_stdin.then(|| outer.try_clone()).transpose()?;
        Ok(streams::Pipes { stdin, stdout: outer.try_clone()?, stderr: None, terminal: Some(outer) })
    };
    child.terminal().ok_or_else(missing).and_then(ends).map_err(plumbing("take the terminal"))
}

/// From running to gone.
fn attend(
    jail: &mut TracedJail<'_>,
    control: &Control,
    start: &Start,
    launched: Launched,
    mut streams: Streams,
    listener: Option<OwnedFd>,
) -> Result<(), Error> {
    let Launched { mut child, groups } = launched;
    let pid = child.pid();
    loop {
        match streams.turn(control, listener.as_ref(), Some(child.ended())).map_err(plumbing("poll"))? {
            Ended::No => {}
            Ended::Idle => jail.rest(),
            Ended::Program => break,
            Ended::Control => control.close(),
            Ended::Detached => tell(control, &FromShim::Detached),
            Ended::Said(ToShim::Resize { rows, columns }, _) => streams.resize(rows, columns),
            Ended::Said(ToShim::Signal(signal), _) => {
                // A program that ended meanwhile needs no signal.
                let _ = child.signal(signal);
            }
            Ended::Said(ToShim::Attach(attach), Some(descriptor)) => {
                streams.attach(client(attach, descriptor))
            }
            Ended::Said(..) => {}
            Ended::Knocked(daemon) => {
                control.replace(daemon);
                tell(control, &FromShim::Started { pid, shim: std::process::id() });
            }
        }
    }
    let status = child.reap().map_err(plumbing("take the exit status"))?;
    streams.drain().map_err(plumbing("read the last output"))?;
    let exit = conclude(jail, start, &groups, status);
    remove_socket(&start.socket);
    // A daemon that knocks now is not to wait for clients that read slowly.
    drop(listener);
    jail.flush();
    tell(control, &FromShim::Exited(exit));
    streams.flush(control, start.exec.is_some()).map_err(plumbing("write the last output"))
}

/// What is left to do for an ended container: its groups go, its exit is written down.
fn conclude(jail: &mut TracedJail<'_>, start: &Start, groups: &Groups, status: ExitStatus) -> Exit {
    let oom = groups.oom.as_ref().is_some_and(|(file, key)| counted(jail, file, key));
    let signal = match status {
        ExitStatus::Code(_) => None,
        ExitStatus::Signal(signal) => Some(signal),
    };
    let exit = Exit { code: status.code(), signal, oom, at: crate::trace::bus::timestamp() };
    let write = FsOp::WriteFile {
        path: start.exit_file.clone(),
        value: serde_json::to_string(&exit).unwrap_or_default(),
        why: WriteReason::Run,
    };
    let ops: Vec<Op> = std::iter::once(write.into()).chain(groups.release()).collect();
    if start.exec.is_some() {
        // The container's groups stay. Nobody is asked: an end cannot be taken back.
        jail.report().open_for_rollback();
        ops.into_iter().for_each(|op| drop(jail.perform(op)));
        return exit;
    }
    if release(jail, start, &ops).is_err_and(|error| error.is_abort()) {
        // The learner said stop, or went away with the daemon: an end cannot be undone, and what
        // is left of the container must go.
        jail.report().open_for_rollback();
        // Only an abort is told, and there is none any more.
        let _ = release(jail, start, &ops);
    }
    exit
}

/// Each failure is in the trace and stops nothing; only an abort does.
fn release(jail: &mut TracedJail<'_>, start: &Start, ops: &[Op]) -> Result<(), OpError> {
    jail.within(Scope::LimitsRelease, &start.id[..12.min(start.id.len())], |jail| {
        ops.iter().try_for_each(|op| match jail.perform(op.clone()) {
            Err(error) if error.is_abort() => Err(error),
            _ => Ok(()),
        })
    })
}

/// Whether `key` in a control file of the form `key number` is above zero.
fn counted(jail: &TracedJail<'_>, file: &str, key: &str) -> bool {
    let text = jail.jail().read(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .any(|(name, count)| name == key && count.trim() != "0")
}

/// Where a daemon that restarted knocks. None for the simulator, whose containers end with it.
fn listener(path: &str) -> Result<Option<OwnedFd>, Error> {
    if path.is_empty() {
        return Ok(None);
    }
    remove_socket(path);
    let listen_at = || -> io::Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        listen(&socket, 4)?;
        Ok(socket)
    };
    listen_at().map(Some).map_err(plumbing("listen for the daemon"))
}

fn remove_socket(path: &str) {
    // Missing is the normal case.
    let _ = std::fs::remove_file(path);
}

/// A daemon that is away reads the exit file when it comes back.
fn tell(control: &Control, message: &FromShim) {
    let _ = channel::send(control.current(), message, None);
}

fn plumbing(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Plumbing { doing, source }
}

/// The shim's whole life, where the daemon executed it: its standard input is the control socket.
///
/// # Errors
/// As [`run`].
pub fn main(jail: &mut dyn Jail) -> Result<(), Error> {
    // Shown by ps(1); the kernel would say the name of the descriptor this was executed from.
    let _ = nix::sys::prctl::set_name(c"learn-shim");
    let control = take_stdin().map_err(plumbing("take the control socket"))?;
    run(jail, control)
}

/// Descriptor 0 moves away, close-on-exec, and reads from nothing from now on.
pub(super) fn take_stdin() -> io::Result<OwnedFd> {
    let control = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(control)
}
