//! Requests that get no content, and the specification's codes for them.

use axum::http::{Method, StatusCode, header};
use serde_json::json;

use super::Answer;
use crate::hub::catalog;

/// Why a request is refused. What it was about comes with it.
#[derive(Debug)]
pub(super) enum Refusal {
    NameInvalid(String),
    NameUnknown(String),
    ManifestUnknown(String),
    /// The manifest is there, but in no form the client accepts.
    ManifestNotAccepted(String),
    BlobUnknown(String),
    DigestInvalid(String),
    PaginationNumberInvalid,
    NoSuchEndpoint,
    Unsupported(Method),
    /// The image is in the catalogue but cannot be made.
    Unmade(catalog::Error),
}

impl Refusal {
    /// The answer with the specification's JSON body ("Error Codes").
    pub(super) fn answer(&self) -> Answer {
        let (status, code, message) = self.facts();
        let detail = self.detail();
        let error = json!({ "errors": [{ "code": code, "message": message, "detail": detail }] });
        let answer = Answer { status, ..Answer::json(&error) };
        match self {
            Self::Unsupported(_) => answer.with_header(header::ALLOW, "GET, HEAD"),
            _ => answer,
        }
    }

    fn facts(&self) -> (StatusCode, &'static str, &'static str) {
        const MISSING: StatusCode = StatusCode::NOT_FOUND;
        const WRONG: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::NameInvalid(_) => (WRONG, "NAME_INVALID", "invalid repository name"),
            Self::NameUnknown(_) => (MISSING, "NAME_UNKNOWN", "repository name not known to registry"),
            Self::ManifestUnknown(_) => (MISSING, "MANIFEST_UNKNOWN", "manifest unknown"),
            Self::ManifestNotAccepted(_) => {
                (MISSING, "MANIFEST_UNKNOWN", "manifest not available in a form the client accepts")
            }
            Self::BlobUnknown(_) => (MISSING, "BLOB_UNKNOWN", "blob unknown to registry"),
            Self::DigestInvalid(_) => (WRONG, "DIGEST_INVALID", "not a sha256 digest"),
            Self::PaginationNumberInvalid => {
                (WRONG, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
            }
            Self::NoSuchEndpoint => (MISSING, "UNSUPPORTED", "no such endpoint"),
            Self::Unsupported(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the hub can only be read")
            }
            Self::Unmade(_) => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the image could not be made"),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::NameInvalid(about)
            | Self::NameUnknown(about)
            | Self::ManifestUnknown(about)
            | Self::ManifestNotAccepted(about)
            | Self::BlobUnknown(about)
            | Self::DigestInvalid(about) => Some(about.clone()),
            Self::Unsupported(method) => Some(method.to_string()),
            Self::Unmade(error) => Some(error.to_string()),
            Self::PaginationNumberInvalid | Self::NoSuchEndpoint => None,
        }
    }
}
