//! A container's files from outside: which tree they are reached through, what is at a path.

use super::create::is_missing;
use super::{Container, Engine, Error};
use crate::container::{Record, mounts};
use crate::kernel::tree::{FileTree, Found, Inode, Sort, TreeAnswer, TreeWork};
use crate::kernel::{Payload, TracedHost, Value};
use crate::op::{ArchiveOp, FsOp};
use crate::trace::{Note, facts};
use crate::wire::PathStat;
use crate::wire::archive::mode;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// A container's files, held open. A container that does not run stays so meanwhile: its overlay
/// must not be mounted twice.
pub(super) struct Opened {
    pub tree: Arc<dyn FileTree>,
    /// As operations name it.
    pub root: String,
    /// Mount points of the container's own.
    pub through: Vec<String>,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// Something of the host's that is seen in a container.
pub(super) struct Bound {
    pub source: String,
    pub target: String,
    pub writable: bool,
}

impl Engine {
    /// Opens the tree the container's programs see, or would see if there were any.
    pub(super) async fn open_tree(&self, door: &TracedHost, container: &Container) -> Result<Opened, Error> {
        if let Some(opened) = self.open_running(door, container).await? {
            return Ok(opened);
        }
        let turn = container.turn.clone().lock_owned().await;
        // It may have been started while this waited.
        if let Some(opened) = self.open_running(door, container).await? {
            return Ok(opened);
        }
        let record = container.snapshot();
        let bound = self.bound(&record)?;
        let root = record.snapshot.rootfs.clone();
        door.note(Note::FilesReached, facts([("how", &"stopped"), ("root", &root)]));
        // Only a start makes the place where the layers are mounted.
        if record.snapshot.overlay.is_some() && is_missing(door, &root) {
            door.perform(self.make_bundle(&record.id)).await?;
            door.perform(FsOp::CreateDirectory { path: root.clone(), mode: 0o755 }).await?;
        }
        let op = ArchiveOp::OpenTree {
            root: root.clone(),
            overlay: record.snapshot.overlay.clone(),
            binds: bound.iter().map(|bound| format!("{}:{}", bound.source, bound.target)).collect(),
        };
        let binds = bound.iter().map(|bound| (bound.source.clone(), bound.target.clone())).collect();
        let tree = opened(door.perform_with(op, Payload::Tree(TreeWork::Open(binds))).await?.value);
        let through = bound.into_iter().map(|bound| bound.target).collect();
        Ok(Opened { tree, root, through, _turn: Some(turn) })
    }

    async fn open_running(&self, door: &TracedHost, container: &Container) -> Result<Option<Opened>, Error> {
        let record = container.snapshot();
        let (pid, shim) = (record.state.pid, record.state.shim);
        if pid == 0 {
            return Ok(None);
        }
        let root = format!("/proc/{pid}/root");
        let op = ArchiveOp::OpenTree { root: root.clone(), overlay: None, binds: Vec::new() };
        let answer = door.perform_with(op, Payload::Tree(TreeWork::Open(Vec::new()))).await;
        // A number may come to mean another process; the shim's child is the container's.
        let status = self.host.read(&format!("/proc/{pid}/status")).unwrap_or_default();
        let is_ours = String::from_utf8_lossy(&status)
            .lines()
            .any(|line| line.strip_prefix("PPid:").is_some_and(|parent| parent.trim().parse() == Ok(shim)));
        match answer {
            Ok(outcome) if is_ours => {
                door.note(Note::FilesReached, facts([("how", &"running"), ("root", &root)]));
                let through = self.bound(&record)?.into_iter().map(|bound| bound.target).collect();
                Ok(Some(Opened { tree: opened(outcome.value), root, through, _turn: None }))
            }
            Err(error) if error.is_abort() => Err(error.into()),
            // It has just ended.
            _ => Ok(None),
        }
    }

    /// Everything of the host's that the container sees: binds, volumes, and the three files made
    /// at each start.
    pub(super) fn bound(&self, record: &Record) -> Result<Vec<Bound>, Error> {
        let planned = mounts::plan(&record.host_config)?;
        let mut bound: Vec<Bound> = planned
            .into_iter()
            .filter(|mount| mount.kind != "tmpfs")
            .map(|mount| Bound { source: mount.source, target: mount.target, writable: mount.writable })
            .collect();
        let bundle = self.places.bundle(&record.id);
        for name in ["hostname", "hosts", "resolv.conf"] {
            let (source, target) = (format!("{bundle}/{name}"), format!("/etc/{name}"));
            if self.host.size(&source).is_ok() && !bound.iter().any(|bound| bound.target == target) {
                bound.push(Bound { source, target, writable: true });
            }
        }
        Ok(bound)
    }

    /// `HEAD /containers/{id}/archive`: what is at a path.
    ///
    /// # Errors
    /// No such container, no such file.
    pub async fn stat_path(&self, door: &TracedHost, wanted: &str, path: &str) -> Result<PathStat, Error> {
        let container = self.containers.find(wanted)?;
        let opened = self.open_tree(door, &container).await?;
        let found = find(&opened, wanted, path, false)?;
        Ok(stat(&found, path))
    }
}

fn opened(value: Value) -> Arc<dyn FileTree> {
    let Value::Tree(TreeAnswer::Tree(tree)) = value else { unreachable!("archive.open-tree gives a tree") };
    tree
}

/// Looks a path up, in Docker's words when nothing is there.
pub(super) fn find(opened: &Opened, container: &str, path: &str, follow: bool) -> Result<Found, Error> {
    opened.tree.find(path, follow).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Error::NoSuchFile { path: path.to_owned(), container: container.to_owned() }
        }
        _ => Error::Read { path: path.to_owned(), reason: error.to_string() },
    })
}

/// The last name of a path, as Go's `filepath.Base` has it.
pub(super) fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        None | Some("") => "/",
        Some(name) => name,
    }
}

/// What is at a path, for a client.
pub(super) fn stat(found: &Found, asked: &str) -> PathStat {
    let inode = &found.inode;
    let (seconds, nanoseconds) = inode.mtime;
    let time = Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or_default());
    PathStat {
        name: base(asked).to_owned(),
        size: i64::try_from(inode.size).unwrap_or(i64::MAX),
        mode: go_mode(inode),
        mtime: time.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
        link_target: found.target.clone().unwrap_or_default(),
    }
}

fn go_mode(inode: &Inode) -> u32 {
    let sort = match inode.sort {
        Sort::File => 0,
        Sort::Directory => mode::DIRECTORY,
        Sort::Symlink => mode::SYMLINK,
        Sort::Block => mode::DEVICE,
        Sort::Character | Sort::Whiteout => mode::DEVICE | mode::CHARACTER,
        Sort::Fifo => mode::PIPE,
        Sort::Socket => mode::SOCKET,
    };
    let special = [(0o4000, mode::SETUID), (0o2000, mode::SETGID), (0o1000, mode::STICKY)];
    let special = special.into_iter().filter(|(bit, _)| inode.mode & bit != 0);
    special.fold(sort | (inode.mode & 0o777), |mode, (_, go)| mode | go)
}
