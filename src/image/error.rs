//! What can go wrong with images.

use super::{digest, manifest, platform, reference, registry};
use crate::error::{Classify, Hint, Kind};
use crate::kernel::OpError;

/// A failure of the image layer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A name that is none.
    #[error(transparent)]
    Reference(#[from] reference::Error),
    /// A platform that is none.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A document that is no image.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The registry.
    #[error("{context}{source}")]
    Registry {
        /// Docker's sentence that precedes the registry's, with its colon; or nothing.
        context: String,
        /// The registry's word.
        source: registry::Error,
        /// Whether the image is what was not found.
        missing: bool,
    },
    /// An operation of the store.
    #[error(transparent)]
    Op(#[from] OpError),
    /// Bytes that are not what their digest promised; nothing of them is kept.
    #[error("{subject} verification failed for digest {expected}: got {actual}")]
    Corrupt {
        /// `filesystem layer`, `manifest`, `image configuration`.
        subject: &'static str,
        /// Promised.
        expected: String,
        /// Computed.
        actual: String,
    },
    /// A layer that was abandoned by everybody who wanted it.
    #[error("pull of {0} was cancelled")]
    Cancelled(String),
    /// No such image in the store.
    #[error("No such image: {0}")]
    NotFound(String),
    /// Several images begin like this.
    #[error("ambiguous image id prefix: {0}")]
    Ambiguous(String),
    /// Docker's refusals to remove.
    #[error("conflict: unable to {0}")]
    InUse(String),
    /// A reference to tag with that is a digest.
    #[error("refusing to create a tag with a digest reference")]
    TagIsDigest,
    /// An archive of images that is none, or lacks what it promises.
    #[error("invalid archive: {0}")]
    Archive(String),
    /// Files that were sent as a tar and are none.
    #[error("Error processing tar file(exit status 1): {0}")]
    Tar(String),
    /// An instruction that an image's configuration cannot be changed by.
    #[error("{0}")]
    Change(String),
    /// No tag of the repository is in the store.
    #[error("An image does not exist locally with the tag: {0}")]
    NothingToPush(String),
    /// The repository is, the tag is not.
    #[error("tag does not exist: {0}")]
    NoTag(String),
    /// A registry that does not know these credentials.
    #[error("Get \"{url}\": {reason}")]
    LoginRefused {
        /// Where it was asked.
        url: String,
        /// Its own words.
        reason: String,
    },
    /// A registry that wants other credentials, and does not say more.
    #[error("login attempt to {url} failed with status: {status}")]
    LoginFailed {
        /// Where it was asked.
        url: String,
        /// `401 Unauthorized`.
        status: String,
    },
    /// The store's own record is damaged.
    #[error("{path}:{line}: expected {expected}: {reason}")]
    Index {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What belongs there.
        expected: &'static str,
        /// The parser's word.
        reason: String,
    },
    /// A file of the store cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// A registry's failure while `reference` was asked for, in Docker's words.
    pub fn of_registry(reference: &reference::Reference, source: registry::Error) -> Error {
        let name = reference.familiar_name();
        let code = match &source {
            registry::Error::Answer(answer) => answer.code.as_str(),
            _ => "",
        };
        let context = match code {
            "manifest unknown" => format!("manifest for {} not found: ", reference.familiar()),
            "name unknown" => format!("repository {name} not found: "),
            "denied" => format!(
                "pull access denied for {name}, repository does not exist or may require 'docker login': "
            ),
            _ => String::new(),
        };
        let missing = !context.is_empty();
        Error::Registry { context, source, missing }
    }

    /// Whether the learner ended it.
    pub fn is_abort(&self) -> bool {
        match self {
            Error::Op(error) => error.is_abort(),
            Error::Registry { source, .. } => source.is_abort(),
            _ => false,
        }
    }

    /// Bytes against their digest.
    pub(super) fn corrupt(subject: &'static str, expected: &str, actual: &str) -> Error {
        Error::Corrupt { subject, expected: expected.to_owned(), actual: actual.to_owned() }
    }
}

impl From<registry::Error> for Error {
    fn from(source: registry::Error) -> Error {
        Error::Registry { context: String::new(), source, missing: false }
    }
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Reference(error) => error.kind(),
            Error::Platform(error) => error.kind(),
            Error::Manifest(error) => error.kind(),
            // Docker answers 404 to a denied pull, too: the registry does not say which it is.
            Error::Registry { missing: true, .. } => Kind::NotFound,
            Error::Registry { source, .. } => source.kind(),
            Error::Op(error) => error.kind(),
            Error::Cancelled(_) => Kind::Aborted,
            Error::NotFound(_) | Error::NothingToPush(_) | Error::NoTag(_) => Kind::NotFound,
            Error::InUse(_) => Kind::Conflict,
            Error::Ambiguous(_) | Error::TagIsDigest | Error::Archive(_) | Error::Change(_) => Kind::Invalid,
            Error::LoginRefused { .. } => Kind::Unauthorized,
            Error::LoginFailed { .. }
            | Error::Tar(_)
            | Error::Corrupt { .. }
            | Error::Index { .. }
            | Error::Read { .. } => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Reference(error) => error.hint(),
            Error::Registry { source, .. } => source.hint(),
            Error::Op(error) => error.hint(),
            Error::Corrupt { .. } => Some(Hint::PullAgain),
            Error::NotFound(_) => Some(Hint::CheckImageName),
            _ => None,
        }
    }
}

/// Docker's short id in messages.
pub(super) fn short(id: &str) -> &str {
    digest::short(id)
}
