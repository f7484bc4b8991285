//! The mount table: mount(2), pivot_root(2), umount2(2).

use super::quote;
use serde::{Deserialize, Serialize};

/// An act on the calling process's mount namespace. Nothing here outlives that namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum MountOp {
    /// Mounts a file system, or binds one place to another when `flags` holds `bind`.
    Mount {
        /// Device, directory to bind, or a name shown in the table.
        source: String,
        /// Where; never followed through a symbolic link out of the container's root.
        target: String,
        /// `proc`, `overlay`, `tmpfs`, …; empty for a bind.
        fstype: String,
        /// mount(8)'s words: `nosuid`, `nodev`, `noexec`, `ro`, `bind`, `rbind`, `remount`.
        flags: Vec<String>,
        /// The file system's own options, comma separated.
        data: String,
    },
    /// Changes how mounts below `target` spread: `private`, `rprivate`, `rslave`, …
    SetPropagation {
        /// Mount point.
        target: String,
        /// mount(8)'s word.
        mode: String,
    },
    /// Makes `new_root` this namespace's root; the old one becomes `put_old` below it.
    PivotRoot {
        /// Must be a mount point.
        new_root: String,
        /// Directory below `new_root` (here: `.`, stacked over it, then detached).
        put_old: String,
    },
    /// Takes a mount away; `detach` lets it go as soon as nobody uses it.
    Unmount {
        /// Mount point.
        target: String,
        /// MNT_DETACH.
        detach: bool,
    },
    /// Covers a path of the kernel's so that the container cannot read it: `/dev/null` over a
    /// file, an empty read-only tmpfs over a directory.
    Mask {
        /// Path inside the container.
        path: String,
    },
    /// Binds a path to itself, read-only.
    MakeReadonly {
        /// Path inside the container.
        path: String,
    },
}

impl MountOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            MountOp::Mount { source, target, fstype, flags, data } => {
                let flags = kernel_flags(flags);
                format!("mount({source:?}, {target:?}, {fstype:?}, {flags}, {data:?})")
            }
            MountOp::SetPropagation { target, mode } => {
                let (recursive, kind) = match mode.strip_prefix('r') {
                    Some(kind) => ("MS_REC|", kind),
                    None => ("", mode.as_str()),
                };
                format!("mount(NULL, {target:?}, NULL, {recursive}MS_{}, NULL)", kind.to_ascii_uppercase())
            }
            MountOp::PivotRoot { new_root, put_old } => format!("pivot_root({new_root:?}, {put_old:?})"),
            MountOp::Unmount { target, detach } => {
                format!("umount2({target:?}, {})", if *detach { "MNT_DETACH" } else { "0" })
            }
            MountOp::Mask { path } => format!("mount(\"/dev/null\", {path:?}, NULL, MS_BIND, NULL)"),
            MountOp::MakeReadonly { path } => format!(
                "mount({path:?}, {path:?}, NULL, MS_BIND|MS_REC); mount(…, MS_BIND|MS_REMOUNT|MS_RDONLY)"
            ),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            MountOp::Mount { source, target, fstype, flags, data } => {
                let mut options = flags.clone();
                if !data.is_empty() {
                    options.push(data.clone());
                }
                let kind = if fstype.is_empty() { String::new() } else { format!(" -t {fstype}") };
                let options = if options.is_empty() {
                    String::new()
                } else {
                    format!(" -o {}", quote(&options.join(",")))
                };
                format!("mount{kind}{options} {} {}", quote(source), quote(target))
            }
            MountOp::SetPropagation { target, mode } => format!("mount --make-{mode} {}", quote(target)),
            MountOp::PivotRoot { new_root, put_old } => {
                format!("cd {} && pivot_root . {}", quote(new_root), quote(put_old))
            }
            MountOp::Unmount { target, detach } => {
                format!("umount {}{}", if *detach { "-l " } else { "" }, quote(target))
            }
            MountOp::Mask { path } => format!("mount --bind /dev/null {}", quote(path)),
            MountOp::MakeReadonly { path } => {
                let path = quote(path);
                format!("mount --bind {path} {path} && mount -o remount,bind,ro {path}")
            }
        }
    }
}

/// mount(8)'s words as mount(2)'s constants.
fn kernel_flags(flags: &[String]) -> String {
    if flags.is_empty() {
        return "0".into();
    }
    let constants: Vec<String> = flags
        .iter()
        .map(|flag| match flag.as_str() {
            "ro" => "MS_RDONLY".to_owned(),
            "rbind" => "MS_BIND|MS_REC".to_owned(),
            other => format!("MS_{}", other.to_ascii_uppercase()),
        })
        .collect();
    constants.join("|")
}
