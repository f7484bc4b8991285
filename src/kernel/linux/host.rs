//! The daemon's door to the machine.

use super::network::Network;
use super::seal::SealedExe;
use super::shim::Shims;
use super::unpack::{Order, unpack_layer};
use super::{files, groups, shim, sys, tree};
use crate::error::{Hint, Kind};
use crate::kernel::tree::{FileTree, Inode, TreeAnswer, TreeWork};
use crate::kernel::{Fault, Host, Outcome, Payload, Value};
use crate::op::{ArchiveOp, FsOp, HttpOp, Op, ProcessOp, StoreOp};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who sends requests to registries.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Performs one `http.request`.
    ///
    /// # Errors
    /// The network's refusal.
    fn request<'a>(&'a self, op: &'a HttpOp, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>>;
}

/// The real machine, for the daemon.
#[derive(Debug)]
pub struct LinuxHost {
    shims: Shims,
    transport: Box<dyn Transport>,
    network: Arc<Network>,
}

impl LinuxHost {
    /// A door whose shims run `program`.
    pub fn new(program: SealedExe, transport: Box<dyn Transport>) -> LinuxHost {
        LinuxHost { shims: Shims::new(program), transport, network: Arc::default() }
    }

    /// The program that shims run.
    pub fn program(&self) -> &SealedExe {
        self.shims.program()
    }

    /// What the first container would wait for is begun now.
    pub fn prepare(&self) {
        self.shims.prepare();
    }

    async fn store(&self, op: &StoreOp, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            StoreOp::PutBlob { digest, path, .. } => {
                let Payload::Bytes(content) = payload else {
                    return Err(Fault::new(Kind::Internal, "store.put-blob came without its bytes"));
                };
                let (digest, path) = (digest.clone(), path.clone());
                blocking(move || put_blob(&digest, &path, &content)).await
            }
            StoreOp::UnpackLayer { digest, blob, media_type, directory, limit } => {
                let order = Order {
                    digest: digest.clone(),
                    blob: blob.clone(),
                    media_type: media_type.clone(),
                    directory: directory.clone(),
                    limit: *limit,
                };
                unpack_layer(order, payload).await
            }
            StoreOp::PackLayer { directory, blob } => {
                let Payload::Tree(TreeWork::Pack(empty)) = payload else {
                    return Err(Fault::new(Kind::Internal, "store.pack-layer came without its list"));
                };
                let (directory, blob) = (directory.clone(), blob.clone());
                blocking(move || tree::pack_layer(&directory, &blob, &empty)).await
            }
            StoreOp::VerifyDigest { subject, expected, actual } => verify(subject, expected, actual),
        }
    }

    async fn archive(&self, op: &ArchiveOp, payload: Payload) -> Result<Outcome, Fault> {
        match (op, payload) {
            (ArchiveOp::OpenTree { root, overlay, .. }, Payload::Tree(TreeWork::Open(binds))) => {
                let (program, root, overlay) = (self.shims.sealed(), root.clone(), overlay.clone());
                blocking(move || {
                    let tree: Arc<dyn FileTree> = tree::open(&program, &root, overlay.as_deref(), binds)?;
                    Ok(Outcome { value: Value::Tree(TreeAnswer::Tree(tree)), ..Outcome::done() })
                })
                .await
            }
            (_, Payload::Tree(work)) => crate::kernel::tree::perform(work).await,
            (op, _) => Err(Fault::new(Kind::Internal, format!("{op:?} came without its tree"))),
        }
    }

    async fn process(&self, op: &ProcessOp, payload: Payload) -> Result<Outcome, Fault> {
        match (op, payload) {
            (ProcessOp::SpawnShim { bundle, .. }, Payload::Control(control)) => {
                self.shims.spawn(bundle, control).await
            }
            (ProcessOp::SpawnProxy { .. }, Payload::Control(control)) => {
                let program = self.shims.sealed();
                blocking(move || shim::spawn_proxy(&program, control)).await
            }
            (ProcessOp::SpawnShim { .. } | ProcessOp::SpawnProxy { .. }, _) => {
                Err(Fault::new(Kind::Internal, "a program to be spawned came without its control socket"))
            }
            (ProcessOp::Signal { pid, signal }, _) => send_signal(*pid, signal),
            (other, _) => Err(not_ours(&Op::Process(other.clone()))),
        }
    }
}

