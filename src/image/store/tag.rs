//! Names: given by a pull, and by `tag`.

use super::super::error::Error;
use super::super::reference::Reference;
use super::index::Entry;
use super::{Image, Store};
use crate::kernel::{Payload, TracedHost};
use crate::op::StoreOp;
use bytes::Bytes;
use oci_spec::image::ImageConfiguration;
use std::sync::Arc;

/// A document that becomes a blob.
#[derive(Clone, Debug)]
pub(in crate::image) struct Kept {
    pub digest: String,
    pub bytes: Bytes,
}

/// A pulled image, all its layers unpacked.
#[derive(Debug)]
pub(in crate::image) struct Arrival {
    pub config: Kept,
    pub parsed: ImageConfiguration,
    pub manifest: Kept,
    pub list: Option<Kept>,
}

impl Store {
    /// Records an image under its names: its documents first, the record last.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(in crate::image) async fn commit(
        &self,
        door: &TracedHost,
        arrival: Arrival,
        names: &[Reference],
    ) -> Result<Image, Error> {
        let Arrival { config, parsed, manifest, list } = arrival;
        for kept in list.iter().chain([&manifest, &config]) {
            self.keep(door, kept).await?;
        }
        let id = config.digest.clone();
        let entry = Entry {
            manifest: manifest.digest,
            list: list.map(|list| list.digest),
            layers: parsed.rootfs().diff_ids().clone(),
            created: parsed.created().clone().unwrap_or_default(),
        };
        let image = self.replace(door, |state| {
            state.index.images.insert(id.clone(), entry);
            state.configs.insert(id.clone(), Arc::new(parsed));
            for name in names {
                state.index.references.insert(name.to_string(), id.clone());
            }
            state.image(&id)
        });
        image.await?.ok_or(Error::NotFound(id))
    }

    /// Gives an image another name; a name that stood for another image moves.
    ///
    /// # Errors
    /// When there is no such image, or the name is a digest.
    pub async fn tag(&self, door: &TracedHost, image: &str, name: &Reference) -> Result<(), Error> {
        if name.digest().is_some() {
            return Err(Error::TagIsDigest);
        }
        let id = self.find(image)?.id;
        self.name(door, &id, std::slice::from_ref(name)).await
    }

    /// Binds names to an image that is there.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(in crate::image) async fn name(
        &self,
        door: &TracedHost,
        id: &str,
        names: &[Reference],
    ) -> Result<(), Error> {
        self.replace(door, |state| {
            for name in names {
                state.index.references.insert(name.to_string(), id.to_owned());
            }
        })
        .await?;
        Ok(())
    }

    async fn keep(&self, door: &TracedHost, kept: &Kept) -> Result<(), Error> {
        let path = self.blob_path(&kept.digest);
        if door.host().size(&path).is_ok() {
            return Ok(());
        }
        let op = StoreOp::PutBlob { digest: kept.digest.clone(), path, size: kept.bytes.len() as u64 };
        door.perform_with(op, Payload::Bytes(kept.bytes.clone())).await?;
        Ok(())
    }
}
