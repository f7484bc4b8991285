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
    /// Stops every process of a group where it is: the scheduler passes it over until it is thawed.
    Freeze {
        /// The control file: `…/freezer.state` (v1) or `…/cgroup.freeze` (v2).
        file: String,
    },
    /// Lets a frozen group go on.
    Thaw {
        /// The control file, as for [`CgroupOp::Freeze`].
        file: String,
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
    /// What freezes or thaws: v1 has words for it, v2 a flag.
    pub fn freezer_word(file: &str, frozen: bool) -> &'static str {
        match (file.ends_with("freezer.state"), frozen) {
            (true, true) => "FROZEN",
            (true, false) => "THAWED",
            (false, true) => "1",
            (false, false) => "0",
        }
    }

    pub(super) fn syscall(&self) -> String {
        match self {
            CgroupOp::Create { path } => format!("mkdir({path:?}, 0755)"),
            CgroupOp::Remove { path } => format!("rmdir({path:?})"),
            CgroupOp::Freeze { file } => {
                format!("write(open({file:?}), {:?})", CgroupOp::freezer_word(file, true))
            }
            CgroupOp::Thaw { file } => {
                format!("write(open({file:?}), {:?})", CgroupOp::freezer_word(file, false))
            }
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
            CgroupOp::Freeze { file } => {
                format!("echo {} > {}", CgroupOp::freezer_word(file, true), quote(file))
            }
            CgroupOp::Thaw { file } => {
                format!("echo {} > {}", CgroupOp::freezer_word(file, false), quote(file))
            }
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
            CgroupOp::Freeze { file } => Some(CgroupOp::Thaw { file: file.clone() }.into()),
            CgroupOp::Remove { .. } | CgroupOp::Thaw { .. } | CgroupOp::AttachDeviceFilter { .. } => None,
        }
    }
}
