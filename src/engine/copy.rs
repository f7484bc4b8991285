//! `docker cp` and `docker export`: a container's files out as a tar, and a tar in.

use super::files::{Opened, base, find, stat};
use super::{Container, Engine, Error};
use crate::kernel::tree::{Reading, TreeAnswer, TreeWork, Writing};
use crate::kernel::{ByteStream, Payload, TracedHost, Value};
use crate::op::ArchiveOp;
use crate::trace::{Note, Scope, facts};
use crate::wire::PathStat;
use bytes::Bytes;
use futures_util::StreamExt;
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

/// Stretches of a tar that may wait for a client.
const WAITING: usize = 4;

/// A tar on its way to a client. Whoever is to know when it is through waits for `done`.
pub struct Outgoing {
    /// What the tar is of; nothing for a whole container.
    pub stat: Option<PathStat>,
    /// The tar. A failure midway is its last item.
    pub bytes: ByteStream,
    /// Resolves when nothing more comes.
    pub done: oneshot::Receiver<()>,
}

/// What a client says of a tar it sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incoming {
    /// A directory stays one, and what is none does not become one.
    pub keep_sorts: bool,
    /// Everything is to belong to the container's user.
    pub as_user: bool,
}

type Head = Result<Option<PathStat>, Error>;

impl Engine {
    /// `GET /containers/{id}/archive`.
    ///
    /// # Errors
    /// No such container, no such file.
    pub async fn read_archive(
        self: &Arc<Self>,
        door: &TracedHost,
        wanted: &str,
        path: &str,
    ) -> Result<Outgoing, Error> {
        let container = self.containers.find(wanted)?;
        self.outgoing(door, container, Some((wanted.to_owned(), path.to_owned()))).await
    }

    /// `GET /containers/{id}/export`: everything but what is mounted.
    ///
    /// # Errors
    /// No such container.
    pub async fn export(self: &Arc<Self>, door: &TracedHost, wanted: &str) -> Result<Outgoing, Error> {
        let container = self.containers.find(wanted)?;
        let outgoing = self.outgoing(door, container.clone(), None).await?;
        self.events.container(&container.snapshot(), "export", &[]);
        Ok(outgoing)
    }

    /// The work has a task of its own, so that its scope lasts as long as the tar.
    async fn outgoing(
        self: &Arc<Self>,
        door: &TracedHost,
        container: Arc<Container>,
        asked: Option<(String, String)>,
    ) -> Result<Outgoing, Error> {
        let (head, answered) = oneshot::channel::<Head>();
        let (sender, receiver) = mpsc::channel(WAITING);
        let (finished, done) = oneshot::channel();
        let (engine, door) = (self.clone(), door.clone());
        tokio::spawn(async move {
            let _finished = finished;
            let short = container.short_id();
            let (scope, about) = match &asked {
                Some((_, path)) => (Scope::ContainerCopy, format!("{short}:{path}")),
                None => (Scope::ContainerExport, short),
            };
            let mut head = Some(head);
            let sent = door
                .within(scope, about, async |door: TracedHost| {
                    let (stat, opened, reading) = engine.prepare(&door, &container, asked.as_ref()).await?;
                    let stream = archive(&door, &opened, reading.clone()).await?;
                    if let Some(head) = head.take() {
                        // A client that is gone gets nothing more either.
                        let _ = head.send(Ok(stat));
                    }
                    let bytes = pump(stream, &sender).await;
                    door.note(Note::Archived, facts([("path", &reading.path), ("bytes", &bytes?)]));
                    Ok::<(), Error>(())
                })
                .await;
            if let (Err(error), Some(head)) = (sent, head) {
                let _ = head.send(Err(error));
            }
        });
        let stat = answered.await.map_err(|_| Error::Invalid("the copy was given up".into()))??;
        Ok(Outgoing { stat, bytes: ReceiverStream::new(receiver).boxed(), done })
    }

