//! What can go wrong between this client and the daemon.

use crate::error::{Classify, Hint, Kind};
use crate::wire::{ErrorBody, credentials};
use hyper::StatusCode;
use std::io;
use std::path::{Path, PathBuf};

/// Why a request brought no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `LEARN_HOST`, `--host`, `LEARN_ROOT` or `--root` name nothing usable.
    #[error(transparent)]
    Host(#[from] super::host::Error),
    /// The daemon could not be started.
    #[error(transparent)]
    Launch(#[from] super::launch::Error),
    /// The user's own `config.json`, or a helper it names, does not say who asks.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// Nobody listens on the socket.
    #[error("no daemon answers on unix://{}: {source}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// ENOENT or ECONNREFUSED.
        source: io::Error,
    },
    /// The socket's mode shuts this user out.
    #[error("permission denied on the daemon's socket unix://{}", socket.display())]
    Denied {
        /// The socket.
        socket: PathBuf,
    },
    /// The socket cannot be used for another reason.
    #[error("connect to unix://{}: {source}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon speaks only versions older than this client's oldest.
    #[error("the daemon speaks API {server}, this client needs {oldest} or newer")]
    TooOld {
        /// The daemon's newest.
        server: String,
        /// This client's oldest.
        oldest: super::ApiVersion,
    },
    /// A request that cannot be put into HTTP.
    #[error("malformed request: {0}")]
    Request(hyper::http::Error),
    /// A request body that cannot be put into JSON.
    #[error("encode request: {0}")]
    Encode(serde_json::Error),
    /// The connection ended before the answer.
    #[error("{asked}: connection to the daemon lost: {source}")]
    Lost {
        /// Method and path.
        asked: String,
        /// hyper's reason.
        source: hyper::Error,
    },
    /// The answer broke off.
    #[error("{asked}: the answer broke off: {reason}")]
    Body {
        /// Method and path.
        asked: String,
        /// hyper's reason.
        reason: String,
    },
    /// The answer is not the JSON it should be.
    #[error("{asked}: malformed answer: {source}")]
    Malformed {
        /// Method and path.
        asked: String,
        /// The parser's word.
        source: serde_json::Error,
    },
    /// The daemon would not hand over the connection.
    #[error("{asked}: unable to upgrade to tcp, received {status}")]
    NotUpgraded {
        /// Method and path.
        asked: String,
        /// What came instead of 101.
        status: StatusCode,
    },
    /// The daemon answered with an error. Displayed as Docker's client displays it.
    #[error("Error response from daemon: {message}")]
    Daemon {
        /// Decides what the client may try next (404: pull the image).
        status: StatusCode,
        /// The daemon's words.
        message: String,
        /// Advice.
        hint: Option<Hint>,
    },
    /// An error within a stream that began well: a pull that failed midway.
    #[error("{message}")]
    Stream {
        /// The daemon's words.
        message: String,
        /// Advice.
        hint: Option<Hint>,
    },
}

impl Error {
    /// Sorts a failed connect(2) by what the learner can do about it.
    pub(super) fn connect(socket: &Path, source: io::Error) -> Error {
        let socket = socket.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Error::Unreachable { socket, source }
            }
            io::ErrorKind::PermissionDenied => Error::Denied { socket },
            _ => Error::Connect { socket, source },
        }
    }

    /// Reads the error JSON; a body that is something else is the message itself.
    pub(super) fn from_body(status: StatusCode, body: &[u8]) -> Error {
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(body).trim().to_owned();
            let message = if text.is_empty() { status.to_string() } else { text };
            ErrorBody { message, hint: None }
        });
        let hint = body.hint.and_then(|hint| hint.parse().ok());
        Error::Daemon { status, message: body.message, hint }
    }

    /// The HTTP status, if the daemon answered with one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Daemon { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Host(_) | Error::Credentials(_) | Error::Request(_) | Error::Encode(_) => Kind::Invalid,
            Error::Denied { .. } => Kind::Denied,
            Error::Launch(_) | Error::Unreachable { .. } | Error::Connect { .. } | Error::Lost { .. } => {
                Kind::Unavailable
            }
            Error::Daemon { status, .. } => match status.as_u16() {
                400 => Kind::Invalid,
                403 => Kind::Denied,
                404 => Kind::NotFound,
                409 => Kind::Conflict,
                503 => Kind::Unavailable,
                _ => Kind::Internal,
            },
            _ => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Unreachable { .. } => Some(Hint::StartDaemon),
            Error::Denied { .. } => Some(Hint::JoinGroup),
            Error::Daemon { hint, .. } | Error::Stream { hint, .. } => *hint,
            _ => None,
        }
    }
}
