//! A container's files from outside, on the modelled machine: a helper process whose root is the
//! container's, in the container's mount namespace or in one made for it.

use super::child::clone_process;
use super::host::SimHost;
use super::jail::fault;
use super::processes::Pid;
use super::tree::{Content, Node};
use super::walk::Last;
use super::world::{DAEMON, SharedWorld, World, lock};
use crate::error::Kind;
use crate::kernel::tarball::append;
use crate::kernel::tree::{FileTree, Found, Inode, Reading, Sort, TreeAnswer, TreeWork, Writing, perform};
use crate::kernel::{ByteStream, ExitStatus, Fault, Outcome, Payload, Value};
use crate::op::{ArchiveOp, FsOp, MountOp, Namespace};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use nix::errno::Errno;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// A tree held open, by the process that holds it.
struct SimTree {
    world: SharedWorld,
    helper: Pid,
}

impl fmt::Debug for SimTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimTree({})", self.helper)
    }
}

impl Drop for SimTree {
    fn drop(&mut self) {
        let mut world = lock(&self.world);
        world.end(self.helper, ExitStatus::Code(0));
        let _ = world.reap(self.helper);
    }
}

impl SimHost {
    pub(super) async fn archive(&self, op: &ArchiveOp, payload: Payload) -> Result<Outcome, Fault> {
        match (op, payload) {
            (ArchiveOp::OpenTree { root, overlay, .. }, Payload::Tree(TreeWork::Open(binds))) => {
                let helper = lock(&self.world).open_tree(root, overlay.as_deref(), &binds).map_err(fault)?;
                let tree: Arc<dyn FileTree> = Arc::new(SimTree { world: self.world.clone(), helper });
                Ok(Outcome { value: Value::Tree(TreeAnswer::Tree(tree)), ..Outcome::done() })
            }
            (_, Payload::Tree(work)) => perform(work).await,
            (op, _) => Err(Fault::new(Kind::Internal, format!("{op:?} came without its tree"))),
        }
    }
}

impl World {
    fn open_tree(
        &mut self,
        root: &str,
        overlay: Option<&str>,
        binds: &[(String, String)],
    ) -> Result<Pid, Errno> {
        let of = root.strip_prefix("/proc/").and_then(|rest| rest.strip_suffix("/root")?.parse::<Pid>().ok());
        if let Some(pid) = of {
            let (place, namespace) = {
                let process = self.processes.get(pid).map_err(|_| Errno::ENOENT)?;
                (process.root, process.namespaces[&Namespace::Mount])
            };
            let helper = self.fork(DAEMON, [(Namespace::Mount, namespace)].into())?;
            let process = self.processes.get_mut(helper)?;
            (process.root, process.cwd) = (place, place);
            return Ok(helper);
        }
        let kinds: &[Namespace] = if self.machine.unprivileged() {
            &[Namespace::User, Namespace::Mount]
        } else {
            &[Namespace::Mount]
        };
        let helper = clone_process(self, DAEMON, kinds)?;
        let mounted = overlay.map_or(Ok(()), |options| self.mount_tree(helper, root, options, binds));
        let place = mounted.and_then(|()| self.directory(helper, root));
        match place {
            Ok(place) => {
                let process = self.processes.get_mut(helper)?;
                (process.root, process.cwd, process.confined) = (place, place, None);
                Ok(helper)
            }
            Err(errno) => {
                self.end(helper, ExitStatus::Code(1));
                let _ = self.reap(helper);
                Err(errno)
            }
        }
    }