    async fn prepare(
        &self,
        door: &TracedHost,
        container: &Container,
        asked: Option<&(String, String)>,
    ) -> Result<(Option<PathStat>, Opened, Reading), Error> {
        let opened = self.open_tree(door, container).await?;
        let Some((wanted, path)) = asked else {
            let reading = Reading { path: "/".into(), name: String::new(), through: Vec::new() };
            return Ok((None, opened, reading));
        };
        let found = find(&opened, wanted, path, false)?;
        let reading = Reading {
            path: found.path.clone(),
            name: base(path).to_owned(),
            through: opened.through.clone(),
        };
        Ok((Some(stat(&found, path)), opened, reading))
    }

    /// `PUT /containers/{id}/archive`: writes a tar below a directory of the container's.
    ///
    /// # Errors
    /// No such container or directory; it is read-only; the tar makes no sense; the disk refuses.
    pub async fn write_archive(
        &self,
        door: &TracedHost,
        wanted: &str,
        path: &str,
        how: Incoming,
        bytes: ByteStream,
    ) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        let about = format!("{}:{path}", container.short_id());
        let written: Result<(), Error> = door
            .within(Scope::ContainerCopy, about, async |door: TracedHost| {
                let opened = self.open_tree(&door, &container).await?;
                let found = find(&opened, wanted, path, true)?;
                if !found.inode.is_directory() {
                    return Err(Error::NotADirectory);
                }
                let record = container.snapshot();
                self.check_writable(&record, &found.path)?;
                let owner = match how.as_user && !record.config.user.is_empty() {
                    true => {
                        let user = self.resolve_user(&door, &record)?;
                        Some((user.uid, user.gid))
                    }
                    false => None,
                };
                let writing = Writing { into: found.path.clone(), keep_sorts: how.keep_sorts, owner };
                let op = ArchiveOp::Write { root: opened.root.clone(), path: found.path };
                let work = TreeWork::Write(opened.tree.clone(), writing, bytes);
                door.perform_with(op, Payload::Tree(work)).await.map_err(|error| {
                    match error.fault.errno {
                        // Docker's words about a tar are the tar's alone.
                        None if !error.is_abort() => Error::Archive(error.fault.message),
                        _ => Error::from(error),
                    }
                })?;
                Ok(())
            })
            .await;
        written?;
        self.events.container(&container.snapshot(), "extract-to-dir", &[("path", path.to_owned())]);
        Ok(())
    }

    /// Read-only stays read-only, for whoever asks.
    fn check_writable(&self, record: &crate::container::Record, path: &str) -> Result<(), Error> {
        let bound = self.bound(record)?;
        let holds = |target: &str| {
            path == target || path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
        };
        let deepest =
            bound.iter().filter(|bound| holds(&bound.target)).max_by_key(|bound| bound.target.len());
        match deepest {
            Some(bound) if !bound.writable => Err(Error::ReadOnlyVolume),
            None if record.host_config.readonly_rootfs => Err(Error::ReadOnlyRoot),
            _ => Ok(()),
        }
    }
}

async fn archive(door: &TracedHost, opened: &Opened, reading: Reading) -> Result<ByteStream, Error> {
    let op = ArchiveOp::Read { root: opened.root.clone(), path: reading.path.clone() };
    let work = TreeWork::Read(opened.tree.clone(), reading);
    match door.perform_with(op, Payload::Tree(work)).await?.value {
        Value::Tree(TreeAnswer::Archive(stream)) => Ok(stream),
        _ => unreachable!("archive.read gives a tar"),
    }
}

/// Hands a tar over; gives its length. A client that is gone ends it.
async fn pump(mut stream: ByteStream, sender: &mpsc::Sender<io::Result<Bytes>>) -> Result<u64, Error> {
    let mut bytes = 0;
    while let Some(next) = stream.next().await {
        let failed = next.as_ref().err().map(ToString::to_string);
        bytes += next.as_ref().map_or(0, |stretch| stretch.len() as u64);
        if sender.send(next).await.is_err() {
            return Ok(bytes);
        }
        if let Some(reason) = failed {
            return Err(Error::Archive(reason));
        }
    }
    Ok(bytes)
}
