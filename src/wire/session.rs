//! `learn`'s own requests: trace sessions. They have no version prefix. And its own headers on
//! Docker's.

use crate::trace::{Decision, Stop};
use serde::{Deserialize, Serialize};

/// Request header that puts a request into a session; in an answer, the session that was opened.
pub const TRACE_HEADER: &str = "learn-trace";

/// Request header of a pull that names the hub to use: `auto`, `docker`, `builtin`, a URL or
/// `host[:port]`.
pub const HUB_HEADER: &str = "learn-hub";

/// `POST /learn/traces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTrace {
    /// The client's command line without the program's path: `run hello-world`.
    pub title: String,
    /// Where the work waits for the learner.
    #[serde(default)]
    pub stop: Stop,
    /// The answer is the session's records, one JSON document a line, until it is closed; its id is
    /// in the header [`TRACE_HEADER`].
    #[serde(default)]
    pub follow: bool,
}

/// Its answer, where the session is not followed.
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
