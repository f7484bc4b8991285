//! What a process may do: capabilities(7), prctl(2), setrlimit(2).

use serde::{Deserialize, Serialize};

/// An act that limits the calling process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum GuardOp {
    /// Sets one resource limit.
    SetLimit {
        /// `RLIMIT_NOFILE`, …
        resource: String,
        /// Soft limit, in the resource's own unit.
        soft: u64,
        /// Hard limit.
        hard: u64,
    },
    /// Drops every capability outside `keep` from the bounding set, before the user changes.
    BoundCapabilities {
        /// What stays, as `CAP_CHOWN`, sorted.
        keep: Vec<String>,
    },
    /// Sets the effective, permitted, inheritable and ambient sets, after the user changed.
    SetCapabilities {
        /// The effective and permitted sets.
        effective: Vec<String>,
        /// The inheritable set.
        inheritable: Vec<String>,
        /// The ambient set.
        ambient: Vec<String>,
    },
    /// `execve` will never grant more than this process has: PR_SET_NO_NEW_PRIVS.
    NoNewPrivileges,
    /// Becomes another user and group: setgroups(2), setresgid(2), setresuid(2).
    SetUser {
        /// User id inside the container.
        uid: u32,
        /// Group id inside the container.
        gid: u32,
        /// Supplementary groups.
        groups: Vec<u32>,
    },
}

impl GuardOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            GuardOp::SetLimit { resource, soft, hard } => {
                format!("prlimit64(0, {resource}, {{rlim_cur={soft}, rlim_max={hard}}})")
            }
            GuardOp::BoundCapabilities { keep } => {
                format!("prctl(PR_CAPBSET_DROP, …) for all but {}", keep.len())
            }
            GuardOp::SetCapabilities { effective, .. } => {
                format!("capset({{effective=permitted={}}})", effective.join("|"))
            }
            GuardOp::NoNewPrivileges => "prctl(PR_SET_NO_NEW_PRIVS, 1)".into(),
            GuardOp::SetUser { uid, gid, groups } => {
                format!("setgroups({groups:?}); setresgid({gid}); setresuid({uid})")
            }
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            GuardOp::SetLimit { resource, soft, hard } => {
                let name = resource.trim_start_matches("RLIMIT_").to_ascii_lowercase();
                format!("prlimit --pid $$ --{name}={soft}:{hard}")
            }
            GuardOp::BoundCapabilities { keep } => {
                format!("capsh --drop=$(all but {})", keep.join(",").to_ascii_lowercase())
            }
            GuardOp::SetCapabilities { effective, .. } => {
                format!("capsh --caps='{}+ep'", effective.join(",").to_ascii_lowercase())
            }
            GuardOp::NoNewPrivileges => "setpriv --no-new-privs".into(),
            GuardOp::SetUser { uid, gid, .. } => {
                format!("setpriv --reuid={uid} --regid={gid} --clear-groups")
            }
        }
    }
}
