//! Why a container did not start, in the words Docker's clients know.

use crate::error::{Classify, Hint, Kind};
use crate::kernel::OpError;
use crate::op::{Op, ProcessOp};
use crate::runtime::limits::Refused;
use crate::runtime::protocol::StartFailure;
use std::io;

/// A failed start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation failed, outside or inside.
    #[error("{}", runc_wording(.0))]
    Op(#[from] OpError),
    /// `config.json` cannot be read.
    #[error("read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// `config.json` is not an OCI runtime configuration.
    #[error("{path}:{}:{}: expected an OCI runtime configuration: {source}", source.line(), source.column())]
    Malformed {
        /// The file.
        path: String,
        /// The parser's word.
        source: serde_json::Error,
    },
    /// The Spec lacks what a start needs.
    #[error("config.json: {0}")]
    Incomplete(&'static str),
    /// The Spec asks for what this runtime does not do.
    #[error("config.json: {0}")]
    Unsupported(String),
    /// The container ended before it could be joined.
    #[error("the container's first process {0} is gone")]
    Gone(u32),
    /// A limit that this machine cannot set.
    #[error(transparent)]
    Limit(#[from] Refused),
    /// The seccomp profile cannot be compiled.
    #[error("seccomp profile: {0}")]
    Seccomp(String),
    /// Pipes, polls and sockets of the shim's own.
    #[error("{doing}: {source}")]
    Plumbing {
        /// What it was doing.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Op(error) => error.kind(),
            Error::Limit(refused) => refused.kind(),
            Error::Malformed { .. } | Error::Incomplete(_) | Error::Unsupported(_) | Error::Seccomp(_) => {
                Kind::Invalid
            }
            Error::Gone(_) => Kind::Conflict,
            Error::Read { .. } | Error::Plumbing { .. } => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Op(error) => error.hint(),
            Error::Limit(refused) => refused.hint(),
            _ => None,
        }
    }
}

impl From<&Error> for StartFailure {
    fn from(error: &Error) -> StartFailure {
        let exit_code = match error {
            Error::Op(OpError { op, fault }) if is_program_failure(op) => match fault.kind {
                Kind::NotFound => 127,
                Kind::Denied => 126,
                _ => 128,
            },
            _ => 128,
        };
        StartFailure { message: error.to_string(), kind: error.kind(), hint: error.hint(), exit_code }
    }
}

/// Whether the container was ready and only its program was not.
fn is_program_failure(op: &Op) -> bool {
    matches!(op, Op::Process(ProcessOp::LookupProgram { .. } | ProcessOp::Exec { .. }))
}

/// Docker derives 126 and 127 from runc's sentences, so those are kept for the program; every
/// other failure names its operation.
fn runc_wording(error: &OpError) -> String {
    if error.is_abort() {
        return error.to_string();
    }
    match &*error.op {
        op if is_program_failure(op) => error.fault.message.clone(),
        Op::Process(ProcessOp::ChangeDirectory { path }) => {
            format!("chdir to cwd ({path:?}) set in config.json failed: {}", error.fault.message)
        }
        _ => error.to_string(),
    }
}
