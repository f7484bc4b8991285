//! Images made here: a layer packed from a directory, a configuration and a manifest around it.

use super::error::Error;
use super::reference::Reference;
use super::store::{Arrival, Image, Kept, Layer, Store};
use super::{digest, manifest};
use crate::kernel::tree::TreeWork;
use crate::kernel::{Payload, TracedHost, Unpacked, Value};
use crate::op::{FsOp, Op, StoreOp};
use crate::trace::Scope;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Docker's media types of what is written here.
const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// One line of an image's history.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// RFC 3339.
    pub created: String,
    /// What made it.
    pub created_by: String,
    /// Who.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// An image about to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The image it is made from; empty for none.
    pub parent: String,
    /// How it was made.
    pub step: Step,
    /// What containers inherit: Docker's `Config`.
    pub config: Json,
    /// Id and configuration of the container it was.
    pub container: Option<(String, Json)>,
    /// What it adds; `None` when nothing.
    pub layer: Option<Layer>,
}

impl Store {
    /// Packs a directory that overlayfs writes to into a layer of the store, about which the scope
    /// is opened; `None` when there is nothing in it. Paths in `empty` are left out when nothing
    /// is in them.
    ///
    /// # Errors
    /// When a file cannot be read or written; nothing is left then.
    pub async fn pack(
        self: &Arc<Self>,
        door: &TracedHost,
        directory: &str,
        empty: &[String],
        about: &str,
    ) -> Result<Option<Layer>, Error> {
        door.within(Scope::LayerPack, about, async |door: TracedHost| {
            // A name the store does not know: what a killed daemon leaves is swept at the next start.
            let blob = format!("{}/blobs/sha256/packing-{about}", self.root());
            let op = StoreOp::PackLayer { directory: directory.to_owned(), blob: blob.clone() };
            let done: Vec<Op> = vec![op.clone().into()];
            let result = async {
                let payload = Payload::Tree(TreeWork::Pack(empty.to_vec()));
                let Value::Unpacked(packed) = door.perform_with(op, payload).await?.value else {
                    unreachable!("store.pack-layer says what it packed")
                };
                if packed.entries == 0 {
                    door.perform(FsOp::RemoveFile { path: blob.clone() }).await?;
                    return Ok(None);
                }
                self.take_in(&door, &blob, packed).await.map(Some)
            };
            match result.await {
                Ok(layer) => Ok(layer),
                Err(error) => {
                    // What cannot be undone is in the trace, and swept at the next start.
                    let _ = door.roll_back(done, about).await;
                    Err(error)
                }
            }
        })
        .await
    }

    /// Unpacks a packed layer as every layer is, which proves that its digests are right.
    async fn take_in(
        self: &Arc<Self>,
        door: &TracedHost,
        blob: &str,
        packed: Unpacked,
    ) -> Result<Layer, Error> {
        let layer = Layer {
            diff_id: packed.diff_id.clone(),
            digest: packed.digest.clone(),
            media_type: LAYER_TYPE.to_owned(),
            size: packed.size,
            unpacked: packed.inflated,
        };
        if let Some(known) = self.layer(&layer.diff_id) {
            door.perform(FsOp::RemoveFile { path: blob.to_owned() }).await?;
            return Ok(known);
        }
        let partial = self.partial_path(&layer.digest);
        door.perform(FsOp::Rename { from: blob.to_owned(), to: partial.clone() }).await?;
        let staging = format!("{}.new-packed", self.layer_path(&layer.diff_id));
        let make = FsOp::CreateDirectory { path: staging.clone(), mode: 0o755 };
        let op = StoreOp::UnpackLayer {
            digest: layer.digest.clone(),
            blob: partial.clone(),
            media_type: layer.media_type.clone(),
            directory: staging.clone(),
            limit: u64::MAX,
        };
        // All of it is there already; no more comes.
        let nothing = stream::iter([Ok(Bytes::new())]).boxed();
        let payload = Payload::Stream { offset: layer.size, bytes: nothing, progress: Box::new(|_| {}) };
        let done: Vec<Op> = vec![
            StoreOp::PackLayer { directory: staging.clone(), blob: partial }.into(),
            make.clone().into(),
        ];
        let result = async {
            door.perform(make).await?;
            let Value::Unpacked(unpacked) = door.perform_with(op, payload).await?.value else {
                unreachable!("store.unpack-layer says what it unpacked")
            };
            if unpacked.diff_id != layer.diff_id {
                return Err(Error::corrupt("filesystem layer", &layer.diff_id, &unpacked.diff_id));
            }
            self.adopt_layer(door, layer.clone(), &staging).await
        };
        if let Err(error) = result.await {
            let _ = door.roll_back(done, &layer.digest).await;
            return Err(error);
        }
        Ok(layer)
    }

