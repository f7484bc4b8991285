//! One layer: fetched, verified, unpacked while it arrives.

use super::super::error::Error;
use super::super::manifest::Part;
use super::super::registry::Session;
use super::super::store::{Layer, Store};
use super::event::LayerLines;
use super::flight::{Controls, Stage};
use super::{Puller, verify};
use crate::error::Hint;
use crate::kernel::{OpError, Payload, TracedHost, Unpacked, Value};
use crate::op::{FsOp, Op, StoreOp};
use crate::trace::{Note, Scope, facts};
use rand::RngExt;
use std::sync::Arc;

impl Puller<'_> {
    /// A layer of this pull, wherever it comes from: the store, another pull, the registry.
    pub(super) async fn layer(
        &self,
        door: &TracedHost,
        session: &Arc<Session>,
        part: &Part,
        diff_id: &str,
        lines: LayerLines<'_>,
    ) -> Result<Layer, Error> {
        loop {
            if let Some(layer) = self.store.layer(diff_id) {
                note_exists(door, part, &layer).await?;
                lines.exists();
                return Ok(layer);
            }
            let mut seat = self.store.flights.join(&part.digest, |controls| {
                let task = Task {
                    store: self.store.clone(),
                    session: session.clone(),
                    part: part.clone(),
                    diff_id: diff_id.to_owned(),
                    controls,
                };
                task.run(door.clone())
            });
            let result = loop {
                let stage = seat.stage.borrow_and_update().clone();
                lines.show(&stage);
                if let Stage::Ended(result) = stage {
                    break result;
                }
                if seat.stage.changed().await.is_err() {
                    break Err(Error::Cancelled(part.digest.clone()));
                }
            };
            match result {
                Ok(layer) if !seat.first => {
                    note_exists(door, part, &layer).await?;
                    return Ok(layer);
                }
                // Whoever began it gave up; that is no failure of this pull.
                Err(error) if !seat.first && (error.is_abort() || matches!(error, Error::Cancelled(_))) => {}
                result => return result,
            }
        }
    }
}

/// The layer is here: a scope with that one fact in it.
async fn note_exists(door: &TracedHost, part: &Part, layer: &Layer) -> Result<(), Error> {
    door.within(Scope::LayerFetch, part.digest.clone(), async |door: TracedHost| {
        door.note(Note::LayerExists, facts([("digest", &part.digest), ("diff-id", &layer.diff_id)]));
        Ok(())
    })
    .await
}

/// The work on one layer; it owns all it needs, for it may outlive the pull that began it.
struct Task {
    store: Arc<Store>,
    session: Arc<Session>,
    part: Part,
    diff_id: String,
    controls: Controls,
}

