//! Records: one thing that happened, typed, serialisable, without a word of any language.

use super::{Decision, Scope};
use crate::op::Op;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Named values that prove or describe something: `pid` → `4711`, `digest` → `sha256:…`.
pub type Facts = BTreeMap<String, String>;

/// Builds [`Facts`] from pairs.
pub fn facts<const N: usize>(pairs: [(&str, &dyn ToString); N]) -> Facts {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect()
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the trace, from 0.
    pub seq: u64,
    /// Microseconds since the trace began.
    pub at: u64,
    /// The scope this belongs to; 0 is the trace itself.
    pub scope: u32,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A scope begins, inside the record's scope.
    Opened {
        /// Number of the new scope, unique in the trace.
        id: u32,
        /// Its kind.
        kind: Scope,
        /// What it is about: a reference, a digest, a container's short id.
        about: String,
    },
    /// The record's scope ended.
    Closed {
        /// `None` when it went well, else the error as one line.
        error: Option<String>,
        /// Microseconds between opening and end.
        took: u64,
    },
    /// An operation is about to be performed.
    Will {
        /// The operation.
        #[serde(rename = "what")]
        op: Op,
    },
    /// The operation announced last in this scope was performed.
    Did {
        /// [`Op::name`].
        op: String,
        /// What it brought to light: pids, inodes, status codes.
        facts: Facts,
        /// Microseconds.
        took: u64,
    },
    /// The operation announced last in this scope failed.
    Failed {
        /// [`Op::name`].
        op: String,
        /// The kernel's error number where there is one: errno(3).
        errno: Option<i32>,
        /// The failure as one line.
        error: String,
        /// Evidence, where there is more to see than the error: `tried`.
        #[serde(default, skip_serializing_if = "Facts::is_empty")]
        facts: Facts,
        /// Microseconds.
        took: u64,
    },
    /// A plain fact.
    Note {
        /// Which.
        note: Note,
        /// Its values.
        facts: Facts,
    },
    /// The work waits at the gate, before what was opened or announced last in this scope.
    Held,
    /// The gate opened.
    Released {
        /// How.
        decision: Decision,
    },
    /// This many records did not reach this spectator, who lagged behind.
    Missed {
        /// Count.
        count: u64,
    },
}

/// Facts worth a sentence of their own. Texts in `lessons/glossary.yaml` under `notes.<name>`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Note {
    /// Who asks: `client`, `pid`, `uid`, `socket`, `method`, `path`.
    Peer,
    /// The request was answered: `status`.
    Answered,
    /// The image is there: `reference`, `id`.
    CacheHit,
    /// The image is not there: `reference`.
    CacheMiss,
    /// Docker Hub does not answer, the built-in hub does: `registry`, `reason`, `address`.
    BuiltinHub,
    /// Another registry was chosen by a mirror or `--hub`: `registry`, `address`.
    RegistryChosen,
    /// The registry wants a token: `scheme`, `realm`, `service`, `scope`.
    Challenge,
    /// The registry answers without credentials: `registry`.
    NoChallenge,
    /// What is left of the pull limit: `limit`, `remaining`, `reset`.
    RateLimit,
    /// The blob was redirected: `host`; the credentials stay behind.
    Redirected,
    /// The entry for this machine: `platform`, `digest`, `offered`.
    PlatformChosen,
    /// The digest is what was promised: `subject`, `digest`.
    DigestEqual,
    /// The layer is in the store already: `digest`, `diff-id`.
    LayerExists,
    /// A partial download goes on: `digest`, `offset`.
    Resumed,
    /// A request is tried again: `attempt`, `reason`, `delay`.
    Retried,
    /// The four hashes of one pull: `blob`, `index`, `config`, `diff-id`.
    FourHashes,
    /// The image is up to date: `reference`, `digest`.
    UpToDate,
    /// The name was chosen: `name`, `given`.
    NameChosen,
    /// The command of the container: `cmd`, `source` (`image` or `request`).
    CommandChosen,
    /// The mount options of the snapshot: `lower`, `upper`, `work`, `layers`.
    Overlay,
    /// No overlay on this machine: the layers were copied: `reason`, `bytes`.
    PlainCopy,
    /// What the network of the container is: `mode` (bridge, loopback, host, none, or container
    /// with the other's name as `container`).
    NetworkMode,
    /// The container is in a network: `network`, `bridge`, `interface` (the end on the bridge),
    /// `inside` (the end in the container), `address`, `mac`.
    Connected,
    /// A port of the host leads into the container: `from`, `to`, `owner` (the proxy's pid).
    Published,
    /// No rules can be set here: `reason`.
    RulesAbsent,
    /// Where limits go: `mode` (`v1`, `v2`, `hybrid`, `none`), `controllers`.
    CgroupMode,
    /// No limit can be set here: `reason`.
    CgroupAbsent,
    /// The clone put the new process into its unified control group: `path`.
    BornInGroup,
    /// A kernel file system could not be mounted anew, so the host's is bound: `path`, `reason`.
    BoundInstead,
    /// Namespace inodes on both sides: `<kind>` and `host-<kind>` per kind; the process id as
    /// `process`.
    NamespaceInodes,
    /// A further process has what the container has: `process` and the first process of the
    /// `container` share namespaces, `count` of them.
    NamespacesShared,
    /// The ids of the user namespace: `inside`, `outside`, `count`.
    IdMapping,
    /// The runtime cannot be written to from inside: `how`.
    RuntimeSealed,
    /// The program runs: `pid` as the host numbers it, `inside` as the container does; `program`
    /// is the word it was asked for by.
    Running,
    /// Process 1 has a handler for the signal that asks it to end, or cannot refuse it: `signal`,
    /// `mask` (SigCgt).
    SignalCaught,
    /// Process 1 has no handler for it, so the kernel drops it: `signal`, `mask` (SigCgt).
    SignalDropped,
    /// The wait for the program's end begins: `patience`.
    StopTimer,
    /// The program has not ended in time: `patience`.
    StopTimedOut,
    /// The kernel holds all processes: `count`, `path` of the control file.
    Frozen,
    /// The name before and after: `old`, `name`.
    Renamed,
    /// What a prune is going to remove: `count`, `names`.
    PruneListed,
    /// The policy starts the program again: `policy`, `delay`, `restarts` so far.
    RestartPlanned,
    /// The program ended: `code`, `signal`, `oom`.
    Exited,
    /// The record that stays: `state`.
    Remains,
    /// Where a container's files are reached from: `how` (running or stopped), `root`.
    FilesReached,
    /// A tar went by: `path`, `bytes`.
    Archived,
    /// What the writable layer holds: `changed`, `added`, `deleted`, `upper`.
    Changes,
    /// The container has changed nothing, so its image gets no new layer: `upper`.
    NothingChanged,
    /// A new image: `id`, `parent`, `diff-id`.
    Committed,
    /// The learner aborted.
    Aborted,
}

impl Note {
    /// The stable name, as stored.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
