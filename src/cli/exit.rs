//! Exit codes: the one place where a failure becomes a number.

use super::Failure;
use crate::client;
use std::process::ExitCode;

/// What the shell sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// The daemon or the client refused.
    Failure = 1,
    /// `inspect`: a template that cannot be read.
    Template = 64,
    /// `run` and `create`: refused before the program was tried. Malformed flags, everywhere.
    Daemon = 125,
    /// `run`: the program cannot be executed.
    NotExecutable = 126,
    /// `run`: there is no such program.
    NotFound = 127,
    /// 128 + SIGINT: the learner stopped it.
    Interrupted = 130,
    /// 128 + SIGPIPE: nobody reads our output any more.
    BrokenPipe = 141,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The code of a failed command.
pub fn of(failure: &Failure) -> ExitCode {
    match failure {
        // A program's own code; wait(2) has room for eight bits.
        Failure::Exited(code) => ExitCode::from((code & 0xff) as u8),
        Failure::Format(_) => Exit::Template.into(),
        Failure::Usage(_) => Exit::Daemon.into(),
        Failure::Container { source: client::Error::Daemon { message, .. }, .. } => of_start(message).into(),
        Failure::Container { .. } => Exit::Daemon.into(),
        Failure::Runtime(message) => of_start(message).into(),
        Failure::Interrupted | Failure::Aborted => Exit::Interrupted.into(),
        Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::BrokenPipe.into(),
        _ => Exit::Failure.into(),
    }
}

/// Docker's client knows 126 and 127 by the words of the daemon's message.
fn of_start(message: &str) -> Exit {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&[
        "executable file not found",
        "no such file or directory",
        "system cannot find the file specified",
    ]) {
        Exit::NotFound
    } else if says(&["permission denied", "is a directory"]) {
        Exit::NotExecutable
    } else {
        Exit::Daemon
    }
}
