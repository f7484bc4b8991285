//! Why an operation failed, and which.

use crate::error::{Classify, Hint, Kind};
use crate::op::Op;
use crate::trace::Facts;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;

/// Why an operation failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// errno(3), where the kernel gave one.
    pub errno: Option<i32>,
    /// One line, lower case, no full stop.
    pub message: String,
    /// Its class.
    pub kind: Kind,
    /// Advice.
    pub hint: Option<Hint>,
    /// Evidence, such as every place a program was looked for in.
    #[serde(default)]
    pub facts: Facts,
}

impl Fault {
    /// A fault of the given class that no system call reported.
    pub fn new(kind: Kind, message: impl Into<String>) -> Fault {
        Fault { errno: None, message: message.into(), kind, hint: None, facts: Facts::new() }
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Fault {
        self.hint = Some(hint);
        self
    }

    /// From an error number, described as strerror(3) does.
    pub fn errno(errno: i32) -> Fault {
        Fault::from(io::Error::from_raw_os_error(errno))
    }

    /// What the gate's [`Decision::Abort`](crate::trace::Decision::Abort) becomes.
    pub fn aborted() -> Fault {
        Fault::new(Kind::Aborted, "aborted")
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        let errno = error.raw_os_error();
        let message = match errno {
            Some(errno) => nix::errno::Errno::from_raw(errno).desc().to_lowercase(),
            None => error.to_string(),
        };
        let (kind, hint) = match error.kind() {
            io::ErrorKind::NotFound => (Kind::NotFound, None),
            io::ErrorKind::PermissionDenied => (Kind::Denied, Some(Hint::RunDoctor)),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (Kind::Unavailable, Some(Hint::FreeDisk))
            }
            _ => (Kind::Internal, None),
        };
        Fault { errno, message, kind, hint, facts: Facts::new() }
    }
}

/// A failed operation: what was being done, and why it did not work.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
pub struct OpError {
    /// The operation.
    pub op: Box<Op>,
    /// The reason.
    pub fault: Fault,
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault.kind {
            Kind::Aborted => f.write_str("aborted"),
            _ => write!(f, "{}: {}", self.op.syscall(), self.fault.message),
        }
    }
}

impl Classify for OpError {
    fn kind(&self) -> Kind {
        self.fault.kind
    }

    fn hint(&self) -> Option<Hint> {
        self.fault.hint
    }
}
