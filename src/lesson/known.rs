//! What a trace has shown so far, under the names that evidence commands and lessons use.
//!
//! Records name their facts from where they stand (`pid` of a client, `pid` of a container);
//! here each thing has one name.

use crate::op::{CgroupOp, FsOp, HttpOp, Op, ProcessOp, StoreOp, WriteReason};
use crate::trace::{Event, Note, Record};
use std::collections::HashMap;

/// Names that stay true for the whole trace once they are known.
pub const WHOLE: [(&str, &str); 9] = [
    ("cgroup", "directory of the control group"),
    ("config", "the bundle's config.json"),
    ("container", "container id, 64 hex digits"),
    ("pid", "the container's first process, as the host numbers it"),
    ("program", "file that was executed"),
    ("reference", "image, as registry/repository:tag"),
    ("shim-pid", "the shim's process id"),
    ("socket", "the daemon's socket"),
    ("upper", "writable layer of the snapshot"),
];

/// Names that mean something only in the scope that showed them, and in those around it.
pub const LOCAL: [(&str, &str); 6] = [
    ("blob", "file of the compressed layer"),
    ("document", "file of the manifest or configuration"),
    ("freezer", "control file that freezes the group"),
    ("layer", "directory of the unpacked layer"),
    ("record", "the engine's record"),
    ("url", "request sent to the registry"),
];

/// Whether a placeholder can ever be answered.
pub fn is_name(name: &str) -> bool {
    WHOLE.iter().chain(&LOCAL).any(|(known, _)| *known == name)
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
                    Note::Running => &["pid"],
                    _ => &[],
                };
                for name in names {
                    self.learn(record.scope, name, facts.get(*name));
                }
            }
            _ => {}
        }
    }

    /// What `name` is, as seen from `scope`: what the scope itself or one inside it showed last,
    /// else, for a name of the whole trace, what any scope showed last.
    pub fn get(&self, scope: u32, name: &str) -> Option<&str> {
        let whole = WHOLE.iter().find(|(known, _)| *known == name);
        let (name, _) = whole.or_else(|| LOCAL.iter().find(|(known, _)| *known == name))?;
        let own = self.by_scope.get(&(scope, *name));
        own.or_else(|| whole.and_then(|_| self.whole.get(name))).map(String::as_str)
    }

    fn operation(&mut self, scope: u32, op: &Op) {
        let (name, value) = match op {
            Op::Cgroup(CgroupOp::Create { path }) => ("cgroup", path),
            Op::Cgroup(CgroupOp::Freeze { file } | CgroupOp::Thaw { file }) => ("freezer", file),
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
            // Its compressed form stops being partial the same way.
            Op::Fs(FsOp::Rename { from, to }) if self.get(scope, "blob") == Some(from) => ("blob", to),
            Op::Fs(FsOp::WriteFile { path, why: WriteReason::Store | WriteReason::Run, .. }) => {
                ("record", path)
            }
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
        let Some(value) = value else { return };
        self.whole.insert(name, value.clone());
        let mut at = Some(scope);
        while let Some(scope) = at {
            self.by_scope.insert((scope, name), value.clone());
            at = self.parents.get(&scope).copied();
        }
    }
}
