//! What the parent does to a process that was just cloned and still waits: who it is outside, and
//! how dear it is to the memory killer. Both are files below `/proc/<pid>`: user_namespaces(7),
//! proc_pid_oom_score_adj(5).

use crate::kernel::{Machine, OpError, TracedJail};
use crate::op::{FsOp, WriteReason};
use crate::trace::{Note, facts};
use oci_spec::runtime::Spec;

/// Worked out from the Spec before the clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Birth {
    /// The caller's uid and gid, when a user namespace must map them.
    mapped: Option<(u32, u32)>,
    /// -1000 (never) to 1000 (first).
    memory_killer: Option<i32>,
}

impl Birth {
    /// Without privilege only the caller's own ids can be mapped, and the memory killer's
    /// preference only be raised: 0 asks for nothing then.
    pub fn of(spec: &Spec, machine: &Machine) -> Birth {
        let preference = spec.process().as_ref().and_then(|process| process.oom_score_adj());
        Birth {
            mapped: machine.unprivileged().then_some((machine.uid, machine.gid)),
            memory_killer: preference.filter(|value| !machine.unprivileged() || *value > 0),
        }
    }

    /// Of a further process of a running container, whose ids are mapped already. Without privilege
    /// its files are not the caller's to write any more.
    pub fn joining(spec: &Spec, machine: &Machine) -> Birth {
        let birth = Birth::of(spec, machine);
        Birth { mapped: None, memory_killer: birth.memory_killer.filter(|_| !machine.unprivileged()) }
    }

    /// Writes the files of process `pid`.
    ///
    /// # Errors
    /// The write that failed.
    pub fn register(&self, jail: &mut TracedJail<'_>, pid: u32) -> Result<(), OpError> {
        let file = |name: &str| format!("/proc/{pid}/{name}");
        // First, because it may only be written by whoever owns the process, which a mapping changes.
        if let Some(preference) = self.memory_killer {
            let (path, value) = (file("oom_score_adj"), preference.to_string());
            jail.perform(FsOp::WriteFile { path, value, why: WriteReason::Proc })?;
        }
        let Some((uid, gid)) = self.mapped else { return Ok(()) };
        jail.note(Note::IdMapping, facts([("inside", &0), ("outside", &uid), ("count", &1)]));
        // Groups must be given up before a group may be mapped.
        let mappings = [
            ("setgroups", "deny".into()),
            ("uid_map", format!("0 {uid} 1")),
            ("gid_map", format!("0 {gid} 1")),
        ];
        for (name, value) in mappings {
            jail.perform(FsOp::WriteFile { path: file(name), value, why: WriteReason::IdMap })?;
        }
        Ok(())
    }
}
