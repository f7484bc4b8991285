//! Why the engine refuses. Texts are Docker's own, so that its clients know them again.

use crate::container::{self, Status};
use crate::error::{Classify, Hint, Kind};
use crate::image;
use crate::kernel::OpError;
use crate::runtime::protocol::StartFailure;

/// A refused or failed verb.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No container has this id, name or prefix.
    #[error("No such container: {0}")]
    NoSuchContainer(String),
    /// Several ids begin like this.
    #[error("multiple IDs found with provided prefix: {0}")]
    Ambiguous(String),
    /// The store does not know the image.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// The name is taken.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". You have to \
         remove (or rename) that container to be able to reuse that name."
    )]
    NameConflict {
        /// The name.
        name: String,
        /// Id of the container that holds it.
        holder: String,
    },
    /// The program does not run.
    #[error("Container {0} is not running")]
    NotRunning(String),
    /// A frozen program gets no company.
    #[error("Container {0} is paused, unpause the container before exec")]
    ExecPaused(String),
    /// Neither does one that is being started again.
    #[error("Container {0} is restarting, wait until the container is running")]
    ExecRestarting(String),
    /// No exec has this id.
    #[error("No such exec instance: {0}")]
    NoSuchExec(String),
    /// An exec is started once.
    #[error("{0}")]
    ExecConflict(String),
    /// A further program never ran.
    #[error("{}", exec_message(.0))]
    ExecFailed(StartFailure),
    /// The program is frozen already.
    #[error("Container {0} is already paused")]
    AlreadyPaused(String),
    /// The program is not frozen.
    #[error("Container {0} is not paused")]
    NotPaused(String),
    /// There is no program at the moment, but there will be.
    #[error("Container {0} is restarting, wait until the container is running")]
    Restarting(String),
    /// No control group that could be frozen.
    #[error("cannot pause container {0}: {1}")]
    NoFreezer(String, &'static str),
    /// Why it has no new name.
    #[error("Error when allocating new name: {0}")]
    Rename(Box<Error>),
    /// Why its limits are what they were.
    #[error("Cannot update container {0}: {1}")]
    Update(String, Box<Error>),
    /// Why it was not restarted.
    #[error("Cannot restart container {0}: {1}")]
    Restart(String, Box<Error>),
    /// Why a signal was not sent.
    #[error("Cannot kill container: {0}: {1}")]
    Kill(String, Box<Error>),
    /// The program runs.
    #[error("You cannot remove a {state} container {id}. {} before attempting removal or force remove", match state {
        Status::Paused => "Unpause and then stop the container",
        _ => "Stop the container",
    })]
    RemoveRunning {
        /// 64 hex digits.
        id: String,
        /// Running, paused or restarting.
        state: Status,
    },
    /// There are no links.
    #[error("{0}")]
    NoLink(String),
    /// Somebody else removes it.
    #[error("removal of container {0} is already in progress")]
    Removing(String),
    /// Its only way leads to removal.
    #[error("container is marked for removal and cannot be started")]
    MarkedForRemoval,
    /// The program is frozen.
    #[error("cannot start a paused container, try unpause instead")]
    Paused,
    /// A container needs the image.
    #[error("{0}")]
    ImageInUse(String),
    /// The program never ran.
    #[error("{}", start_message(.0))]
    Start(StartFailure),
    /// The shim went away in the middle of a start.
    #[error("the shim of container {container} went away: {reason}")]
    Shim {
        /// Short id.
        container: String,
        /// One line.
        reason: String,
    },
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A file of the engine's own cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// One line.
        reason: String,
    },
    /// A network that was never made.
    #[error("network {0} not found")]
    NoSuchNetwork(String),
    /// Nothing is at a path inside.
    #[error("Could not find the file {path} in container {container}")]
    NoSuchFile {
        /// As asked for.
        path: String,
        /// As asked for.
        container: String,
    },
    /// A tar can only be written below a directory.
    #[error("extraction point is not a directory")]
    NotADirectory,
    /// Docker's words.
    #[error("container rootfs is marked read-only")]
    ReadOnlyRoot,
    /// Docker's words.
    #[error("mounted volume is marked read-only")]
    ReadOnlyVolume,
    /// A tar that makes no sense, or does not fit what is there.
    #[error("{0}")]
    Archive(String),
    /// An instruction of `commit --change`.
    #[error(transparent)]
    Instruction(#[from] crate::build::change::Error),
    /// A network refuses.
    #[error(transparent)]
    Network(#[from] crate::network::Error),
    /// Its log driver keeps nothing.
    #[error("configured logging driver does not support reading")]
    LogUnreadable,
    /// No such trace is kept.
    #[error("No such trace: {0}")]
    NoSuchTrace(String),
    /// What was asked for cannot be.
    #[error(transparent)]
    Container(#[from] container::Error),
    /// Images.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// An operation failed.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl Error {
    /// Whether the learner ended this at the gate.
    pub fn is_abort(&self) -> bool {
        self.kind() == Kind::Aborted
    }
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::NoSuchContainer(_)
            | Error::NoSuchImage(_)
            | Error::NoSuchNetwork(_)
            | Error::NoSuchExec(_)
            | Error::NoSuchFile { .. }
            | Error::NoSuchTrace(_) => Kind::NotFound,
            Error::Ambiguous(_) | Error::Invalid(_) | Error::NotADirectory => Kind::Invalid,
            Error::ReadOnlyRoot | Error::ReadOnlyVolume | Error::Archive(_) => Kind::Internal,
            Error::Instruction(error) => error.kind(),
            Error::Kill(_, error)
            | Error::Rename(error)
            | Error::Update(_, error)
            | Error::Restart(_, error) => error.kind(),
            // As Docker has it.
            Error::NotPaused(_) | Error::NoLink(_) => Kind::Internal,
            Error::NoFreezer(..) => Kind::Denied,
            Error::LogUnreadable => Kind::Unsupported,
            Error::NameConflict { .. }
            | Error::NotRunning(_)
            | Error::ExecPaused(_)
            | Error::ExecRestarting(_)
            | Error::ExecConflict(_)
            | Error::AlreadyPaused(_)
            | Error::Restarting(_)
            | Error::RemoveRunning { .. }
            | Error::Removing(_)
            | Error::MarkedForRemoval
            | Error::Paused
            | Error::ImageInUse(_) => Kind::Conflict,
            Error::Start(failure) if failure.kind == Kind::Aborted => Kind::Aborted,
            // Docker calls a program it cannot execute a bad request.
            Error::Start(StartFailure { exit_code: 126 | 127, .. })
            | Error::ExecFailed(StartFailure { exit_code: 126 | 127, .. }) => Kind::Invalid,
            Error::Start(_) | Error::ExecFailed(_) | Error::Shim { .. } | Error::Read { .. } => {
                Kind::Internal
            }
            Error::Network(error) => error.kind(),
            Error::Container(error) => error.kind(),
            Error::Image(error) => error.kind(),
            Error::Op(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::NameConflict { .. } => Some(Hint::RemoveOrRename),
            Error::Start(failure) | Error::ExecFailed(failure) => failure.hint,
            Error::Kill(_, error)
            | Error::Rename(error)
            | Error::Update(_, error)
            | Error::Restart(_, error) => error.hint(),
            Error::NoFreezer(..) => Some(Hint::RunAsRoot),
            Error::Container(error) => error.hint(),
            Error::Image(error) => error.hint(),
            Error::Op(error) => error.hint(),
            _ => None,
        }
    }
}

/// runc's message as it reaches Docker's clients, through two more programs.
fn start_message(failure: &StartFailure) -> String {
    if failure.kind == Kind::Aborted {
        return "aborted".into();
    }
    let message = &failure.message;
    let step = "unable to start container process: ";
    let step = if message.starts_with(step) { "" } else { step };
    format!(
        "failed to create shim task: OCI runtime create failed: runc create failed: {step}{message}: unknown"
    )
}

/// The same for a further program.
fn exec_message(failure: &StartFailure) -> String {
    let message = &failure.message;
    format!("OCI runtime exec failed: exec failed: unable to start container process: {message}: unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_reads_as_docker_says_it() {
        let failure = StartFailure {
            message: "exec: \"ls\": executable file not found in $PATH".into(),
            kind: Kind::NotFound,
            hint: None,
            exit_code: 127,
        };
        let error = Error::Start(failure);
        let message = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start \
                       container process: exec: \"ls\": executable file not found in $PATH: unknown";
        assert_eq!(error.to_string(), message);
        assert_eq!(error.kind(), Kind::Invalid);
    }
}
