//! What a trace has shown so far, under the names that evidence commands and lessons use.
//!
//! Records name their facts from where they stand (`pid` of a client, `pid` of a container);
//! here each thing has one name. What a scope itself has shown comes first, what the whole trace
//! has shown last comes second.

use crate::op::{CgroupOp, FsOp, HttpOp, Op, ProcessOp, StoreOp, WriteReason};
use crate::trace::{Event, Note, Record};
use std::collections::HashMap;

/// Every name there is, with what it means.
pub const NAMES: [(&str, &str); 13] = [
    ("blob", "file of the compressed layer"),
    ("cgroup", "directory of the control group"),
    ("config", "the bundle's config.json"),
    ("container", "container id, 64 hex digits"),
    ("document", "file of the manifest or configuration stored last"),
    ("layer", "directory of the unpacked layer"),
    ("pid", "the container's first process, as the host numbers it"),
    ("program", "file that was executed"),
    ("record", "the engine's record written last"),
    ("reference", "image, as registry/repository:tag"),
    ("shim-pid", "the shim's process id"),
    ("socket", "the daemon's socket"),
    ("upper", "writable layer of the snapshot"),
];

/// Names only the registry gives; apart, so that a lesson can run without one.
pub const REGISTRY_NAMES: [(&str, &str); 1] = [("url", "request sent to the registry last")];

/// Whether a placeholder can ever be answered.
pub fn is_name(name: &str) -> bool {
    NAMES.iter().chain(&REGISTRY_NAMES).any(|(known, _)| *known == name)
}

/// What was shown so far.
#[derive(Debug, Default)]
pub struct Known {
    whole: HashMap<&'static str, String>,
    by_scope: HashMap<(u32, &'static str), String>,
    parents: HashMap<u32, u32>,
}

impl Known {
    /// Takes in one record.
    pub fn record(&mut self, record: &Record) {
        match &record.event {
            Event::Opened { id, .. } => {
                self.parents.insert(*id, record.scope);
            }
            Event::Will { op } => self.operation(record.scope, op),
            Event::Did { op, facts, .. } => {
                let name = match op.as_str() {
                    "namespace.clone" => "pid",
                    "process.spawn-shim" => "shim-pid",
                    _ => return,
                };
                self.learn(record.scope, name, facts.get("pid"));
            }
            Event::Note { note, facts } => {
                let names: &[&'static str] = match note {
                    Note::Peer => &["socket"],
                    Note::CacheHit | Note::CacheMiss => &["reference"],
                    Note::Overlay => &["upper"],
                    Note::Running => &["pid", "program"],
                    _ => &[],
                };
                for name in names {
                    self.learn(record.scope, name, facts.get(*name));
                }
            }
            _ => {}
        }
    }

    /// What `name` is, as seen from `scope`: its own, else an enclosing scope's, else the trace's
    /// latest.
    pub fn get(&self, scope: u32, name: &str) -> Option<&str> {
        let (name, _) = NAMES.iter().chain(&REGISTRY_NAMES).find(|(known, _)| *known == name)?;
        let mut at = Some(scope);
        while let Some(scope) = at {
            if let Some(value) = self.by_scope.get(&(scope, *name)) {
                return Some(value);
            }
            at = self.parents.get(&scope).copied();
        }
        self.whole.get(name).map(String::as_str)
    }

    fn operation(&mut self, scope: u32, op: &Op) {
        let (name, value) = match op {
            Op::Cgroup(CgroupOp::Create { path }) => ("cgroup", path),
            Op::Http(HttpOp::Request { url, .. }) => ("url", url),
            Op::Process(ProcessOp::SpawnShim { container, .. }) => ("container", container),
            Op::Process(ProcessOp::Exec { program, .. }) => ("program", program),
            Op::Store(StoreOp::PutBlob { path, .. }) => ("document", path),
            Op::Store(StoreOp::UnpackLayer { blob, directory, .. }) => {
                self.learn(scope, "blob", Some(blob));
                ("layer", directory)
            }
            // A layer is built beside its place and moved there.
            Op::Fs(FsOp::Rename { from, to }) if self.get(scope, "layer") == Some(from) => ("layer", to),
            Op::Fs(FsOp::WriteFile { path, why: WriteReason::Store, .. }) => ("record", path),
            Op::Fs(FsOp::WriteFile { path, why: WriteReason::Bundle, .. })
                if path.ends_with("config.json") =>
            {
                ("config", path)
            }
            _ => return,
        };
        self.learn(scope, name, Some(value));
    }

    fn learn(&mut self, scope: u32, name: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.by_scope.insert((scope, name), value.clone());
            self.whole.insert(name, value.clone());
        }
    }
}