    fn mount_tree(
        &mut self,
        who: Pid,
        root: &str,
        options: &str,
        binds: &[(String, String)],
    ) -> Result<(), Errno> {
        let mount = |source: &str, target: &str, fstype: &str, flags: &[&str], data: &str| MountOp::Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            fstype: fstype.to_owned(),
            flags: flags.iter().map(ToString::to_string).collect(),
            data: data.to_owned(),
        };
        self.mount_op(who, &mount("overlay", root, "overlay", &[], options))?;
        let place = self.directory(who, root)?;
        self.processes.get_mut(who)?.confined = Some((root.to_owned(), place));
        for (source, target) in binds {
            let target = format!("{root}{target}");
            let Ok(at) = self.resolve(who, source, Last::Follow) else { continue };
            let point = match self.node(at)?.is_directory() {
                true => FsOp::CreateDirectory { path: target.clone(), mode: 0o755 },
                false => FsOp::CreateFile { path: target.clone(), mode: 0o644 },
            };
            self.file_op(who, &point, None)?;
            self.mount_op(who, &mount(source, &target, "", &["rbind"], ""))?;
        }
        Ok(())
    }

    /// lstat(2) for the engine.
    pub(super) fn look(&self, who: Pid, path: &str) -> Result<Inode, Errno> {
        let at = self.resolve(who, path, Last::Keep)?;
        Ok(inode(self.node(at)?))
    }

    /// Resolves a path by hand, so that its absolute form without links is known.
    fn settle(&self, who: Pid, path: &str, follow: bool) -> Result<(String, Option<Inode>), Errno> {
        let names = |path: &str| -> Vec<String> {
            path.split('/').filter(|name| !matches!(*name, "" | ".")).rev().map(str::to_owned).collect()
        };
        let mut ahead = names(path);
        let mut settled: Vec<String> = Vec::new();
        for _ in 0..4096 {
            let Some(name) = ahead.pop() else {
                let path = format!("/{}", settled.join("/"));
                let found = self.look(who, &path)?;
                return Ok((path, Some(found)));
            };
            if name == ".." {
                settled.pop();
                continue;
            }
            settled.push(name);
            let path = format!("/{}", settled.join("/"));
            let found = match self.look(who, &path) {
                Err(Errno::ENOENT) if ahead.is_empty() => return Ok((path, None)),
                found => found?,
            };
            if found.sort == Sort::Symlink && (follow || !ahead.is_empty()) {
                settled.pop();
                let target = self.read_link(who, &path)?;
                if target.starts_with('/') {
                    settled.clear();
                }
                ahead.extend(names(&target));
            }
        }
        Err(Errno::ELOOP)
    }
}

fn inode(node: &Node) -> Inode {
    let (sort, size) = match &node.content {
        Content::Directory { .. } => (Sort::Directory, 4096),
        Content::File(bytes) => (Sort::File, bytes.len() as u64),
        Content::Symlink(target) => (Sort::Symlink, target.len() as u64),
        Content::Device { .. } if node.is_whiteout() => (Sort::Whiteout, 0),
        Content::Device { block: true, .. } => (Sort::Block, 0),
        Content::Device { .. } => (Sort::Character, 0),
        Content::Fifo => (Sort::Fifo, 0),
    };
    let opaque = super::overlay::is_opaque(node);
    // The model has no clock in its files.
    Inode { sort, mode: node.mode, uid: node.uid, gid: node.gid, size, mtime: (0, 0), opaque }
}

impl FileTree for SimTree {
    fn find(&self, path: &str, follow: bool) -> io::Result<Found> {
        let world = lock(&self.world);
        let asserted = path.ends_with('/') || path.ends_with("/.");
        let (settled, found) = world.settle(self.helper, path, follow || asserted)?;
        let inode = found.ok_or(Errno::ENOENT)?;
        if asserted && !inode.is_directory() {
            return Err(Errno::ENOTDIR.into());
        }
        let target = match inode.sort {
            Sort::Symlink => {
                Some(world.settle(self.helper, path, true).map_or(settled.clone(), |(path, _)| path))
            }
            _ => None,
        };
        Ok(Found { path: settled, inode, target })
    }

    fn read(self: Arc<Self>, reading: Reading) -> ByteStream {
        let packed = {
            let world = lock(&self.world);
            let mut builder = tar::Builder::new(Vec::new());
            let path = reading.path.trim_end_matches('/');
            read(&world, self.helper, path, &reading.name, &reading.through, &mut builder)
                .and_then(|()| builder.into_inner())
        };
        stream::iter([packed.map(Bytes::from)]).boxed()
    }

    fn write(
        self: Arc<Self>,
        writing: Writing,
        mut bytes: ByteStream,
    ) -> BoxFuture<'static, Result<u64, Fault>> {
        Box::pin(async move {
            let mut whole = BytesMut::new();
            while let Some(next) = bytes.next().await {
                whole.extend_from_slice(&next?);
            }
            lock(&self.world).write_tar(self.helper, &writing, &whole)
        })
    }
}

fn header(node: &Node) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(node.mode);
    header.set_uid(node.uid.into());
    header.set_gid(node.gid.into());
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// Adds one node and, for a directory, what is in it.
fn read(
    world: &World,
    who: Pid,
    path: &str,
    name: &str,
    through: &[String],
    builder: &mut tar::Builder<Vec<u8>>,
) -> io::Result<()> {
    let at = world.resolve(who, if path.is_empty() { "/" } else { path }, Last::Keep)?;
    let node = world.node(at)?;
    if !name.is_empty() {
        add(builder, name, node)?;
    }
    if !node.is_directory() {
        return Ok(());
    }
    for entry in world.fs_at(at)?.tree.entries(at.ino)?.keys() {
        let whole = format!("{path}/{entry}");
        let prefix = name.trim_end_matches('/');
        let shown = if name.is_empty() { entry.clone() } else { format!("{prefix}/{entry}") };
        let below = world.resolve(who, &whole, Last::Keep)?;
        if below.mount != at.mount && !through.contains(&whole) {
            let mut empty = world.node(below)?.clone();
            match &mut empty.content {
                Content::Directory { entries, .. } => entries.clear(),
                content => *content = Content::File(Bytes::new()),
            }
            add(builder, &shown, &empty)?;
            continue;
        }
        read(world, who, &whole, &shown, through, builder)?;
    }
    Ok(())
}

