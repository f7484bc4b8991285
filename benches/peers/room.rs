//! A mount namespace for the whole run, in which every runtime can work.

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use std::io;
use std::path::Path;

/// Where systemd mounts cgroup v2 beside v1.
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// Moves this process into a mount namespace of its own and takes the hybrid cgroup v2 hierarchy
/// out of it: crun refuses a machine with both. All contestants see the same.
///
/// # Errors
/// Without root.
pub fn enter() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|errno| io::Error::other(format!("root is needed (unshare: {})", errno.desc())))?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    if Path::new(UNIFIED).join("cgroup.controllers").exists() {
        umount(UNIFIED)?;
        println!("{UNIFIED} is unmounted for this run: crun refuses v1 and v2 together");
    }
    Ok(())
}
