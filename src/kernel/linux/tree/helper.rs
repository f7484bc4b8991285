//! The tree of a container that does not run: its overlay and its volumes are mounted by a helper
//! process, in a mount namespace of the helper's own. The daemon's namespace, which is the host's,
//! sees nothing of it. The helper hands over two descriptors, the root and the namespace, and
//! ends; when the daemon closes them the kernel unmounts everything.

use super::LinuxTree;
use crate::error::Kind;
use crate::kernel::linux::jail::LinuxJail;
use crate::kernel::linux::seal::SealedExe;
use crate::kernel::{Fault, Jail, Payload};
use crate::op::{FsOp, MountOp, Op};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the helper is to mount.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    root: String,
    /// Without one the directory is bound to itself.
    overlay: Option<String>,
    /// Source on the host, target inside.
    binds: Vec<(String, String)>,
}

/// Opens a tree: a directory as it is; an overlay, or one with binds in it, by a helper that runs
/// `program`.
pub(in super::super) fn open(
    program: &SealedExe,
    root: &str,
    overlay: Option<&str>,
    binds: Vec<(String, String)>,
) -> Result<Arc<LinuxTree>, Fault> {
    if overlay.is_none() && binds.is_empty() {
        return Ok(Arc::new(LinuxTree::at(root)?));
    }
    let order = Order { root: root.to_owned(), overlay: overlay.map(str::to_owned), binds };
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(program.path()?)
        .arg0("learn-tree")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .spawn()?;
    let answer = ours
        .write_all(&serde_json::to_vec(&order).map_err(io::Error::from)?)
        .and_then(|()| ours.shutdown(Shutdown::Write))
        .and_then(|()| receive(&ours));
    child.wait()?;
    let (word, descriptors) = answer?;
    match (word.as_slice(), <[OwnedFd; 2]>::try_from(descriptors)) {
        (b"ok", Ok([root, namespace])) => Ok(Arc::new(LinuxTree { root, _namespace: Some(namespace) })),
        (b"", _) => Err(Fault::new(Kind::Internal, "the helper that mounts it ended without a word")),
        (word, _) => Err(serde_json::from_slice(word)
            .unwrap_or_else(|_| Fault::new(Kind::Internal, String::from_utf8_lossy(word)))),
    }
}

/// The helper's role: `learn-tree`, with the order on its standard input.
///
/// # Errors
/// When the daemon that asked is gone.
pub fn main() -> io::Result<()> {
    let mut socket = UnixStream::from(rustix::io::dup(rustix::stdio::stdin())?);
    let mut order = Vec::new();
    socket.read_to_end(&mut order)?;
    let mounted = serde_json::from_slice(&order)
        .map_err(|error| Fault::new(Kind::Internal, error.to_string()))
        .and_then(|order| mount(&order));
    match mounted {
        Ok((root, namespace)) => send(&socket, b"ok", &[root, namespace]),
        Err(fault) => send(&socket, &serde_json::to_vec(&fault)?, &[]),
    }
}

fn mount(order: &Order) -> Result<(OwnedFd, OwnedFd), Fault> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let refused = |errno: nix::errno::Errno| Fault::errno(errno as i32);
    if uid == 0 {
        unshare(CloneFlags::CLONE_NEWNS).map_err(refused)?;
    } else {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(refused)?;
        for (name, value) in [
            ("setgroups", "deny".to_owned()),
            ("uid_map", format!("0 {uid} 1")),
            ("gid_map", format!("0 {gid} 1")),
        ] {
            fs::write(format!("/proc/self/{name}"), value)?;
        }
    }
    let mut jail = LinuxJail::default();
    let root = &order.root;
    let bound = |target: &str, source: &str, fstype: &str, flags: &[&str], data: &str| MountOp::Mount {
        source: source.to_owned(),
        target: target.to_owned(),
        fstype: fstype.to_owned(),
        flags: flags.iter().map(ToString::to_string).collect(),
        data: data.to_owned(),
    };
    let mut perform = |op: Op| jail.perform(&op, Payload::Empty).map(drop);
    perform(MountOp::SetPropagation { target: "/".into(), mode: "rprivate".into() }.into())?;
    perform(match &order.overlay {
        Some(options) => bound(root, "overlay", "overlay", &[], options).into(),
        None => bound(root, root, "", &["rbind"], "").into(),
    })?;
    jail.confine(root)?;
    for (source, target) in &order.binds {
        let target = format!("{root}{target}");
        // A source that is not there yet will be made at the start; until then there is nothing.
        let Ok(found) = fs::metadata(source) else { continue };
        let point: Op = match found.is_dir() {
            true => FsOp::CreateDirectory { path: target.clone(), mode: 0o755 }.into(),
            false => FsOp::CreateFile { path: target.clone(), mode: 0o644 }.into(),
        };
        jail.perform(&point, Payload::Empty)?;
        jail.perform(&bound(&target, source, "", &["rbind"], "").into(), Payload::Empty)?;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, root.as_str(), flags, Mode::empty()).map_err(io::Error::from)?;
    Ok((root, File::open("/proc/self/ns/mnt")?.into()))
}

fn send(socket: &UnixStream, word: &[u8], descriptors: &[OwnedFd]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    if !borrowed.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&borrowed));
    }
    sendmsg(socket, &[IoSlice::new(word)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut word = vec![0; 16 * 1024];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut word)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = control
        .drain()
        .flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
            _ => Vec::new(),
        })
        .collect();
    word.truncate(received.bytes);
    Ok((word, descriptors))
}
