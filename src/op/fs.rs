//! Files and directories.

use super::{Op, quote};
use serde::{Deserialize, Serialize};

/// Why a file is written; decides how: store metadata is replaced atomically and synced, kernel
/// files get one plain write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteReason {
    /// The engine's own records: temporary file, fsync, rename.
    Store,
    /// A container's generated files (`config.json`, `hosts`, …): a plain write, rebuilt at need.
    Bundle,
    /// A record that need not outlive a boot: temporary file, rename.
    Run,
    /// A control file of a cgroup.
    Cgroup,
    /// `uid_map`, `gid_map` or `setgroups` of a user namespace: user_namespaces(7).
    IdMap,
    /// Another file of procfs, such as `oom_score_adj`: proc(5).
    Proc,
}

/// An act on files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FsOp {
    /// Makes one directory and its missing parents; an existing one is fine.
    CreateDirectory {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// Makes an empty file, to be covered by a bind mount.
    CreateFile {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// Writes a small text. `value` is what is shown; large texts are carried beside the `Op` and
    /// shown by their first line.
    WriteFile {
        /// Absolute path.
        path: String,
        /// The text, or its first line followed by `…`.
        value: String,
        /// What the file is for.
        why: WriteReason,
    },
    /// Makes a symbolic link.
    Symlink {
        /// What the link says.
        target: String,
        /// Where the link is.
        path: String,
    },
    /// Makes a character device node: mknod(2).
    MakeNode {
        /// Absolute path.
        path: String,
        /// Device numbers.
        major: u32,
        /// Device numbers.
        minor: u32,
        /// Permission bits.
        mode: u32,
    },
    /// Moves a file or a directory into place.
    Rename {
        /// From.
        from: String,
        /// To, on the same file system.
        to: String,
    },
    /// Lays one layer's tree over a directory, where overlayfs is missing: files are copied with
    /// owner, mode, times and extended attributes; a whiteout in `from` removes what `to` has.
    CopyTree {
        /// The layer's root.
        from: String,
        /// An existing directory.
        to: String,
    },
    /// Removes a file.
    RemoveFile {
        /// Absolute path.
        path: String,
    },
    /// Removes a directory and all that is in it.
    RemoveTree {
        /// Absolute path.
        path: String,
    },
}

impl FsOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            FsOp::CreateDirectory { path, mode } => format!("mkdir({path:?}, {mode:04o})"),
            FsOp::CreateFile { path, mode } => {
                format!("openat(AT_FDCWD, {path:?}, O_CREAT|O_WRONLY|O_CLOEXEC, {mode:04o})")
            }
            FsOp::WriteFile { path, value, why: WriteReason::Store } => format!(
                "write(\"{path}.new\", {:?}); fsync(); rename(\"{path}.new\", {path:?})",
                first_line(value)
            ),
            FsOp::WriteFile { path, value, .. } => {
                format!("write(openat(AT_FDCWD, {path:?}, O_WRONLY|O_CLOEXEC), {:?})", first_line(value))
            }
            FsOp::Symlink { target, path } => format!("symlink({target:?}, {path:?})"),
            FsOp::MakeNode { path, major, minor, mode } => {
                format!("mknod({path:?}, S_IFCHR|{mode:04o}, makedev({major}, {minor}))")
            }
            FsOp::Rename { from, to } => format!("rename({from:?}, {to:?})"),
            FsOp::CopyTree { from, to } => {
                format!("copy_file_range({from:?}, {to:?}), fchown(), fchmod(), … per file")
            }
            FsOp::RemoveFile { path } => format!("unlink({path:?})"),
            FsOp::RemoveTree { path } => format!("unlinkat({path:?}, …) over the whole tree"),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            FsOp::CreateDirectory { path, mode } => format!("mkdir -p -m {mode:04o} {}", quote(path)),
            FsOp::CreateFile { path, .. } => format!("touch {}", quote(path)),
            FsOp::WriteFile { path, value, .. } => {
                format!("echo {} > {}", quote(first_line(value)), quote(path))
            }
            FsOp::Symlink { target, path } => format!("ln -s {} {}", quote(target), quote(path)),
            FsOp::MakeNode { path, major, minor, mode } => {
                format!("mknod -m {mode:04o} {} c {major} {minor}", quote(path))
            }
            FsOp::Rename { from, to } => format!("mv -T {} {}", quote(from), quote(to)),
            FsOp::CopyTree { from, to } => format!("cp -a {}/. {}", quote(from), quote(to)),
            FsOp::RemoveFile { path } => format!("rm {}", quote(path)),
            FsOp::RemoveTree { path } => format!("rm -r {}", quote(path)),
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        let path = match self {
            FsOp::CreateDirectory { path, .. } => {
                return Some(FsOp::RemoveTree { path: path.clone() }.into());
            }
            FsOp::CopyTree { to, .. } => return Some(FsOp::RemoveTree { path: to.clone() }.into()),
            FsOp::CreateFile { path, .. }
            | FsOp::WriteFile { path, why: WriteReason::Store | WriteReason::Bundle, .. }
            | FsOp::Symlink { path, .. }
            | FsOp::MakeNode { path, .. } => path,
            FsOp::WriteFile { .. }
            | FsOp::Rename { .. }
            | FsOp::RemoveFile { .. }
            | FsOp::RemoveTree { .. } => {
                return None;
            }
        };
        Some(FsOp::RemoveFile { path: path.clone() }.into())
    }
}

fn first_line(value: &str) -> &str {
    value.lines().next().unwrap_or_default()
}
