//! What daemon and shim say to each other over the control socket (SOCK_SEQPACKET, one JSON
//! document a packet).
//!
//! ```text
//!  daemon                          shim (and, until exec, init: the socket is shared)
//!    │ ── Start{bundle, …} ─────────▶ │
//!    │ ── Attach{…} + descriptor ───▶ │   any number, before Go and later
//!    │ ── Go ───────────────────────▶ │
//!    │ ◀──────────── Record{…} ────── │   any number
//!    │ ◀──────────── Hold{…} ──────── │   stepping only; answered by Decide
//!    │ ── Decide(next|free|abort) ──▶ │
//!    │ ◀──────────── Started{pid} ─── │   or Failed{…}, which ends the conversation
//!    │ ── Signal / Resize / … ──────▶ │
//!    │ ◀──────────── Exited{…} ────── │   ends the conversation
//! ```
//!
//! A daemon that restarts connects to the shim's listening socket (`<run>/shim/<id>.sock`, also
//! SOCK_SEQPACKET), is told `Started` and, when it has happened, `Exited`, and goes on from there.

use crate::error::{Hint, Kind};
use crate::kernel::Machine;
use crate::runtime::log_format::LogPlan;
use crate::trace::{Decision, Event, Stage, Stop};
use serde::{Deserialize, Serialize};

/// From the daemon.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToShim {
    /// What to run.
    Start(Box<Start>),
    /// A client's connection, sent along as a descriptor (SCM_RIGHTS). From then on the shim
    /// writes the container's output to it, in Docker's 8-byte frames unless there is a terminal.
    Attach(Attach),
    /// Everything is attached: begin.
    Go,
    /// The learner's answer to a [`FromShim::Hold`].
    Decide(Decision),
    /// Send this signal to the program.
    Signal(i32),
    /// The window of the terminal's client has this size.
    Resize {
        /// Lines.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
}

/// What to run, and how it is watched.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Start {
    /// Container id, 64 hex digits; for an exec its own.
    pub id: String,
    /// Directory that holds `config.json`, or for an exec its `process.json`.
    pub bundle: String,
    /// For an exec: the container that is joined.
    pub exec: Option<Target>,
    /// Whether the program gets a terminal.
    pub terminal: bool,
    /// Where the shim listens for a daemon that comes back.
    pub socket: String,
    /// What is kept of the output.
    pub log: LogPlan,
    /// Written when the program ends, so that a daemon that was away learns of it.
    pub exit_file: String,
    /// Scope number to hang records under, and the first free one (see
    /// [`Trace::reserve_scope_ids`](crate::trace::Trace::reserve_scope_ids)).
    pub scope: u32,
    /// First scope number the shim may use.
    pub scope_base: u32,
    /// Where to stop.
    pub stop: Stop,
    /// The stage stopped at last.
    pub last_stage: Option<Stage>,
    /// What the machine offers.
    pub machine: Machine,
    /// Whether the program's standard input stays open.
    pub open_stdin: bool,
    /// Whether the first client's end of input closes the program's.
    pub stdin_once: bool,
}

/// A running container that a further program joins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    /// Its first process, on the host.
    pub pid: u32,
    /// Directory of its `config.json`.
    pub bundle: String,
}

/// What a proxy carries: one packet a port, with the bound socket beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Carry {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Where to: `172.17.0.2:80`.
    pub to: String,
    /// The container's first process, on the host: the proxy ends with it.
    pub ends_with: u32,
}

/// Which streams a client wants.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attach {
    /// Its bytes become the program's input.
    pub stdin: bool,
    /// It gets the program's output.
    pub stdout: bool,
    /// It gets the program's error output.
    pub stderr: bool,
    /// The output goes out as it is, without frames.
    pub raw: bool,
    /// The keys that end the client's stay and nothing else; none outside of terminals.
    pub detach: Vec<u8>,
    /// Input that arrived together with the request, base64.
    pub early_input: String,
}

/// From the shim (or init).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromShim {
    /// Records of the trace, in order; scopes are numbered from `scope_base`. While nobody steps
    /// they travel in bundles: a packet each would cost more than what they tell of.
    Records(Vec<Said>),
    /// Waits at the gate; the event is the one reported last.
    Hold {
        /// Scope it belongs to.
        scope: u32,
        /// What is about to happen.
        event: Event,
    },
    /// The program runs.
    Started {
        /// On the host.
        pid: u32,
        /// The shim's own.
        shim: u32,
    },
    /// A client left by its detach keys.
    Detached,
    /// The program never ran.
    Failed(StartFailure),
    /// The program ended.
    Exited(Exit),
}

/// One record on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Said {
    /// Scope it belongs to.
    pub scope: u32,
    /// When, in microseconds of CLOCK_MONOTONIC, which all processes of a machine share.
    pub at: u64,
    /// What happened.
    pub event: Event,
}

/// Why the program never ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartFailure {
    /// runc's wording, from which Docker's clients derive 126 and 127.
    pub message: String,
    /// Its class.
    pub kind: Kind,
    /// Advice.
    pub hint: Option<Hint>,
    /// The code the container is left with: 126, 127 or 128.
    pub exit_code: i32,
}

/// How the program ended; also the content of the exit file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Docker's exit code.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The kernel's memory killer was at work in its group.
    pub oom: bool,
    /// RFC 3339.
    pub at: String,
}
