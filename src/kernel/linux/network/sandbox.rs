//! Network namespaces that this process holds open: network_namespaces(7).
//!
//! A namespace is entered by a thread of its own, which opens there what is needed and ends. No
//! other thread ever leaves the host's namespace.

use super::netlink::Netlink;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

/// One network namespace.
#[derive(Debug)]
pub(super) struct Sandbox {
    namespace: File,
    /// Speaks to the kernel in there.
    pub netlink: Netlink,
}

impl Sandbox {
    /// A new one, with nothing in it but a loopback that is switched off.
    ///
    /// # Errors
    /// As unshare(2).
    pub(super) fn create() -> io::Result<Sandbox> {
        apart(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Sandbox::here()
        })
    }

    /// That of a process.
    ///
    /// # Errors
    /// ENOENT when the process is gone.
    pub(super) fn of(pid: u32) -> io::Result<Sandbox> {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        apart(move || {
            setns(&namespace, CloneFlags::CLONE_NEWNET)?;
            Sandbox::here()
        })
    }

    fn here() -> io::Result<Sandbox> {
        Ok(Sandbox { namespace: File::open("/proc/thread-self/ns/net")?, netlink: Netlink::open()? })
    }

    /// Does something in the namespace: what it opens there belongs there.
    ///
    /// # Errors
    /// Those of `work`.
    pub(super) fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let namespace = self.namespace.try_clone()?;
        apart(move || {
            setns(&namespace, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// A path under which others can join it while this process holds it.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.namespace.as_raw_fd())
    }

    /// Its number, as `/proc/<pid>/ns/net` shows it.
    pub(super) fn inode(&self) -> u64 {
        self.namespace.metadata().map_or(0, |metadata| metadata.ino())
    }

    /// The namespace itself.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}

/// Work on a thread that ends with it.
fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let thread = std::thread::Builder::new().name("sandbox".into()).spawn(work)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
}
