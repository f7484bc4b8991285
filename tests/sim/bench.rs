//! A simulated machine for tests, and short ways to act on it.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use learn::kernel::machine::{CgroupV2, Cgroups, Cpuset};
use learn::kernel::sim::{KERNEL_PATHS, Programs, SimConfig, SimHost, SimJail};
use learn::kernel::{Child, Fault, Host, Init, Jail, Machine, Outcome, Payload, Stdio};
use learn::op::{FsOp, MountOp, Namespace, NamespaceOp, Op, StoreOp, WriteReason};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// What `/hello` says on these machines.
pub const GREETING: &str = "hello from the model\n";

/// A machine with cgroup v2.
pub fn v2(uid: u32) -> Machine {
    let controllers = ["cpu", "memory", "pids"].map(str::to_owned).to_vec();
    let v2 = CgroupV2 { mount: "/sys/fs/cgroup".into(), controllers, writable: uid == 0 };
    machine(uid, Cgroups { v2: Some(v2), ..Cgroups::default() })
}

/// A machine with cgroup v1.
pub fn v1() -> Machine {
    let mount = |name: &str| (name.to_owned(), format!("/sys/fs/cgroup/{name}"));
    let v1: BTreeMap<_, _> = ["cpuset", "devices", "memory", "pids"].map(mount).into_iter().collect();
    let cpuset = Some(Cpuset { cpus: "0-1".into(), mems: "0".into() });
    machine(0, Cgroups { v1, v2: None, cpuset })
}

fn machine(uid: u32, cgroups: Cgroups) -> Machine {
    Machine { uid, gid: uid, cgroups, overlay: true, kernel: "6.18.0".into(), architecture: "amd64".into() }
}

/// A configuration without a network.
pub fn config(machine: Machine) -> SimConfig {
    SimConfig {
        machine,
        hostname: "model".into(),
        files: Vec::new(),
        kernel_paths: KERNEL_PATHS.map(str::to_owned).to_vec(),
        registry: Arc::new(|_, _, _| None),
        shim: Arc::new(|_, _| {}),
        programs: Programs::standard(Duration::from_secs(1)).with_text("/hello", GREETING),
    }
}

/// A root machine with cgroup v2.
pub fn host() -> SimHost {
    SimHost::new(config(v2(0))).expect("a bare machine boots")
}

/// The daemon's door, waited for: nothing on it really waits.
pub fn perform(host: &SimHost, op: impl Into<Op>, payload: Payload) -> Result<Outcome, Fault> {
    host.perform(&op.into(), payload).now_or_never().expect("simulated acts take no time")
}

/// Acts through the door of a shim.
pub trait Act {
    /// Performs an operation; the error is its number.
    fn act(&mut self, op: impl Into<Op>) -> Result<(), i32>;
}

impl<J: Jail + ?Sized> Act for J {
    fn act(&mut self, op: impl Into<Op>) -> Result<(), i32> {
        let done = self.perform(&op.into(), Payload::Empty).map(drop);
        done.map_err(|fault| fault.errno.unwrap_or_else(|| panic!("no errno: {}", fault.message)))
    }
}

pub fn directory(path: &str) -> FsOp {
    FsOp::CreateDirectory { path: path.into(), mode: 0o755 }
}

pub fn write(path: &str, value: &str) -> FsOp {
    FsOp::WriteFile { path: path.into(), value: value.into(), why: WriteReason::Bundle }
}

pub fn control(path: &str, value: &str) -> FsOp {
    FsOp::WriteFile { path: path.into(), value: value.into(), why: WriteReason::Cgroup }
}

pub fn link(target: &str, path: &str) -> FsOp {
    FsOp::Symlink { target: target.into(), path: path.into() }
}

pub fn rename(from: &str, to: &str) -> FsOp {
    FsOp::Rename { from: from.into(), to: to.into() }
}

pub fn mount(source: &str, target: &str, fstype: &str, flags: &[&str], data: &str) -> MountOp {
    MountOp::Mount {
        source: source.into(),
        target: target.into(),
        fstype: fstype.into(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        data: data.into(),
    }
}

/// All that a container gets by default.
pub const ALL: [Namespace; 6] =
    [Namespace::Mount, Namespace::Pid, Namespace::Network, Namespace::Uts, Namespace::Ipc, Namespace::Cgroup];

/// A child in new namespaces that waits; its output can be read at the other ends.
pub fn clone(
    jail: &mut SimJail,
    namespaces: &[Namespace],
    init: Init,
) -> Result<(Box<dyn Child>, File, File), Fault> {
    let (stdin, _) = pipe();
    let ((out, stdout), (err, stderr)) = (pipe(), pipe());
    let op = NamespaceOp::Clone { namespaces: namespaces.to_vec(), cgroup: None }.into();
    let child = jail.clone_init(&op, Stdio { stdin, stdout, stderr }, init)?;
    Ok((child, out.into(), err.into()))
}

/// Runs `work` as the first process of new namespaces, to its end.
pub fn inside(
    jail: &mut SimJail,
    namespaces: &[Namespace],
    work: impl FnOnce(&mut dyn Jail) + Send + 'static,
) {
    let init: Init = Box::new(move |jail| {
        work(jail);
        Ok(())
    });
    let (mut child, _, _) = clone(jail, namespaces, init).expect("root clones");
    child.proceed().expect("nothing failed inside");
    child.reap().expect("it ended");
}

/// Two ends: to read from, to write to.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}

/// All of a stream.
pub fn text(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).expect("utf-8 output");
    text
}

/// One entry of a layer: a path and what it is.
pub enum Entry<'a> {
    Directory(&'a str),
    File(&'a str, &'a str, u32),
    Link(&'a str, &'a str),
    Hard(&'a str, &'a str),
}

/// A tar of entries, in order.
pub fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mode(0o755);
        header.set_size(0);
        let done = match entry {
            Entry::Directory(path) => {
                header.set_entry_type(tar::EntryType::Directory);
                archive.append_data(&mut header, path, std::io::empty())
            }
            Entry::File(path, content, mode) => {
                header.set_mode(*mode);
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, path, content.as_bytes())
            }
            Entry::Link(path, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                archive.append_link(&mut header, path, target)
            }
            Entry::Hard(path, target) => {
                header.set_entry_type(tar::EntryType::Link);
                archive.append_link(&mut header, path, target)
            }
        };
        done.expect("in-memory writes succeed");
    }
    archive.into_inner().expect("in-memory writes succeed")
}

/// Puts a layer's files at the root of a machine.
pub fn install(host: &SimHost, layer: &[Entry<'_>]) {
    let bytes = tar(layer);
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    perform(host, unpack("/tmp/installed", &digest), streamed(0, bytes)).expect("a sound layer");
    let copy = FsOp::CopyTree { from: "/tmp/installed".into(), to: "/".into() };
    perform(host, copy, Payload::Empty).expect("directories merge");
}

/// `store.unpack-layer` of uncompressed bytes.
pub fn unpack(directory: &str, digest: &str) -> StoreOp {
    StoreOp::UnpackLayer {
        digest: digest.into(),
        blob: format!("{directory}.blob"),
        media_type: "application/vnd.oci.image.layer.v1.tar".into(),
        directory: directory.into(),
        limit: 1 << 20,
    }
}

/// The bytes as a registry's stream.
pub fn streamed(offset: u64, bytes: Vec<u8>) -> Payload {
    let bytes = stream::iter([Ok(Bytes::from(bytes))]).boxed();
    Payload::Stream { offset, bytes, progress: Box::new(|_| {}) }
}
