//! One blob on its way to a registry.

use super::super::digest;
use super::super::error::Error;
use super::super::manifest::Part;
use super::super::pull::PullEvent;
use super::super::registry::{self, Begun, Session};
use super::super::store::Store;
use super::super::travel::read_error;
use super::PushEvent;
use crate::kernel::{ByteStream, TracedHost};
use crate::trace::{Note, Scope, facts};
use bytes::Bytes;
use futures_util::StreamExt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// A blob up to this size is sent in one request.
const SMALL: u64 = 1 << 20;
/// Bytes read at once.
const STRETCH: usize = 256 * 1024;
/// Stretches read ahead.
const AHEAD: usize = 4;

pub(super) struct Sender<'a> {
    pub store: Arc<Store>,
    pub session: Arc<Session>,
    pub part: &'a Part,
    /// `None` for the configuration.
    pub diff_id: Option<&'a str>,
    /// A repository it may be mounted from.
    pub neighbour: Option<String>,
    pub progress: &'a (dyn Fn(PushEvent) + Send + Sync),
}

impl Sender<'_> {
    /// The first lines.
    pub fn announce(&self, waits: bool) {
        self.say("Preparing");
        if waits {
            self.say("Waiting");
        }
    }

    fn say(&self, status: &str) {
        if let Some(diff_id) = self.diff_id {
            (self.progress)(PushEvent::Line(PullEvent::step(digest::short(diff_id), status)));
        }
    }

    /// Sees to it that the registry has the blob.
    pub async fn send(&self, door: &TracedHost) -> Result<(), Error> {
        if self.part.is_foreign() {
            self.say("Skipped foreign layer");
            return Ok(());
        }
        let part = self.part;
        door.within(Scope::LayerPush, part.digest.clone(), async |door: TracedHost| {
            if self.session.has_blob(&door, &part.digest).await? {
                door.note(Note::BlobExists, facts([("digest", &part.digest)]));
                self.say("Layer already exists");
                return Ok(());
            }
            let Some(from) = &self.neighbour else { return self.upload(&door, None).await };
            match self.session.begin_upload(&door, &part.digest, Some(from)).await? {
                Begun::Mounted => {
                    door.note(Note::BlobMounted, facts([("digest", &part.digest), ("from", from)]));
                    self.say(&format!("Mounted from {from}"));
                    Ok(())
                }
                // It would rather have the bytes.
                Begun::At(to) => self.upload(&door, Some(to)).await,
            }
        })
        .await
    }

    /// Sends the bytes; a connection that breaks is tried again from the start, as the registry
    /// forgets half an upload.
    async fn upload(&self, door: &TracedHost, mut begun: Option<reqwest::Url>) -> Result<(), Error> {
        let retry = self.store.registry_config().retry;
        let mut attempt = 1;
        loop {
            match self.try_upload(door, begun.take()).await {
                Ok(()) => break,
                Err(Error::Registry { source, .. }) if attempt < retry.attempts && is_passing(&source) => {
                    let delay = retry.delay(attempt);
                    attempt += 1;
                    let shown = format!("{:.1} s", delay.as_secs_f64());
                    door.note(
                        Note::Retried,
                        facts([("attempt", &attempt), ("reason", &source), ("delay", &shown)]),
                    );
                    tokio::time::sleep(delay).await;
                }
                Err(error) => return Err(error),
            }
        }
        door.note(Note::Uploaded, facts([("digest", &self.part.digest), ("size", &self.part.size)]));
        self.say("Pushed");
        Ok(())
    }

    async fn try_upload(&self, door: &TracedHost, begun: Option<reqwest::Url>) -> Result<(), Error> {
        let to = match begun {
            Some(to) => to,
            None => match self.session.begin_upload(door, &self.part.digest, None).await? {
                Begun::At(to) => to,
                Begun::Mounted => return Ok(()),
            },
        };
        let path = self.store.blob_path(&self.part.digest);
        if self.part.size <= SMALL {
            let bytes = door.host().read(&path).map_err(|error| read_error(&path, &error))?;
            return Ok(self.session.put_blob(door, to, &self.part.digest, bytes.into()).await?);
        }
        let file = door.host().open(&path).map_err(|error| read_error(&path, &error))?;
        // The bar follows the bytes that leave; it is drawn from here, not from the stream's task.
        let sent = Arc::new(AtomicU64::new(0));
        let work = self.session.stream_blob(door, to, self.part, stream_of(file, sent.clone()));
        let mut work = std::pin::pin!(work);
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
        let mut told = 0;
        loop {
            tokio::select! {
                done = &mut work => return Ok(done?),
                _ = tick.tick() => {
                    let current = sent.load(Ordering::Relaxed);
                    if let Some(diff_id) = self.diff_id.filter(|_| current != told) {
                        let bar = PullEvent::bar(digest::short(diff_id), "Pushing", current, self.part.size);
                        (self.progress)(PushEvent::Line(bar));
                        told = current;
                    }
                }
            }
        }
    }
}

/// Whether another try may go better.
fn is_passing(error: &registry::Error) -> bool {
    match error {
        registry::Error::Answer(answer) => answer.status >= 500 || answer.status == 404,
        error => !error.is_abort() && error.is_transient(),
    }
}

/// A file's bytes, read ahead a little on a thread that may block.
fn stream_of(mut file: Box<dyn Read + Send>, sent: Arc<AtomicU64>) -> ByteStream {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut stretch = vec![0; STRETCH];
            let read = file.read(&mut stretch).map(|count| {
                stretch.truncate(count);
                Bytes::from(stretch)
            });
            let more = read.as_ref().is_ok_and(|piece| !piece.is_empty());
            let at_end = read.as_ref().is_ok_and(Bytes::is_empty);
            // The request has ended when nobody wants more.
            if at_end || sender.blocking_send(read).is_err() || !more {
                return;
            }
        }
    });
    ReceiverStream::new(receiver)
        .inspect(move |piece| {
            let count = piece.as_ref().map_or(0, Bytes::len);
            sent.fetch_add(count as u64, Ordering::Relaxed);
        })
        .boxed()
}
