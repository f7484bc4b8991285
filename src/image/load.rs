//! `docker load`: images out of an archive.

use super::archive::read::{Archive, Found};
use super::error::Error;
use super::import::in_dockers_words;
use super::manifest::{Part, read_config};
use super::platform::Platform;
use super::store::{Arrival, Image, Kept, Layer, Store};
use crate::kernel::{ByteStream, Payload, Received, TracedHost, Value};
use crate::op::{FsOp, StoreOp};
use crate::trace::{Note, Scope, facts};
use std::sync::Arc;

/// What a load has to say while it works.
#[derive(Clone, Debug)]
pub enum LoadEvent {
    /// A layer begins.
    Layer {
        /// Diff id.
        diff_id: String,
        /// Bytes of it that are unpacked.
        current: u64,
        /// Bytes in all.
        total: u64,
    },
    /// An image is in the store under this name.
    Loaded(String),
    /// An image is in the store, without a name.
    LoadedId(String),
}

impl Store {
    /// Takes in every image of an archive; of images for several platforms the one for
    /// `platform`, else this machine's.
    ///
    /// # Errors
    /// What is no archive of images; a layer or document that is not what its digest promises;
    /// the disk's refusal. Images before the one that failed stay.
    pub async fn load(
        self: &Arc<Self>,
        door: &TracedHost,
        bytes: ByteStream,
        platform: Option<Platform>,
        progress: impl Fn(LoadEvent) + Send + Sync,
    ) -> Result<Vec<Image>, Error> {
        let directory = self.ingest_path("load");
        let platform = platform.unwrap_or_else(|| self.platform().clone());
        let result = door
            .within(Scope::ImageLoad, "archive", async |door: TracedHost| {
                let limit = self.registry_config().unpack_limit;
                let op = StoreOp::ReceiveArchive { directory: directory.clone(), limit };
                let outcome = door.perform_with(op, Payload::Incoming(bytes)).await;
                let received = match outcome.map_err(|error| in_dockers_words(error.into()))?.value {
                    Value::Received(received) => received,
                    _ => unreachable!("store.receive-archive says what it received"),
                };
                let archive = Archive::new(&door, &received);
                let (format, found) = archive.images(&platform)?;
                door.note(Note::ArchiveFormat, facts([("format", &format.name()), ("images", &found.len())]));
                let mut images = Vec::new();
                for one in found {
                    images.push(self.load_one(&door, &archive, one, &progress).await?);
                }
                Ok(images)
            })
            .await;
        self.forget(door, FsOp::RemoveTree { path: directory }).await;
        result
    }

    async fn load_one(
        self: &Arc<Self>,
        door: &TracedHost,
        archive: &Archive<'_>,
        found: Found,
        progress: &(dyn Fn(LoadEvent) + Send + Sync),
    ) -> Result<Image, Error> {
        let bytes = archive.bytes(&found.config)?;
        let id = found.config.digest.clone();
        let of = found.names.first().map_or_else(|| id.clone(), |name| name.familiar());
        let parsed = read_config(&bytes, found.layers.len(), &of)?;
        let diff_ids = parsed.rootfs().diff_ids().clone();
        let _pin = self.pin(&diff_ids);
        let mut layers = Vec::new();
        for (file, diff_id) in found.layers.iter().zip(&diff_ids) {
            layers.push(self.load_layer(door, file, diff_id, progress).await?);
        }
        let config = Kept { digest: id.clone(), bytes: bytes.into() };
        let manifest = match found.manifest {
            Some(bytes) => Kept { digest: super::digest::of(&bytes), bytes: bytes.into() },
            None => Store::make_manifest(&config, &layers.iter().map(part).collect::<Vec<_>>()),
        };
        let about = found.names.first().map_or(id, ToString::to_string);
        let image = door
            .within(Scope::ImageCommit, about, async |door: TracedHost| {
                let arrival = Arrival { config, parsed, manifest, list: None };
                self.commit(&door, arrival, &found.names).await
            })
            .await?;
        match found.names.is_empty() {
            true => progress(LoadEvent::LoadedId(image.id.clone())),
            false => found.names.iter().for_each(|name| progress(LoadEvent::Loaded(name.familiar()))),
        }
        Ok(image)
    }

    async fn load_layer(
        self: &Arc<Self>,
        door: &TracedHost,
        file: &Received,
        diff_id: &str,
        progress: &(dyn Fn(LoadEvent) + Send + Sync),
    ) -> Result<Layer, Error> {
        let known = self.layer(diff_id).is_some();
        let told = |current| LoadEvent::Layer { diff_id: diff_id.to_owned(), current, total: file.size };
        if !known {
            progress(told(0));
        }
        let layer = self.ingest_layer(door, file, Some(diff_id)).await?;
        if !known {
            progress(told(file.size));
        }
        Ok(layer)
    }
}

/// A layer of the store as a part of a manifest.
pub(super) fn part(layer: &Layer) -> Part {
    Part { digest: layer.digest.clone(), size: layer.size, media_type: layer.media_type.clone() }
}