impl Host for LinuxHost {
    fn perform<'a>(&'a self, op: &'a Op, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            match op {
                Op::Archive(op) => self.archive(op, payload).await,
                Op::Fs(op) => file(op, payload).await,
                Op::Cgroup(op) => {
                    let op = op.clone();
                    // A group may have to be waited for.
                    blocking(move || groups::perform(&op, &payload)).await
                }
                Op::Store(op) => self.store(op, payload).await,
                Op::Process(op) => self.process(op, payload).await,
                Op::Http(op) => self.transport.request(op, payload).await,
                Op::Guard(_) | Op::Mount(_) | Op::Namespace(_) | Op::Terminal(_) => Err(not_ours(op)),
                Op::Network(op) => {
                    let (network, op) = (self.network.clone(), op.clone());
                    // The kernel has one lock for all interfaces.
                    blocking(move || network.perform(&op)).await
                }
            }
        })
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn processes<'a>(&'a self, arguments: &'a [String]) -> BoxFuture<'a, io::Result<String>> {
        Box::pin(async move {
            let output = tokio::process::Command::new("ps").args(arguments).output().await;
            let output = output.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    io::Error::other("exec: \"ps\": executable file not found in $PATH")
                }
                _ => error,
            })?;
            if !output.status.success() {
                let complaint = String::from_utf8_lossy(&output.stderr);
                return Err(io::Error::other(complaint.lines().next().unwrap_or("ps failed").to_owned()));
            }
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn look(&self, path: &str) -> io::Result<Inode> {
        tree::look(path)
    }

    fn resolver(&self, sandbox: &str, address: Ipv4Addr) -> io::Result<(UdpSocket, TcpListener)> {
        self.network.resolver(sandbox, address)
    }
}

async fn file(op: &FsOp, payload: Payload) -> Result<Outcome, Fault> {
    let content: Option<Bytes> = match payload {
        Payload::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    if files::is_quick(op) {
        // A few microseconds each: a hop to another thread and back would be most of the time.
        return files::perform(op, content.as_deref());
    }
    let op = op.clone();
    blocking(move || files::perform(&op, content.as_deref())).await
}

/// Runs work that may wait for the disk away from the event loop.
async fn blocking(work: impl FnOnce() -> Result<Outcome, Fault> + Send + 'static) -> Result<Outcome, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Fault::new(Kind::Internal, error.to_string())),
    }
}

/// Keeps a document under its digest, which it must have: the store never holds a wrong blob.
fn put_blob(digest: &str, path: &str, content: &[u8]) -> Result<Outcome, Fault> {
    /// Tells temporary files of pulls that run side by side apart.
    static PULL: AtomicU64 = AtomicU64::new(0);
    let actual = format!("sha256:{}", hex::encode(Sha256::digest(content)));
    verify("blob", digest, &actual)?;
    let temporary = format!("{path}.new-{}", PULL.fetch_add(1, Ordering::Relaxed));
    files::replace(path, &temporary, content)?;
    Ok(Outcome::done())
}

/// Compares two digests, naming both when they differ.
///
/// # Errors
/// [`Kind::Unavailable`]: the registry sent something else.
pub fn verify(subject: &str, expected: &str, actual: &str) -> Result<Outcome, Fault> {
    if expected == actual {
        return Ok(Outcome::done());
    }
    let message = format!("{subject} digest mismatch: expected {expected}, got {actual}");
    Err(Fault::new(Kind::Unavailable, message).hint(Hint::PullAgain))
}

/// Signals by pidfd: between opening and sending the id cannot come to mean another process.
fn send_signal(pid: u32, signal: &str) -> Result<Outcome, Fault> {
    let number = signal_number(signal)
        .ok_or_else(|| Fault::new(Kind::Invalid, format!("there is no signal {signal:?}")))?;
    let process = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| Fault::new(Kind::Invalid, format!("{pid} is no process id")))?;
    let pidfd = pidfd_open(process, PidfdFlags::empty()).map_err(io::Error::from)?;
    sys::pidfd_send_signal(pidfd.as_fd(), number)?;
    Ok(Outcome::done())
}

/// `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`: signal(7).
fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse() {
        return (1..=64).contains(&number).then_some(number);
    }
    let name = name.to_ascii_uppercase();
    let name = name.trim_start_matches("SIG");
    let (base, offset) = if let Some(rest) = name.strip_prefix("RTMIN") {
        (libc::SIGRTMIN(), rest)
    } else if let Some(rest) = name.strip_prefix("RTMAX") {
        (libc::SIGRTMAX(), rest)
    } else {
        return nix::sys::signal::Signal::from_str(&format!("SIG{name}")).ok().map(|signal| signal as i32);
    };
    let offset: i32 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    let number = base.checked_add(offset)?;
    (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&number).then_some(number)
}

fn not_ours(op: &Op) -> Fault {
    Fault::new(Kind::Internal, format!("{} is not an act of the daemon", op.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(signal_number("SIGTERM"), Some(15));
        assert_eq!(signal_number("kill"), Some(9));
        assert_eq!(signal_number("34"), Some(34));
        assert_eq!(signal_number("SIGRTMIN+3"), Some(libc::SIGRTMIN() + 3));
        assert_eq!(signal_number("RTMAX-1"), Some(libc::SIGRTMAX() - 1));
        assert_eq!(signal_number("0"), None);
        assert_eq!(signal_number("SIGRTMIN+99"), None);
        assert_eq!(signal_number("SIGNOPE"), None);
    }

    #[test]
    fn two_digests_that_differ_are_both_named() {
        assert!(verify("layer", "sha256:aa", "sha256:aa").is_ok());
        let Err(fault) = verify("layer", "sha256:aa", "sha256:bb") else { panic!("accepted") };
        assert!(fault.message.contains("sha256:aa") && fault.message.contains("sha256:bb"));
        assert_eq!((fault.kind, fault.hint), (Kind::Unavailable, Some(Hint::PullAgain)));
    }
}
