//! Why a layer could not be unpacked.

use crate::error::{Hint, Kind};
use crate::kernel::Fault;
use std::io;

/// Why a layer could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    /// The bytes are not what a layer is made of; more of them would not help.
    #[error("malformed layer: {0}")]
    Malformed(String),
    /// Inflated beyond the limit.
    #[error("the layer unpacks to more than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// More entries than any image has.
    #[error("the layer holds more than {limit} entries")]
    TooMany {
        /// Entries.
        limit: u64,
    },
    /// The store refused a write.
    #[error("cannot write {what}: {source}")]
    Write {
        /// Path within the layer, or the blob's file.
        what: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// What is there must stay of its sort; Docker's words.
    #[error("{0}")]
    Refused(String),
    /// The stream broke off, or whoever asked went away.
    #[error("{0}")]
    Interrupted(String),
}

impl UnpackError {
    /// Wraps the kernel's refusal, naming what was being written.
    pub(super) fn write(what: impl Into<String>, source: impl Into<io::Error>) -> UnpackError {
        UnpackError::Write { what: what.into(), source: source.into() }
    }

    /// A path as an error shows it.
    pub(super) fn at(path: &[u8]) -> impl FnOnce(rustix::io::Errno) -> UnpackError + '_ {
        move |errno| UnpackError::write(String::from_utf8_lossy(path), errno)
    }

    /// Whether the bytes themselves are at fault, so that reading on to their digest says more.
    pub(super) fn is_content(&self) -> bool {
        matches!(self, UnpackError::Malformed(_))
    }
}

/// Errors travel through `Read` as [`io::Error`]; this finds the way back.
impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> UnpackError {
        match error.downcast::<UnpackError>() {
            Ok(own) => own,
            Err(other) => UnpackError::Malformed(other.to_string()),
        }
    }
}

impl From<UnpackError> for io::Error {
    fn from(error: UnpackError) -> io::Error {
        io::Error::other(error)
    }
}

impl From<UnpackError> for Fault {
    fn from(error: UnpackError) -> Fault {
        let message = error.to_string();
        match error {
            UnpackError::Malformed(_) => Fault::new(Kind::Invalid, message),
            UnpackError::TooLarge { .. } => Fault::new(Kind::Invalid, message).hint(Hint::RaiseUnpackLimit),
            UnpackError::TooMany { .. } | UnpackError::Refused(_) => Fault::new(Kind::Invalid, message),
            UnpackError::Write { what, source } => {
                let fault = Fault::from(source);
                Fault { message: format!("cannot write {what}: {}", fault.message), ..fault }
            }
            UnpackError::Interrupted(_) => Fault::new(Kind::Unavailable, message).hint(Hint::CheckNetwork),
        }
    }
}
