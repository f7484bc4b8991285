//! Output from the program to the log and to every client; input from clients to the program.
//!
//! Memory is bounded: each client has a queue, and while any queue is full the program's pipes
//! are not read, so that a slow reader slows the program, as a terminal would. A client that
//! hangs up is dropped and slows nobody.

use super::log::{Log, Stream};
use super::report::Control;
use crate::runtime::channel;
use crate::runtime::protocol::{Attach, Start, ToShim};
use base64::Engine as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes a client may be behind before the program waits for it.
const QUEUE_CAPACITY: usize = 1 << 20;
/// Quiet this long, a container is one that will be waited for.
const SETTLED: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Bytes read from the program at once; one frame.
const READ_SIZE: usize = 32 * 1024;

/// The outer ends of the program's standard streams.
pub(super) struct Pipes {
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// One attached client: the raw connection the daemon handed on.
pub(super) struct Client {
    connection: OwnedFd,
    wants: Attach,
    queue: VecDeque<u8>,
    /// It may still send input.
    open: bool,
}

impl Client {
    pub(super) fn new(wants: Attach, connection: OwnedFd) -> Client {
        set_nonblocking(&connection);
        let open = wants.stdin;
        Client { connection, wants, queue: VecDeque::new(), open }
    }

    /// Queues one frame: `[stream, 0, 0, 0, length big-endian]`, then the bytes.
    fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let wanted = match stream {
            Stream::Stdout => self.wants.stdout,
            Stream::Stderr => self.wants.stderr,
        };
        if wanted {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
            self.queue.extend([stream.code(), 0, 0, 0]);
            self.queue.extend(length);
            self.queue.extend(bytes);
        }
    }

    /// Writes what the connection takes; `false` when it is broken.
    fn write(&mut self) -> bool {
        while !self.queue.is_empty() {
            let (front, _) = self.queue.as_slices();
            match send(&self.connection, front, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => drop(self.queue.drain(..count)),
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }
}

/// What a turn of the loop brought, beside bytes moved.
pub(super) enum Ended {
    /// Nothing to decide.
    No,
    /// For the first time, nothing happened for a while.
    Idle,
    /// The program ended.
    Program,
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
    input: VecDeque<u8>,
    close_input: bool,
    stdin_once: bool,
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
        if let Some(stdin) = &pipes.stdin {
            set_nonblocking(stdin);
        }
        let mut streams = Streams {
            stdout: Some(pipes.stdout),
            stderr: Some(pipes.stderr),
            stdin: pipes.stdin,
            input: VecDeque::new(),
            close_input: false,
            stdin_once: start.stdin_once,
            clients: Vec::new(),
            log: Log::new(log, &start.log),
            control_open: true,
            settled: false,
        };
        clients.into_iter().for_each(|client| streams.attach(client));
        streams
    }

    /// Adds a client; input it sent early comes first.
    pub(super) fn attach(&mut self, client: Client) {
        if client.wants.stdin {
            let early = base64::engine::general_purpose::STANDARD.decode(&client.wants.early_input);
            self.input.extend(early.unwrap_or_default());
        }
        self.clients.push(client);
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
        self.forget_broken();
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
        let room = self.clients.iter().all(|client| client.queue.len() < QUEUE_CAPACITY);
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
            flags.set(PollFlags::OUT, !client.queue.is_empty());
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
                client.queue.clear();
                client.wants = Attach::default();
            }
        }
        Ok(true)
    }

    /// A client is writable, has input, or is gone.
    fn serve(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else { return };
        if !client.write() {
            client.wants = Attach::default();
            client.queue.clear();
        }
        if !client.open {
            client.open = false;
            if hung_up(&client.connection) {
                client.wants = Attach::default();
                client.queue.clear();
            }
            return;
        }
        let mut buffer = [0u8; READ_SIZE];
        match recv(&client.connection, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) => {
                client.open = false;
                self.close_input |= self.stdin_once;
            }
            Ok((count, _)) => self.input.extend(&buffer[..count]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => {
                client.open = false;
                client.wants = Attach::default();
                client.queue.clear();
                self.close_input |= self.stdin_once;
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

    fn forget_broken(&mut self) {
        self.clients.retain(|client| {
            client.wants.stdin || client.wants.stdout || client.wants.stderr || !client.queue.is_empty()
        });
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

    /// Lets every client have what is left, then hangs up.
    pub(super) fn flush(mut self, control: &Control) -> io::Result<()> {
        self.stdout = None;
        self.stderr = None;
        self.stdin = None;
        self.input.clear();
        self.control_open = false;
        for client in &mut self.clients {
            client.open = false;
        }
        loop {
            self.clients.retain_mut(|client| client.write() && !client.queue.is_empty());
            if self.clients.is_empty() {
                return Ok(());
            }
            self.turn(control, None, None)?;
        }
    }
}

fn hung_up(connection: &OwnedFd) -> bool {
    let mut entry = [PollFd::new(connection, PollFlags::empty())];
    let now = Timespec::default();
    poll(&mut entry, Some(&now)).is_ok() && entry[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

fn set_nonblocking(descriptor: &OwnedFd) {
    if let Ok(flags) = fcntl_getfl(descriptor) {
        // Fails only for a descriptor that is not open.
        let _ = fcntl_setfl(descriptor, flags | OFlags::NONBLOCK);
    }
}
