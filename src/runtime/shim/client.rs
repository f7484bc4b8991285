//! One attached client: the raw connection the daemon handed on.

use super::log::Stream;
use crate::runtime::protocol::Attach;
use crate::wire::detach::Escape;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// Bytes a client may be behind before the program waits for it.
const QUEUE_CAPACITY: usize = 1 << 20;
/// Bytes read from a client at once.
const READ_SIZE: usize = 32 * 1024;

/// A client and what it has not taken yet.
pub(super) struct Client {
    pub(super) connection: OwnedFd,
    pub(super) wants: Attach,
    queue: VecDeque<u8>,
    /// It may still send input.
    pub(super) open: bool,
    escape: Escape,
}

/// What a client sent.
pub(super) enum Input {
    /// Nothing for now.
    Nothing,
    /// Bytes for the program.
    Bytes(Vec<u8>),
    /// The detach keys, after these bytes.
    Detached(Vec<u8>),
    /// It will send no more.
    End,
    /// The connection broke.
    Broken,
}

impl Client {
    pub(super) fn new(wants: Attach, connection: OwnedFd) -> Client {
        set_nonblocking(&connection);
        let open = wants.stdin;
        let escape = Escape::new(wants.detach.clone());
        Client { connection, wants, queue: VecDeque::new(), open, escape }
    }

    /// Queues what it wants of the output: a frame of `[stream, 0, 0, 0, length big-endian]` and
    /// the bytes, or the bytes as they are.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let wanted = match stream {
            Stream::Stdout => self.wants.stdout,
            Stream::Stderr => self.wants.stderr,
        };
        if !wanted {
            return;
        }
        if !self.wants.raw {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
            self.queue.extend([stream.code(), 0, 0, 0]);
            self.queue.extend(length);
        }
        self.queue.extend(bytes);
    }

    /// Writes what the connection takes; `false` when it is broken.
    pub(super) fn write(&mut self) -> bool {
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

    /// Reads what it sent.
    pub(super) fn read(&mut self) -> Input {
        let mut buffer = [0u8; READ_SIZE];
        match recv(&self.connection, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) => Input::End,
            Ok((count, _)) => self.input(&buffer[..count]),
            Err(Errno::AGAIN | Errno::INTR) => Input::Nothing,
            Err(_) => Input::Broken,
        }
    }

    /// Looks for the detach keys in what it sent.
    pub(super) fn input(&mut self, bytes: &[u8]) -> Input {
        match self.escape.pass(bytes) {
            (passed, true) => Input::Detached(passed),
            (passed, false) => Input::Bytes(passed),
        }
    }

    /// What is queued still goes out, nothing more comes.
    pub(super) fn part(&mut self) {
        self.open = false;
        self.wants = Attach::default();
    }

    /// Nothing goes out any more.
    pub(super) fn give_up(&mut self) {
        self.part();
        self.queue.clear();
    }

    /// Whether there is something to write.
    pub(super) fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether the program has to wait for it.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= QUEUE_CAPACITY
    }

    /// Whether nothing is left to do for it.
    pub(super) fn is_done(&self) -> bool {
        let wants = &self.wants;
        !(wants.stdin || wants.stdout || wants.stderr || self.is_behind())
    }

    /// Whether the other end is closed.
    pub(super) fn hung_up(&self) -> bool {
        let mut entry = [PollFd::new(&self.connection, PollFlags::empty())];
        let now = Timespec::default();
        poll(&mut entry, Some(&now)).is_ok() && entry[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }
}

pub(super) fn set_nonblocking(descriptor: &OwnedFd) {
    if let Ok(flags) = fcntl_getfl(descriptor) {
        // Fails only for a descriptor that is not open.
        let _ = fcntl_setfl(descriptor, flags | OFlags::NONBLOCK);
    }
}
