//! A container's files, taken out and put in as a tar: `cp`, `export`.

use super::quote;
use serde::{Deserialize, Serialize};

/// An act on a container's file tree, from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ArchiveOp {
    /// Holds a container's root open. Of a running one it is `/proc/<pid>/root`; of another one
    /// the layers are mounted in a mount namespace made for this, which ends with the work.
    OpenTree {
        /// `/proc/<pid>/root`, or the mount point of the overlay, or the copied tree.
        root: String,
        /// Options of the overlay to be mounted there.
        overlay: Option<String>,
        /// `source:target` of what is bound into it.
        binds: Vec<String>,
    },
    /// Reads one path, and what is below it, as a tar.
    Read {
        /// As in [`ArchiveOp::OpenTree`].
        root: String,
        /// Path inside, free of links.
        path: String,
    },
    /// Writes the entries of a tar below a directory.
    Write {
        /// As in [`ArchiveOp::OpenTree`].
        root: String,
        /// Directory inside, free of links.
        path: String,
    },
}

impl ArchiveOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            ArchiveOp::OpenTree { root, overlay: Some(options), .. } => format!(
                "unshare(CLONE_NEWNS); mount(\"overlay\", {root:?}, \"overlay\", 0, {options:?}); open({root:?}, O_PATH)"
            ),
            ArchiveOp::OpenTree { root, .. } => format!("open({root:?}, O_PATH|O_DIRECTORY)"),
            ArchiveOp::Read { path, .. } => {
                format!("openat2(root, {path:?}, {{O_RDONLY, RESOLVE_IN_ROOT}}); read(), … per file")
            }
            ArchiveOp::Write { path, .. } => {
                format!("openat2(root, {path:?}, {{O_PATH, RESOLVE_IN_ROOT}}); openat(), write(), … per file")
            }
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            ArchiveOp::OpenTree { root, overlay: Some(options), .. } => {
                let mount = format!("mount -t overlay overlay -o {} {}", quote(options), quote(root));
                format!("unshare --mount sh -c {}", quote(&format!("{mount} && ls {}", quote(root))))
            }
            ArchiveOp::OpenTree { root, .. } => format!("ls {}", quote(root)),
            ArchiveOp::Read { root, path } => {
                format!("tar -c -C {} {}", quote(root), quote(path.trim_start_matches('/')))
            }
            ArchiveOp::Write { root, path } => format!("tar -x -C {}", quote(&format!("{root}{path}"))),
        }
    }
}