    /// Makes an image and binds a name to it.
    ///
    /// # Errors
    /// The parent is gone; a file cannot be written.
    pub async fn make(
        self: &Arc<Self>,
        door: &TracedHost,
        draft: Draft,
        name: Option<&Reference>,
    ) -> Result<Image, Error> {
        let parent = match draft.parent.as_str() {
            "" => None,
            id => Some(self.get_id(id).ok_or_else(|| Error::NotFound(id.to_owned()))?),
        };
        let mut layers: Vec<Layer> = parent.iter().flat_map(|parent| parent.layers.clone()).collect();
        layers.extend(draft.layer.clone());
        let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let _held = self.pin(&diff_ids);
        let config = config_json(self, door, &draft, parent.as_ref(), &diff_ids)?;
        let config = Kept { digest: digest::of(&config), bytes: config.into() };
        let listed = |media_type: &str, size: u64, digest: &str| json!({ "mediaType": media_type, "size": size, "digest": digest });
        let described: Vec<Json> =
            layers.iter().map(|layer| listed(&layer.media_type, layer.size, &layer.digest)).collect();
        let document = json!({
            "schemaVersion": 2,
            "mediaType": manifest::DOCKER_MANIFEST,
            "config": listed(CONFIG_TYPE, config.bytes.len() as u64, &config.digest),
            "layers": described,
        });
        let bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
        let parsed = manifest::read_config(&config.bytes, layers.len(), "the new image")?;
        let manifest = Kept { digest: digest::of(&bytes), bytes: bytes.into() };
        let arrival = Arrival { config, parsed, manifest, list: None };
        let names: Vec<Reference> = name.into_iter().cloned().collect();
        self.commit(door, arrival, &names).await
    }
}

/// The configuration document: the parent's history and layers, and one step more.
fn config_json(
    store: &Store,
    door: &TracedHost,
    draft: &Draft,
    parent: Option<&Image>,
    diff_ids: &[String],
) -> Result<Vec<u8>, Error> {
    let before: Json = match parent {
        None => Json::Null,
        Some(parent) => {
            let path = store.blob_path(&parent.id);
            let read = |reason: String| Error::Read { path: path.clone(), reason };
            let bytes = door.host().read(&path).map_err(|error| read(error.to_string()))?;
            serde_json::from_slice(&bytes).map_err(|error| read(error.to_string()))?
        }
    };
    let step = &draft.step;
    let mut history = before["history"].as_array().cloned().unwrap_or_default();
    let mut line = json!({ "created": step.created, "created_by": step.created_by });
    let told = [("author", &step.author), ("comment", &step.comment)];
    for (key, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
        line[key] = json!(value);
    }
    if draft.layer.is_none() {
        line["empty_layer"] = json!(true);
    }
    history.push(line);
    let platform = store.platform();
    let mut document = json!({
        "architecture": before["architecture"].as_str().unwrap_or(&platform.architecture),
        "os": before["os"].as_str().unwrap_or(&platform.os),
        "created": step.created,
        "config": draft.config,
        "history": history,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    if let Some(variant) = before["variant"].as_str() {
        document["variant"] = json!(variant);
    }
    if !step.author.is_empty() {
        document["author"] = json!(step.author);
    }
    if let Some((id, config)) = &draft.container {
        document["container"] = json!(id);
        document["container_config"] = config.clone();
    }
    if !draft.parent.is_empty() {
        // Not part of the specification: how this store remembers what an image was made from.
        document["parent"] = json!(draft.parent);
    }
    Ok(serde_json::to_vec(&document).unwrap_or_default())
}
