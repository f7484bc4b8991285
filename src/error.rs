//! What every failure has in common: a [`Kind`], from which the HTTP status and the exit code
//! follow in one place each, and a [`Hint`], a key that the client turns into advice.
//!
//! Layers keep their own small `thiserror` enums; they meet here through [`Classify`].

use serde::{Deserialize, Serialize};

/// The class of a failure. `api::status` maps it to an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The named object does not exist (404).
    NotFound,
    /// The object's state or name forbids the request (409).
    Conflict,
    /// The request itself is malformed (400).
    Invalid,
    /// Somebody else does not know the caller's credentials (401).
    Unauthorized,
    /// The caller or this machine lacks permission (403).
    Denied,
    /// Something outside this program does not answer: network, registry, disk space (503 or 500).
    Unavailable,
    /// The request is Docker's, but this program does not do it yet (501).
    Unsupported,
    /// The learner aborted the request at the gate.
    Aborted,
    /// A failure that belongs to none of the above (500).
    Internal,
}

/// Advice printed apart from an error, in the learner's language; texts in `lessons/ui.yaml`
/// under `hints.<key>`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::EnumString,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Hint {
    /// Nothing answers on the socket.
    StartDaemon,
    /// The socket's mode or group shuts this user out.
    JoinGroup,
    /// The registry knows no such image.
    CheckImageName,
    /// The registry wants credentials.
    LogIn,
    /// The registry's name does not resolve or does not answer.
    CheckNetwork,
    /// The registry's certificate is not trusted.
    TrustCertificate,
    /// The registry's pull limit is reached.
    WaitForRateLimit,
    /// A blob did not have the digest its manifest promised.
    PullAgain,
    /// The disk is full.
    FreeDisk,
    /// The program named does not exist in the image.
    ListImageFiles,
    /// The program named is not executable.
    CheckExecutableBit,
    /// This machine refuses what a container needs.
    RunDoctor,
    /// Only a daemon of root's can do it.
    RunAsRoot,
    /// A layer would unpack to more than the limit.
    RaiseUnpackLimit,
    /// A container holds the name already.
    RemoveOrRename,
    /// The feature is not there; the flag is refused by name.
    SeeHelp,
}

/// What an error of any layer must answer.
pub trait Classify {
    /// The class that decides status and exit code.
    fn kind(&self) -> Kind;
    /// Advice for the person at the terminal, if there is any.
    fn hint(&self) -> Option<Hint> {
        None
    }
}
