//! Layers that come from elsewhere than a registry: an archive, an import, a commit, a build.

use super::error::Error;
use super::manifest;
use super::pull::verify;
use super::store::{Layer, Store};
use super::travel::read_error;
use crate::kernel::{OpError, Payload, Received, TracedHost, Value};
use crate::op::{FsOp, StoreOp};
use crate::trace::{Note, Scope, facts};
use futures_util::StreamExt;
use rand::RngExt;
use std::io::Read;
use std::sync::Arc;

impl Store {
    /// A new name below `ingest/`; whatever is left there of it is swept away at the next start.
    pub fn ingest_path(&self, what: &str) -> String {
        format!("{}/ingest/{what}.new-{:016x}", self.root(), rand::rng().random::<u64>())
    }

    /// Takes in a layer whose bytes are in a file already, hashed: unpacks it, and moves file and
    /// tree into the store. A layer that is here under the same diff id is not unpacked again;
    /// the file is then left where it is. `diff_id` is what the tar's digest has to be, where it
    /// is known before.
    ///
    /// # Errors
    /// A malformed layer, one that is not what `diff_id` promises, the disk's refusal. Nothing of
    /// it stays in the store.
    pub async fn ingest_layer(
        self: &Arc<Self>,
        door: &TracedHost,
        file: &Received,
        diff_id: Option<&str>,
    ) -> Result<Layer, Error> {
        let about = file.digest.clone();
        if let Some(layer) = diff_id.and_then(|diff_id| self.layer(diff_id)) {
            door.note(Note::LayerExists, facts([("digest", &about), ("diff-id", &layer.diff_id)]));
            return Ok(layer);
        }
        let media_type = self.magic(door, file)?;
        door.within(Scope::LayerUnpack, about, async |door: TracedHost| {
            let staging = self.ingest_path("tree");
            let made = FsOp::CreateDirectory { path: staging.clone(), mode: 0o755 };
            door.perform(made.clone()).await?;
            match self.unpack_file(&door, file, diff_id, media_type, &staging).await {
                Ok(layer) => Ok(layer),
                Err(error) => {
                    // What cannot be removed is in the trace, and swept at the next start.
                    door.roll_back(vec![made.into()], &file.digest).await;
                    Err(error)
                }
            }
        })
        .await
    }

    async fn unpack_file(
        self: &Arc<Self>,
        door: &TracedHost,
        file: &Received,
        diff_id: Option<&str>,
        media_type: &str,
        staging: &str,
    ) -> Result<Layer, Error> {
        let op = StoreOp::UnpackLayer {
            digest: file.digest.clone(),
            blob: file.file.clone(),
            media_type: media_type.to_owned(),
            directory: staging.to_owned(),
            limit: self.registry_config().unpack_limit,
        };
        // Every byte is here: the stream that would bring more is empty.
        let bytes = futures_util::stream::empty().boxed();
        let payload = Payload::Stream { offset: file.size, bytes, progress: Box::new(|_| {}) };
        let Value::Unpacked(unpacked) = door.perform_with(op, payload).await?.value else {
            unreachable!("store.unpack-layer says what it unpacked")
        };
        if let Some(diff_id) = diff_id {
            verify(door, "diff-id", diff_id, &unpacked.diff_id).await?;
        }
        let layer = Layer {
            diff_id: unpacked.diff_id,
            digest: file.digest.clone(),
            media_type: media_type.to_owned(),
            size: unpacked.size,
            unpacked: unpacked.inflated,
            content: Some(unpacked.content),
        };
        self.adopt_layer(door, layer.clone(), &file.file, staging).await?;
        Ok(layer)
    }

    fn magic(&self, door: &TracedHost, file: &Received) -> Result<&'static str, Error> {
        let mut head = Vec::new();
        let opened = door.host().open(&file.file);
        let read = opened.and_then(|reader| reader.take(4).read_to_end(&mut head));
        read.map_err(|error| read_error(&file.file, &error))?;
        Ok(manifest::layer_type(&head))
    }

    /// Keeps a file that a client sends, hashed on the way.
    ///
    /// # Errors
    /// A client that goes away, the disk's refusal; nothing is left then.
    pub async fn receive(
        &self,
        door: &TracedHost,
        what: &str,
        bytes: crate::kernel::ByteStream,
    ) -> Result<Received, Error> {
        let path = self.ingest_path(what);
        let op = StoreOp::ReceiveBlob { path: path.clone(), limit: self.registry_config().unpack_limit };
        match door.perform_with(op, Payload::Incoming(bytes)).await {
            Ok(outcome) => match outcome.value {
                Value::Received(all) => all.into_iter().next().ok_or(Error::NotFound(path)),
                _ => unreachable!("store.receive-blob says what it received"),
            },
            Err(error) => {
                self.forget(door, FsOp::RemoveFile { path }).await;
                Err(error.into())
            }
        }
    }

    /// Removes what lies below `ingest/` and is not needed any more. A failure is in the trace,
    /// and the next start sweeps.
    pub(super) async fn forget(&self, door: &TracedHost, op: FsOp) {
        let _: Result<_, OpError> = door.perform(op).await;
    }
}
