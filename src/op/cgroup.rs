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
    /// Removes a group, and with it whoever is still in it.
    Remove {
        /// Absolute directory.
        path: String,
    },
    /// Guards devices on cgroup v2, which has no file for it: attaches an eBPF program that the
    /// kernel asks before a device node is opened or made. It goes with the group.
    AttachDeviceFilter {
        /// Absolute directory of the group in the unified hierarchy.
        path: String,
        /// What the program decides by, as `allow c 1:3 rwm`; the last that matches counts, and
        /// what none allows is denied.
        rules: Vec<String>,
        /// Length of the program; the program itself travels beside the `Op`.
        instructions: usize,
    },
}

impl CgroupOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            CgroupOp::Create { path } => format!("mkdir({path:?}, 0755)"),
            CgroupOp::Remove { path } => format!("rmdir({path:?})"),
            CgroupOp::AttachDeviceFilter { path, instructions, .. } => format!(
                "bpf(BPF_PROG_LOAD, {{prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt={instructions}}}); \
                 bpf(BPF_PROG_ATTACH, {{target=open({path:?}), attach_type=BPF_CGROUP_DEVICE, \
                 attach_flags=BPF_F_ALLOW_MULTI}})"
            ),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            CgroupOp::Create { path } => format!("mkdir -p {}", quote(path)),
            CgroupOp::Remove { path } => format!("rmdir {}", quote(path)),
            // The program must be pinned by bpftool(8) before it can be attached.
            CgroupOp::AttachDeviceFilter { path, .. } => format!(
                "bpftool prog load devices.o /sys/fs/bpf/devices && \
                 bpftool cgroup attach {} device pinned /sys/fs/bpf/devices multi",
                quote(path)
            ),
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        match self {
            CgroupOp::Create { path } => Some(CgroupOp::Remove { path: path.clone() }.into()),
            CgroupOp::Remove { .. } | CgroupOp::AttachDeviceFilter { .. } => None,
        }
    }
}
