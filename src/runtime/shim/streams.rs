//! Output from the program to the log and to every client; input from clients to the program.
//!
//! Memory is bounded: each client has a queue, and while any queue is full the program's pipes
//! are not read, so that a slow reader slows the program, as a terminal would. A client that
//! hangs up is dropped and slows nobody.

use super::client::{Client, Input, set_nonblocking};
use super::log::{Log, Stream};
use super::report::Control;
use crate::runtime::channel;
use crate::runtime::protocol::{Start, ToShim};
use base64::Engine as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use rustix::termios::{Winsize, tcsetwinsize};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Quiet this long, a container is one that will be waited for.
const SETTLED: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Bytes read from the program at once; one frame.
const READ_SIZE: usize = 32 * 1024;

/// The outer ends of the program's standard streams.
pub(super) struct Pipes {
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: OwnedFd,
    /// None with a terminal, where both outputs are one.
    pub(super) stderr: Option<OwnedFd>,
    /// The terminal's outer end.
    pub(super) terminal: Option<OwnedFd>,
}

/// What a turn of the loop brought, beside bytes moved.
pub(super) enum Ended {
    /// Nothing to decide.
    No,
    /// For the first time, nothing happened for a while.
    Idle,
    /// The program ended.
    Program,
    /// A client left by its detach keys.
    Detached,
    /// The daemon went away.
    Control,
    /// The daemon said something.
    Said(ToShim, Option<OwnedFd>),
    /// A daemon that restarted connected.
    Knocked(OwnedFd),
}

/// All streams of one container.
pub(super) struct Streams {
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    stdin: Option<OwnedFd>,
    terminal: Option<OwnedFd>,
    input: VecDeque<u8>,
    close_input: bool,
    stdin_once: bool,
    detached: bool,
    clients: Vec<Client>,
    log: Log,
    control_open: bool,
    settled: bool,
}

/// What a poll entry stands for.
#[derive(Clone, Copy)]
enum Source {
    Program,
    Control,
    Listener,
    Output(Stream),
    Stdin,
    Client(usize),
}

impl Streams {
    pub(super) fn new(
        pipes: Pipes,
        clients: Vec<Client>,
        log: Option<Box<dyn io::Write + Send>>,
        start: &Start,
    ) -> Streams {
        for descriptor in [&pipes.stdin, &pipes.terminal].into_iter().flatten() {
            set_nonblocking(descriptor);
        }
        let mut streams = Streams {
            stdout: Some(pipes.stdout),
            stderr: pipes.stderr,
            stdin: pipes.stdin,
            terminal: pipes.terminal,
            input: VecDeque::new(),
            close_input: false,
            stdin_once: start.stdin_once,
            detached: false,
            clients: Vec::new(),
            log: Log::new(log, &start.log),
            control_open: true,
            settled: false,
        };
        clients.into_iter().for_each(|client| streams.attach(client));
        streams
    }

    /// Adds a client; input it sent early comes first.
    pub(super) fn attach(&mut self, mut client: Client) {
        let early = base64::engine::general_purpose::STANDARD.decode(&client.wants.early_input);
        let early = early.ok().filter(|early| client.wants.stdin && !early.is_empty());
        let input = early.map_or(Input::Nothing, |early| client.input(&early));
        self.clients.push(client);
        self.take(self.clients.len() - 1, input);
    }

    /// The window of the client has another size. Without a terminal there is none to change.
    pub(super) fn resize(&self, rows: u16, columns: u16) {
        if let Some(terminal) = &self.terminal {
            let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            // The program that ended meanwhile needs no size.
            let _ = tcsetwinsize(terminal, size);
        }
    }

    /// Waits for something to do and does it.
    pub(super) fn turn(
        &mut self,
        control: &Control,
        listener: Option<&OwnedFd>,
        program: Option<BorrowedFd<'_>>,
    ) -> io::Result<Ended> {
        let current = control.current();
        let ready = self.ready(self.control_open.then(|| current.as_fd()), listener, program)?;
        if ready.is_empty() && !self.settled {
            self.settled = true;
            return Ok(Ended::Idle);
        }
        let mut program_ended = false;
        for source in ready {
            match source {
                Source::Program => program_ended = true,
                Source::Output(stream) => drop(self.read(stream)?),
                Source::Stdin => self.feed(),
                Source::Client(index) => self.serve(index),
                Source::Listener => {
                    let flags = SocketFlags::CLOEXEC;
                    if let Some(Ok(daemon)) = listener.map(|listener| accept_with(listener, flags)) {
                        self.control_open = true;
                        return Ok(Ended::Knocked(daemon));
                    }
                }
                Source::Control => match channel::receive(&current) {
                    Ok(Some((message, descriptor))) => return Ok(Ended::Said(message, descriptor)),
                    Ok(None) | Err(_) => {
                        self.control_open = false;
                        return Ok(Ended::Control);
                    }
                },
            }
        }
        self.clients.retain(|client| !client.is_done());
        if std::mem::take(&mut self.detached) && !program_ended {
            return Ok(Ended::Detached);
        }
        Ok(if program_ended { Ended::Program } else { Ended::No })
    }