/// Adds one node, without what is in it.
pub(super) fn add(builder: &mut tar::Builder<Vec<u8>>, name: &str, node: &Node) -> io::Result<()> {
    let mut header = header(node);
    match &node.content {
        Content::Directory { .. } => {
            header.set_entry_type(tar::EntryType::Directory);
            append(
                builder,
                &mut header,
                format!("{}/", name.trim_end_matches('/')).as_bytes(),
                None,
                io::empty(),
            )
        }
        Content::File(bytes) => {
            header.set_size(bytes.len() as u64);
            append(builder, &mut header, name.as_bytes(), None, bytes.as_ref())
        }
        Content::Symlink(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            append(builder, &mut header, name.as_bytes(), Some(target.as_bytes()), io::empty())
        }
        Content::Device { block, major, minor } => {
            header.set_entry_type(if *block { tar::EntryType::Block } else { tar::EntryType::Char });
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            append(builder, &mut header, name.as_bytes(), None, io::empty())
        }
        Content::Fifo => {
            header.set_entry_type(tar::EntryType::Fifo);
            append(builder, &mut header, name.as_bytes(), None, io::empty())
        }
    }
}

impl World {
    fn write_tar(&mut self, who: Pid, writing: &Writing, tar: &[u8]) -> Result<u64, Fault> {
        let mut plain = Vec::new();
        match tar {
            [0x1f, 0x8b, ..] => {
                flate2::bufread::MultiGzDecoder::new(tar).read_to_end(&mut plain)?;
            }
            tar => plain.extend_from_slice(tar),
        }
        let mut entries = 0;
        for entry in tar::Archive::new(plain.as_slice()).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
            if names.contains(&"..") {
                return Err(Fault::new(Kind::Invalid, format!("the name {path:?} leads out of the layer")));
            }
            if names.is_empty() {
                continue;
            }
            let target = format!("{}/{}", writing.into.trim_end_matches('/'), names.join("/"));
            self.write_entry(who, writing, &target, &mut entry)?;
            entries += 1;
        }
        Ok(entries)
    }

    fn write_entry<R: Read>(
        &mut self,
        who: Pid,
        writing: &Writing,
        target: &str,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), Fault> {
        let header = entry.header().clone();
        let kind = header.entry_type();
        let mode = header.mode()? & 0o7777;
        let owner = writing.owner.unwrap_or((header.uid()? as u32, header.gid()? as u32));
        let link = entry.link_name()?.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let node = match kind {
            tar::EntryType::Directory => Node::directory(mode),
            tar::EntryType::Symlink => Node::symlink(&link),
            tar::EntryType::Fifo => Node::new(Content::Fifo, mode),
            _ => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Node::file(content, mode)
            }
        };
        let above = target.rsplit_once('/').map_or("/", |(above, _)| above);
        if !above.is_empty() {
            self.create_directories(who, above, 0o755).map_err(fault)?;
        }
        if let Ok(at) = self.resolve(who, target, Last::Keep) {
            let was = self.node(at).map_err(fault)?.is_directory();
            let becomes = node.is_directory();
            if was != becomes && writing.keep_sorts {
                let words = ["non-directory", "directory"];
                let (old, new) = (words[usize::from(was)], words[usize::from(becomes)]);
                let message = format!("cannot overwrite {old} {target:?} with {new} {:?}", writing.into);
                return Err(Fault::new(Kind::Internal, message));
            }
            if !(was && becomes) {
                let (directory, name) = self.resolve_parent(who, target).map_err(fault)?;
                self.take_tree(who, directory, &name).map_err(fault)?;
            }
        }
        match self.create(who, target, node) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(fault(errno)),
        }
        let at = self.resolve(who, target, Last::Keep).map_err(fault)?;
        let fs = self.mount_at(at).map_err(fault)?.fs;
        self.change(fs, at.ino, |node| (node.mode, node.uid, node.gid) = (mode, owner.0, owner.1))
            .map_err(fault)
    }
}
