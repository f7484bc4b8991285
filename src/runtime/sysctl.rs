//! Kernel parameters of a container: only those that belong to its own namespaces, so that no
//! container changes the host's. namespaces(7), ipc_namespaces(7), network_namespaces(7).

use super::error::Error;
use crate::op::{FsOp, Op, WriteReason};
use oci_spec::runtime::{Linux, LinuxNamespaceType};

/// Parameters of an IPC namespace below `kernel.`.
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// The writes `linux.sysctl` asks for, in the order of the names.
///
/// # Errors
/// A parameter that belongs to the host, or to a namespace the container does not have.
pub fn writes(linux: &Linux) -> Result<Vec<Op>, Error> {
    let mut parameters: Vec<_> = linux.sysctl().iter().flatten().collect();
    parameters.sort();
    parameters.into_iter().map(|(name, value)| write(linux, name, value)).collect()
}

fn write(linux: &Linux, name: &str, value: &str) -> Result<Op, Error> {
    let refuse = |reason: &str| Err(Error::Unsupported(format!("linux.sysctl: {name}: {reason}")));
    if name.contains("..") || name.starts_with('/') {
        return refuse("not the name of a parameter");
    }
    // Both spellings are known to sysctl(8); dots separate unless the name has slashes.
    let dotted = if name.contains('/') { name.replace('/', ".") } else { name.to_owned() };
    let needed = if IPC.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") {
        LinuxNamespaceType::Ipc
    } else if dotted.starts_with("net.") {
        LinuxNamespaceType::Network
    } else {
        return refuse("it belongs to the host, not to a namespace");
    };
    // A network namespace may have been made for the container before it.
    let of_network = needed == LinuxNamespaceType::Network;
    let listed = linux.namespaces().as_deref().unwrap_or_default();
    if !listed.iter().any(|one| one.typ() == needed && (one.path().is_none() || of_network)) {
        return refuse("it belongs to a namespace the container does not have for itself");
    }
    let file = if name.contains('/') { name.to_owned() } else { name.replace('.', "/") };
    let path = format!("/proc/sys/{file}");
    Ok(FsOp::WriteFile { path, value: value.to_owned(), why: WriteReason::Proc }.into())
}
