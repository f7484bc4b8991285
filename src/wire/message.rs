//! Errors, and the lines of a pull.

use super::nullable;
use serde::{Deserialize, Serialize};

/// Body of every refused request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// Docker's own English.
    pub message: String,
    /// Key of an advice (`error::Hint`); Docker's clients ignore it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One line of a pull's progress (`application/json`, one document after the other).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JsonMessage {
    /// `Pulling from library/alpine`, `Downloading`, `Digest: sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Output as it is, with its line end: of builds and loads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// A result for programs; nothing to print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux: Option<serde_json::Value>,
    /// How far it is.
    #[serde(rename = "progressDetail", skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<ProgressDetail>,
    /// The bar as text, for clients without a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// First 12 digits of the layer, or the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it failed.
    #[serde(rename = "errorDetail", skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<ErrorDetail>,
    /// The same as one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl JsonMessage {
    /// A plain line.
    pub fn status(status: impl Into<String>) -> JsonMessage {
        JsonMessage { status: Some(status.into()), ..JsonMessage::default() }
    }

    /// A line about one layer.
    pub fn about(id: impl Into<String>, status: impl Into<String>) -> JsonMessage {
        JsonMessage { id: Some(id.into()), ..JsonMessage::status(status) }
    }

    /// A line about one layer's progress, in bytes.
    pub fn progress(
        id: impl Into<String>,
        status: impl Into<String>,
        current: u64,
        total: u64,
    ) -> JsonMessage {
        JsonMessage {
            progress_detail: Some(ProgressDetail { current, total }),
            ..JsonMessage::about(id, status)
        }
    }

    /// The last line of a pull that failed after its first.
    pub fn error(ErrorBody { message, hint }: ErrorBody) -> JsonMessage {
        JsonMessage {
            error_detail: Some(ErrorDetail { code: 0, message: message.clone(), hint }),
            error: Some(message),
            ..JsonMessage::default()
        }
    }
}

/// Bytes done and bytes in all; both 0 when unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressDetail {
    /// Done.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub current: u64,
    /// In all.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub total: u64,
}

/// Why a stream ended early.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// Exit code of a failed build step, else 0.
    #[serde(skip_serializing_if = "is_zero_code")]
    pub code: i64,
    /// One line.
    pub message: String,
    /// As [`ErrorBody::hint`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_zero_code(number: &i64) -> bool {
    *number == 0
}