impl Task {
    async fn run(self, door: TracedHost) -> Result<Layer, Error> {
        let cancelled = || Error::Cancelled(self.part.digest.clone());
        let permit = match self.store.downloads.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                self.controls.stage.send_replace(Stage::Waiting);
                tokio::select! {
                    permit = self.store.downloads.acquire() => permit.map_err(|_| cancelled())?,
                    () = self.controls.cancel.cancelled() => return Err(cancelled()),
                }
            }
        };
        let result = door
            .within(Scope::LayerFetch, self.part.digest.clone(), async |door: TracedHost| {
                self.fetch(&door).await
            })
            .await;
        drop(permit);
        match result {
            Err(_) if self.controls.cancel.is_cancelled() => Err(cancelled()),
            result => result,
        }
    }

    async fn fetch(&self, door: &TracedHost) -> Result<Layer, Error> {
        let partial = self.store.partial_path(&self.part.digest);
        let mut offset = door.host().size(&partial).unwrap_or(0);
        if offset > self.part.size {
            door.perform(FsOp::RemoveFile { path: partial }).await?;
            offset = 0;
        }
        let cancel = self.controls.cancel.clone();
        let connected = self.session.blob(door.clone(), self.part.clone(), offset, cancel);
        let (bytes, verdict) = tokio::select! {
            connected = connected => connected?,
            () = self.controls.cancel.cancelled() => return Err(Error::Cancelled(self.part.digest.clone())),
        };
        let payload = Payload::Stream { offset, bytes, progress: self.progress() };
        let result = door
            .within(Scope::LayerUnpack, self.part.digest.clone(), async |door: TracedHost| {
                self.unpack(&door, payload).await
            })
            .await;
        let broke = verdict.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        match (result, broke) {
            // What ended the stream says more than what the reader of the stream made of it.
            (Err(error), Some(reason)) if !error.is_abort() => Err(reason.into()),
            (result, _) => result,
        }
    }

    /// Tells how far the download is; at most a hundred times, however small the pieces are.
    fn progress(&self) -> crate::kernel::Progress {
        let (stage, total) = (self.controls.stage.clone(), self.part.size);
        let (mut current, mut told) = (0, 0);
        Box::new(move |more| {
            current += more;
            if current >= total {
                stage.send_replace(Stage::Downloaded);
            } else if current - told >= total / 100 {
                told = current;
                stage.send_replace(Stage::Downloading { current, total });
            }
        })
    }

    async fn unpack(&self, door: &TracedHost, payload: Payload) -> Result<Layer, Error> {
        let path = self.store.layer_path(&self.diff_id);
        let staging = format!("{path}.new-{:08x}", rand::rng().random::<u32>());
        let made = FsOp::CreateDirectory { path: staging.clone(), mode: 0o755 };
        door.perform(made.clone()).await?;
        match self.unpack_into(door, payload, &staging).await {
            Ok(layer) => Ok(layer),
            Err(error) => {
                self.clean_up(door, made.into(), &error).await;
                Err(error)
            }
        }
    }

    async fn unpack_into(&self, door: &TracedHost, payload: Payload, staging: &str) -> Result<Layer, Error> {
        let op = StoreOp::UnpackLayer {
            digest: self.part.digest.clone(),
            blob: self.store.partial_path(&self.part.digest),
            media_type: self.part.media_type.clone(),
            directory: staging.to_owned(),
            limit: self.store.registry_config().unpack_limit,
        };
        let outcome = door.perform_with(op, payload).await?;
        let Value::Unpacked(unpacked) = outcome.value else {
            unreachable!("store.unpack-layer says what it unpacked")
        };
        let total = self.part.size;
        self.controls.stage.send_replace(Stage::Extracting { current: total, total });
        verify(door, "layer", &self.part.digest, &unpacked.digest).await?;
        verify(door, "diff-id", &self.diff_id, &unpacked.diff_id).await?;
        let layer = self.describe(&unpacked);
        self.store.adopt_layer(door, layer.clone(), &self.store.partial_path(&layer.digest), staging).await?;
        Ok(layer)
    }

    fn describe(&self, unpacked: &Unpacked) -> Layer {
        Layer {
            diff_id: self.diff_id.clone(),
            digest: self.part.digest.clone(),
            media_type: self.part.media_type.clone(),
            size: unpacked.size,
            unpacked: unpacked.inflated,
            content: Some(unpacked.content),
        }
    }

    /// Removes the half-made tree. What arrived of the blob stays for the next pull, except when
    /// it is wrong, in the way of a full disk, or the learner wants nothing left.
    async fn clean_up(&self, door: &TracedHost, made: Op, error: &Error) {
        let partial = self.store.partial_path(&self.part.digest);
        let full = matches!(error, Error::Op(OpError { fault, .. }) if fault.hint == Some(Hint::FreeDisk));
        let useless = error.is_abort() || full || matches!(error, Error::Corrupt { .. });
        let mut done = vec![made];
        if useless && door.host().size(&partial).is_ok() {
            let (digest, size) = (self.part.digest.clone(), self.part.size);
            done.push(StoreOp::PutBlob { digest, path: partial, size }.into());
        }
        // What cannot be removed is in the trace, and swept at the next start.
        door.roll_back(done, &self.part.digest).await;
    }
}
