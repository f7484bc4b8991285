//! `learn`'s own requests: trace sessions. They have no version prefix.

use crate::trace::{Decision, Stop};
use serde::{Deserialize, Serialize};

/// Request header that puts a request into a session.
pub const TRACE_HEADER: &str = "learn-trace";

/// `POST /learn/traces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTrace {
    /// The client's command line without the program's path: `run hello-world`.
    pub title: String,
    /// Where the work waits for the learner.
    #[serde(default)]
    pub stop: Stop,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCreated {
    /// 12 hex digits.
    pub id: String,
}

/// `POST /learn/traces/{id}/decision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decide {
    /// What the learner decided.
    pub decision: Decision,
}
