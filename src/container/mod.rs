//! A container as data: what was asked for, where it stands, and the pure functions that turn
//! both into something else.
//!
//! ```text
//!  wire::CreateRequest ─┐
//!                       ├─ config ──▶ Record (container.json) ──▶ summary, inspect   (to clients)
//!  wire::ImageConfig ───┘                └──────────────────────▶ spec               (to the runtime)
//! ```
//!
//! Nothing here performs an operation; `engine` does.

pub mod changes;
pub mod config;
pub mod environment;
pub mod exec;
pub mod health;
pub mod inspect;
pub mod limits;
pub mod log;
pub mod merged;
pub mod mounts;
pub mod name;
pub mod networking;
pub mod placement;
pub mod record;
pub mod restart;
pub mod signal;
pub mod spec;
pub mod state;
pub mod summary;
pub mod update;
pub mod usage;
pub mod user;

pub use record::{Record, Snapshot};
pub use state::{State, Status};

use crate::error::{Classify, Hint, Kind};

/// Why a container cannot be what was asked for. The texts are Docker's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The name has a character names may not have.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    Name(String),
    /// Neither image nor request says what to run.
    #[error("No command specified")]
    NoCommand,
    /// The working directory is relative.
    #[error("the working directory '{0}' is invalid, it needs to be an absolute path")]
    WorkingDir(String),
    /// A limit below what a container can live with.
    #[error("Minimum memory limit allowed is 6MB")]
    MemoryTooLow,
    /// A value or a pair of values that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A value that contradicts one there is.
    #[error("{0}")]
    Conflict(String),
    /// Something this engine does not do yet; refused by name, never ignored.
    #[error("{0} is not supported by learn yet")]
    Unsupported(String),
    /// A signal nobody knows.
    #[error("Invalid signal: {0}")]
    Signal(String),
    /// An OCI runtime this engine does not have.
    #[error("Unknown runtime specified {0}")]
    Runtime(String),
    /// A mount that cannot be.
    #[error("{0}")]
    Mount(String),
    /// The user is not in the image.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoSuchUser(String),
    /// The group is not in the image.
    #[error("unable to find group {0}: no matching entries in group file")]
    NoSuchGroup(String),
    /// One id is all an unprivileged engine can map.
    #[error(
        "cannot become {kind} {id}: a daemon without root privileges maps one {kind} into a container, its own, as 0"
    )]
    Unmapped {
        /// `user` or `group`.
        kind: &'static str,
        /// The id wanted inside.
        id: u32,
    },
    /// A limit nobody could enforce.
    #[error("cannot set {flag}: control groups are not delegated to user {uid}, who runs this daemon")]
    NoLimits {
        /// Docker's flag.
        flag: &'static str,
        /// The daemon's user.
        uid: u32,
    },
    /// The state forbids the step.
    #[error("a {from} container cannot become {to}")]
    Transition {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Transition { .. } | Error::Conflict(_) => Kind::Conflict,
            Error::NoSuchUser(_) | Error::NoSuchGroup(_) => Kind::Internal,
            Error::Unmapped { .. } | Error::NoLimits { .. } => Kind::Denied,
            Error::Unsupported(_) => Kind::Unsupported,
            _ => Kind::Invalid,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Unsupported(_) => Some(Hint::SeeHelp),
            Error::Unmapped { .. } | Error::NoLimits { .. } => Some(Hint::RunAsRoot),
            _ => None,
        }
    }
}
