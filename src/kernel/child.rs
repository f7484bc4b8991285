//! The container's first process as its parent sees it: streams, log, end.

use super::OpError;
use std::io;
use std::os::fd::OwnedFd;

/// The container's standard streams, as init inherits them.
#[derive(Debug)]
pub struct Stdio {
    /// Descriptor 0.
    pub stdin: OwnedFd,
    /// Descriptor 1.
    pub stdout: OwnedFd,
    /// Descriptor 2.
    pub stderr: OwnedFd,
}

/// The container's first process, seen from the shim.
pub trait Child {
    /// Process id on the host.
    fn pid(&self) -> u32;
    /// Lets init go on, and returns when it has become the program, or `Err` with what stopped it.
    /// Of a `process.fork` it returns when the process inside has taken the helper's place and waits.
    ///
    /// # Errors
    /// The operation that failed inside.
    fn proceed(&mut self) -> Result<(), OpError>;
    /// The outer end of the terminal, when one was opened inside; once.
    fn terminal(&mut self) -> Option<OwnedFd>;
    /// Readable as soon as the process has ended: a pidfd, pidfd_open(2).
    fn ended(&self) -> std::os::fd::BorrowedFd<'_>;
    /// Takes the exit status: `code` when it exited, `signal` when it was killed.
    ///
    /// # Errors
    /// As waitid(2).
    fn reap(&mut self) -> io::Result<ExitStatus>;
    /// Sends a signal to it.
    ///
    /// # Errors
    /// As pidfd_send_signal(2).
    fn signal(&self, signal: i32) -> io::Result<()>;
}

/// A file that output is appended to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Older ones beside it are `<path>.1`, `<path>.2`, ….
    pub path: String,
    /// Bytes after which another one is begun; 0 for never.
    pub max_size: u64,
    /// Files kept, this one included; of one alone the content goes when it is full.
    pub max_files: u32,
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// Docker's exit code: the program's own, or 128 + signal.
    pub fn code(self) -> i32 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => 128 + signal,
        }
    }
}