    /// Polls everything that can make progress.
    fn ready(
        &self,
        control: Option<BorrowedFd<'_>>,
        listener: Option<&OwnedFd>,
        program: Option<BorrowedFd<'_>>,
    ) -> io::Result<Vec<Source>> {
        let mut sources = Vec::new();
        let mut entries: Vec<PollFd<'_>> = Vec::new();
        let mut watch = |source, descriptor, flags| {
            sources.push(source);
            entries.push(PollFd::from_borrowed_fd(descriptor, flags));
        };
        program.into_iter().for_each(|descriptor| watch(Source::Program, descriptor, PollFlags::IN));
        control.into_iter().for_each(|descriptor| watch(Source::Control, descriptor, PollFlags::IN));
        listener.into_iter().for_each(|socket| watch(Source::Listener, socket.as_fd(), PollFlags::IN));
        let room = !self.clients.iter().any(Client::is_full);
        if room {
            for (stream, pipe) in [(Stream::Stdout, &self.stdout), (Stream::Stderr, &self.stderr)] {
                pipe.iter().for_each(|pipe| watch(Source::Output(stream), pipe.as_fd(), PollFlags::IN));
            }
        }
        if !self.input.is_empty() {
            self.stdin.iter().for_each(|pipe| watch(Source::Stdin, pipe.as_fd(), PollFlags::OUT));
        }
        for (index, client) in self.clients.iter().enumerate() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::OUT, client.is_behind());
            flags.set(PollFlags::IN, client.open && self.input.is_empty());
            watch(Source::Client(index), client.connection.as_fd(), flags);
        }
        loop {
            match poll(&mut entries, (!self.settled).then_some(&SETTLED)) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let ready = entries.iter().zip(sources).filter(|(entry, _)| !entry.revents().is_empty());
        Ok(ready.map(|(_, source)| source).collect())
    }

    /// Moves one read of output on; `false` at end of file.
    fn read(&mut self, stream: Stream) -> io::Result<bool> {
        let pipe = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let Some(descriptor) = pipe else { return Ok(false) };
        let mut buffer = [0u8; READ_SIZE];
        let count = match rustix::io::read(&*descriptor, &mut buffer[..]) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return Ok(true),
            // A terminal whose inner end nobody has open any more: pty(7).
            Err(Errno::IO) if self.terminal.is_some() => 0,
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            *pipe = None;
            return Ok(false);
        }
        self.log.take(stream, &buffer[..count]);
        for client in &mut self.clients {
            client.push(stream, &buffer[..count]);
            if !client.write() {
                client.give_up();
            }
        }
        Ok(true)
    }

    /// A client is writable, has input, or is gone.
    fn serve(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else { return };
        if !client.write() {
            client.give_up();
        }
        if !client.open {
            if client.hung_up() {
                client.give_up();
            }
            return;
        }
        let input = client.read();
        self.take(index, input);
    }

    /// Takes in what a client sent.
    fn take(&mut self, index: usize, input: Input) {
        let Some(client) = self.clients.get_mut(index) else { return };
        match input {
            Input::Nothing => {}
            Input::Bytes(bytes) => self.input.extend(bytes),
            Input::Detached(bytes) => {
                self.input.extend(bytes);
                client.part();
                self.detached = true;
            }
            // The program reads the end of its input, and its output goes on.
            Input::End if self.stdin_once && self.terminal.is_none() => {
                client.open = false;
                self.close_input = true;
            }
            // Elsewhere a client that will send nothing more is done, as with Docker.
            Input::End => client.part(),
            Input::Broken => {
                client.give_up();
                self.close_input |= self.stdin_once && self.terminal.is_none();
            }
        }
        self.feed();
    }

    /// Moves input on, and closes the program's end after the last of it.
    fn feed(&mut self) {
        while let (Some(stdin), false) = (&self.stdin, self.input.is_empty()) {
            let (front, _) = self.input.as_slices();
            match rustix::io::write(stdin, front) {
                Ok(count) => drop(self.input.drain(..count)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => {
                    // The program closed its input.
                    self.stdin = None;
                    self.input.clear();
                }
            }
        }
        if self.close_input && self.input.is_empty() {
            self.stdin = None;
        }
    }

    /// The program is gone: takes the rest of its output. What is in the pipes is bounded, so the
    /// queues' limit does not apply.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pipe = if stream == Stream::Stdout { &self.stdout } else { &self.stderr };
            pipe.iter().for_each(set_nonblocking);
            while self.has_more(stream) && self.read(stream)? {}
        }
        self.log.finish();
        Ok(())
    }

    /// A descendant that left the pid namespace could hold the pipe: only what is there counts.
    fn has_more(&self, stream: Stream) -> bool {
        let pipe = if stream == Stream::Stdout { &self.stdout } else { &self.stderr };
        let Some(pipe) = pipe else { return false };
        let mut entry = [PollFd::new(pipe, PollFlags::IN)];
        let now = Timespec::default();
        poll(&mut entry, Some(&now)).is_ok_and(|count| count > 0)
    }

    /// Lets every client have what is left, then hangs up. With `after_daemon` the hang-up waits
    /// until the daemon has taken note of the end: who sees it then may ask how it was.
    pub(super) fn flush(mut self, control: &Control, after_daemon: bool) -> io::Result<()> {
        self.stdout = None;
        self.stderr = None;
        self.stdin = None;
        self.input.clear();
        self.control_open &= after_daemon;
        for client in &mut self.clients {
            client.open = false;
        }
        loop {
            let waits = self.control_open;
            self.clients.retain_mut(|client| client.write() && (waits || client.is_behind()));
            if self.clients.is_empty() {
                return Ok(());
            }
            self.turn(control, None, None)?;
        }
    }
}
