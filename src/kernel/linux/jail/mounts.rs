//! The mount table of the calling process: mount(2), pivot_root(2).

use super::super::user_namespace;
use super::errno;
use super::root::{Root, proc_path, target};
use crate::error::Kind;
use crate::kernel::{Fault, Outcome};
use crate::op::MountOp;
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, fchdir, pivot_root};
use std::fs;

/// Nothing of this kind is there.
const NONE: Option<&str> = None;

/// Performs one mount operation. After [`MountOp::PivotRoot`] paths are the container's own.
pub(super) fn perform(root: &mut Option<Root>, op: &MountOp) -> Result<Outcome, Fault> {
    match op {
        MountOp::Mount { source, target, fstype, flags, data } => {
            attach(root.as_ref(), source, target, fstype, flags, data)?;
        }
        MountOp::SetPropagation { target, mode } => {
            // The first thing a new namespace needs its privileges for.
            mount(NONE, target.as_str(), NONE, propagation(mode)?, NONE)
                .map_err(|error| user_namespace::powerless(errno(error), &user_namespace::settings()))?;
        }
        MountOp::PivotRoot { new_root, .. } => {
            pivot(new_root)?;
            *root = None;
        }
        MountOp::Unmount { target, detach } => {
            let flags = if *detach { MntFlags::MNT_DETACH } else { MntFlags::empty() };
            umount2(target.as_str(), flags).map_err(errno)?;
        }
        MountOp::Mask { path } => mask(path)?,
        MountOp::MakeReadonly { path } => {
            mount(Some(path.as_str()), path.as_str(), NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)
                .map_err(errno)?;
            remount(path, in_force(path)? | MsFlags::MS_RDONLY)?;
        }
    }
    Ok(Outcome::done())
}

/// One mount. A bind needs a second call for its flags: the kernel ignores them in the first.
fn attach(
    root: Option<&Root>,
    source: &str,
    place: &str,
    fstype: &str,
    words: &[String],
    data: &str,
) -> Result<(), Fault> {
    let flags = parse(words)?;
    let data = if data.is_empty() { None } else { Some(data) };
    let target = target(root, place)?;
    let path = proc_path(&target);
    if flags.contains(MsFlags::MS_REMOUNT) {
        return mount(NONE, path.as_str(), NONE, flags, data).map_err(errno);
    }
    if !flags.contains(MsFlags::MS_BIND) {
        return mount(Some(source), path.as_str(), Some(fstype), flags, data).map_err(errno);
    }
    let bind = flags & (MsFlags::MS_BIND | MsFlags::MS_REC);
    mount(Some(source), path.as_str(), NONE, bind, NONE).map_err(errno)?;
    let rest = flags - bind;
    if !rest.is_empty() {
        // The descriptor still shows what is under the mount: open the place anew.
        let mounted = self::target(root, place)?;
        remount(&proc_path(&mounted), rest)?;
    }
    Ok(())
}

/// Changes the flags of one bind mount. An unprivileged caller may not clear flags the mount was
/// locked with, so those in force are kept: mount_namespaces(7).
fn remount(path: &str, flags: MsFlags) -> Result<(), Fault> {
    let bind = MsFlags::MS_BIND | MsFlags::MS_REMOUNT;
    let first = mount(NONE, path, NONE, bind | flags, NONE);
    if first != Err(nix::errno::Errno::EPERM) {
        return first.map_err(errno);
    }
    mount(NONE, path, NONE, bind | flags | in_force(path)?, NONE).map_err(errno)
}

/// The flags of the mount at `path` that a remount would otherwise clear.
fn in_force(path: &str) -> Result<MsFlags, Fault> {
    let bits = nix::sys::statvfs::statvfs(path).map_err(errno)?.flags().bits();
    let kept = MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV
        | MsFlags::MS_NOEXEC
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOATIME;
    Ok(MsFlags::from_bits_truncate(bits) & kept)
}

/// The new root is stacked over the old one at `/` and the old one let go: no directory inside
/// the image is needed, which may be read-only. pivot_root(2), "pivot_root(".", ".")".
fn pivot(new_root: &str) -> Result<(), Fault> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let old = open("/", flags, Mode::empty()).map_err(errno)?;
    chdir(new_root).map_err(errno)?;
    pivot_root(".", ".").map_err(errno)?;
    // The current directory is the new root; `umount2(".")` must mean the old one.
    fchdir(&old).map_err(errno)?;
    Ok(())
}

/// `/dev/null` over a file, an empty read-only tmpfs over a directory.
fn mask(path: &str) -> Result<(), Fault> {
    if fs::metadata(path)?.is_dir() {
        let data = Some("size=0k,nr_inodes=2,mode=755");
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::MS_RDONLY, data).map_err(errno)
    } else {
        mount(Some("/dev/null"), path, NONE, MsFlags::MS_BIND, NONE).map_err(errno)
    }
}

/// mount(8)'s words.
fn parse(words: &[String]) -> Result<MsFlags, Fault> {
    words.iter().try_fold(MsFlags::empty(), |flags, word| {
        Ok(flags
            | match word.as_str() {
                "ro" => MsFlags::MS_RDONLY,
                "nosuid" => MsFlags::MS_NOSUID,
                "nodev" => MsFlags::MS_NODEV,
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "relatime" => MsFlags::MS_RELATIME,
                "strictatime" => MsFlags::MS_STRICTATIME,
                "bind" => MsFlags::MS_BIND,
                "rbind" => MsFlags::MS_BIND | MsFlags::MS_REC,
                "remount" => MsFlags::MS_REMOUNT,
                "rw" => MsFlags::empty(),
                other => return Err(Fault::new(Kind::Invalid, format!("unknown mount flag {other:?}"))),
            })
    })
}

fn propagation(mode: &str) -> Result<MsFlags, Fault> {
    let (recursive, kind) = match mode.strip_prefix('r') {
        Some(kind) => (MsFlags::MS_REC, kind),
        None => (MsFlags::empty(), mode),
    };
    let kind = match kind {
        "private" => MsFlags::MS_PRIVATE,
        "slave" => MsFlags::MS_SLAVE,
        "shared" => MsFlags::MS_SHARED,
        "unbindable" => MsFlags::MS_UNBINDABLE,
        other => return Err(Fault::new(Kind::Invalid, format!("unknown propagation {other:?}"))),
    };
    Ok(recursive | kind)
}
