//! Control groups: cgroups(7). Limits themselves are [`FsOp::WriteFile`](super::FsOp) lines.

use super::{Op, quote};
use serde::{Deserialize, Serialize};

/// An act on the cgroup hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CgroupOp {
    /// Makes a group: a directory in a controller's hierarchy (v1) or in the unified one (v2).
    Create {
        /// Absolute directory, e.g. `/sys/fs/cgroup/memory/learn/<id>`.
        path: String,
    },
    /// Removes an empty group.
    Remove {
        /// Absolute directory.
        path: String,
    },
}

impl CgroupOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            CgroupOp::Create { path } => format!("mkdir({path:?}, 0755)"),
            CgroupOp::Remove { path } => format!("rmdir({path:?})"),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            CgroupOp::Create { path } => format!("mkdir -p {}", quote(path)),
            CgroupOp::Remove { path } => format!("rmdir {}", quote(path)),
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        match self {
            CgroupOp::Create { path } => Some(CgroupOp::Remove { path: path.clone() }.into()),
            CgroupOp::Remove { .. } => None,
        }
    }
}
