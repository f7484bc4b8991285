//! An act in namespaces of its own, in a copy of this process that ends with it.

use crate::kernel::linux::sys::{self, Cloned};
use crate::wire::Trial;
use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

/// Runs `act` in new namespaces; in a user namespace as its root.
pub(super) fn run(namespaces: CloneFlags, act: impl FnOnce() -> nix::Result<()>) -> Trial {
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    let flags = u64::from(namespaces.bits().cast_unsigned());
    match sys::clone3(flags, libc::SIGCHLD, None) {
        Err(error) => Trial::Refused(error.raw_os_error().unwrap_or(libc::EIO)),
        Ok(Cloned::Child) => {
            let mapped = match namespaces.contains(CloneFlags::CLONE_NEWUSER) {
                true => map_ids(uid, gid),
                false => Ok(()),
            };
            let errno = mapped.and_then(|()| act()).err().map_or(0, |errno| errno as i32);
            // Error numbers are below 134: they fit an exit code.
            sys::exit_now(errno)
        }
        Ok(Cloned::Parent { pidfd, .. }) => {
            let ended = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            match ended.ok().flatten().and_then(|status| status.exit_status()) {
                Some(0) => Trial::Worked,
                Some(errno) => Trial::Refused(errno),
                None => Trial::Refused(libc::EINTR),
            }
        }
    }
}

/// Maps this user to root: user_namespaces(7).
fn map_ids(uid: u32, gid: u32) -> nix::Result<()> {
    let write = |name: &str, text: String| {
        fs::write(format!("/proc/self/{name}"), text)
            .map_err(|error| nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("0 {uid} 1"))?;
    write("gid_map", format!("0 {gid} 1"))
}

/// The namespace alone proves little: Ubuntu lets anyone make one and then takes its privileges.
pub(super) fn mount_something() -> nix::Result<()> {
    alone()?;
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>)
}

/// Mounts `merged` from `lower`, `upper` and `work`, all in `place`.
pub(super) fn mount_overlay(place: &Path) -> nix::Result<()> {
    alone()?;
    // Root of the first user namespace may set trusted attributes, everybody else user ones.
    let first = fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"]);
    let user = if first { "" } else { ",userxattr" };
    std::env::set_current_dir(place).map_err(|_| nix::errno::Errno::ENOENT)?;
    let options = format!("lowerdir=lower,upperdir=upper,workdir=work{user}");
    mount(Some("overlay"), "merged", Some("overlay"), MsFlags::empty(), Some(&*options))
}

/// Keeps what is mounted from now on out of other namespaces.
fn alone() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}
