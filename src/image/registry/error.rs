//! What can go wrong between here and a registry, in Docker's words where Docker has some.

use super::challenge::Challenge;
use super::request::redact;
use crate::error::{Classify, Hint, Kind};
use crate::kernel::{OpError, Response};
use crate::op::{HttpOp, Op};
use futures_util::StreamExt;
use reqwest::Url;
use serde::Deserialize;

/// Most bytes of an error document that are read.
const ERROR_LIMIT: usize = 64 << 10;

/// Docker's words where a registry wants a password and there is none: it never asks then.
pub(super) const NO_CREDENTIALS: &str = "no basic auth credentials";

/// A failed exchange with a registry.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No answer: name, connection, certificate; or the learner aborted.
    #[error("{}", unanswered(.0))]
    Op(#[from] OpError),
    /// An answer, but not the one hoped for.
    #[error("{0}")]
    Answer(Answer),
    /// Documents that are too long, not what they should be, or cut short.
    #[error("unexpected answer of {from}: expected {expected}: {reason}")]
    Unexpected {
        /// URL without secrets.
        from: String,
        /// What belongs there.
        expected: &'static str,
        /// What came.
        reason: String,
    },
    /// A broken download that did not recover.
    #[error("download of {digest} broke off at byte {at} of {size}: {reason}")]
    Broken {
        /// The blob.
        digest: String,
        /// Bytes that arrived.
        at: u64,
        /// Bytes promised.
        size: u64,
        /// Why.
        reason: String,
    },
    /// An address in the configuration or from a registry that is none.
    #[error("{0:?}: expected the address of a registry as host[:port] or http(s)://host[:port]")]
    Address(String),
}

/// A registry's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Docker's code in lower case: `manifest unknown`, `denied`, `toomanyrequests`.
    pub code: String,
    /// The registry's sentence.
    pub message: String,
    /// URL without secrets.
    pub url: String,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.code.is_empty() {
            return write!(f, "received unexpected HTTP status: {} from {}", describe(self.status), self.url);
        }
        if self.message == NO_CREDENTIALS {
            return f.write_str(NO_CREDENTIALS);
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// The OCI error document: `{"errors":[{"code","message"}]}`.
#[derive(Deserialize)]
struct Document {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    code: String,
    #[serde(default)]
    message: String,
}

/// Token services answer `{"details":…}` or `{"error":…,"error_description":…}`.
#[derive(Deserialize)]
struct TokenRefusal {
    #[serde(alias = "error_description", alias = "error")]
    details: String,
}

impl Error {
    /// Reads a refusal, as much of it as is decent.
    pub(super) async fn from_answer(mut response: Response, url: &Url) -> Error {
        let mut body = Vec::new();
        while let Some(Ok(chunk)) = response.body.next().await {
            body.extend_from_slice(&chunk);
            if body.len() > ERROR_LIMIT {
                break;
            }
        }
        let status = response.status;
        let (code, message) = denied_by_scope(&response)
            .or_else(|| read_refusal(&body))
            .or_else(|| by_status(status))
            .unwrap_or_default();
        Error::Answer(Answer { status, code, message, url: redact(url) })
    }

    /// Whether another try may go better. Names that do not resolve and untrusted certificates
    /// stay what they are.
    pub(in crate::image) fn is_transient(&self) -> bool {
        match self {
            Error::Op(error) => {
                error.fault.kind == Kind::Unavailable
                    && error.fault.hint != Some(Hint::TrustCertificate)
                    && !error.fault.message.contains("no such host")
            }
            _ => false,
        }
    }

    /// Whether nothing listens at the address: another scheme would find nothing either.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Error::Op(error) if error.fault.errno.is_some()
            || error.fault.message.contains("no such host"))
    }

    /// Whether the learner ended it.
    pub fn is_abort(&self) -> bool {
        matches!(self, Error::Op(error) if error.is_abort())
    }
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Op(error) => error.kind(),
            Error::Answer(answer) => match answer.status {
                401 | 403 => Kind::Denied,
                404 => Kind::NotFound,
                429 | 500.. => Kind::Unavailable,
                _ => Kind::Internal,
            },
            Error::Broken { .. } => Kind::Unavailable,
            Error::Unexpected { .. } => Kind::Internal,
            Error::Address(_) => Kind::Invalid,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Op(error) => error.hint(),
            Error::Answer(answer) => match answer.status {
                401 | 403 => Some(Hint::LogIn),
                404 => Some(Hint::CheckImageName),
                429 => Some(Hint::WaitForRateLimit),
                500.. => Some(Hint::CheckNetwork),
                _ => None,
            },
            Error::Broken { .. } => Some(Hint::PullAgain),
            Error::Unexpected { .. } | Error::Address(_) => None,
        }
    }
}

/// `Get "https://…/v2/": dial tcp: …`, as Go's HTTP client and so Docker says it.
fn unanswered(error: &OpError) -> String {
    match &*error.op {
        Op::Http(HttpOp::Request { method, url, .. }) if !error.is_abort() => {
            let (first, rest) = method.split_at(1);
            format!("{first}{} \"{url}\": {}", rest.to_lowercase(), error.fault.message)
        }
        _ => error.to_string(),
    }
}

/// A bearer challenge on a refusal tells more than the document: the token was good, but not for
/// this repository.
fn denied_by_scope(response: &Response) -> Option<(String, String)> {
    let challenges =
        Challenge::parse(response.header("www-authenticate").filter(|_| response.status == 401)?);
    let refused = challenges.iter().find_map(|challenge| challenge.get("error"))?;
    match refused {
        "insufficient_scope" => Some(("denied".into(), "requested access to the resource is denied".into())),
        "invalid_token" => Some(("unauthorized".into(), "authentication required".into())),
        _ => None,
    }
}

fn read_refusal(body: &[u8]) -> Option<(String, String)> {
    if let Ok(document) = serde_json::from_slice::<Document>(body) {
        let entry = document.errors.into_iter().next()?;
        return Some((entry.code.to_lowercase().replace('_', " "), entry.message));
    }
    let refusal = serde_json::from_slice::<TokenRefusal>(body).ok()?;
    Some(("unauthorized".into(), refusal.details))
}

/// For answers without a document, such as those to HEAD.
fn by_status(status: u16) -> Option<(String, String)> {
    let (code, message) = match status {
        401 => ("unauthorized", "authentication required"),
        403 => ("denied", "requested access to the resource is denied"),
        429 => ("toomanyrequests", "too many requests"),
        _ => return None,
    };
    Some((code.into(), message.into()))
}

/// `503 Service Unavailable`.
pub(super) fn describe(status: u16) -> String {
    reqwest::StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string())
}
