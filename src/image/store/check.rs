//! `learn system check`: the store held against its record, and mended where it can be.
//!
//! Looking changes nothing. Mending goes through the door like everything else: what no record
//! names is removed; a tree that is not what its blob says is unpacked again; an image whose blob
//! is damaged is taken out of the record, so that the next pull brings it back.

use super::super::digest;
use super::super::error::Error;
use super::super::travel::read_error;
use super::{Layer, Store};
use crate::kernel::{Payload, Received, TracedHost, Value};
use crate::op::{FsOp, StoreOp};
use crate::trace::{Note, Scope, facts};
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

/// What is wrong with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A blob that the record names is not there.
    BlobMissing,
    /// A blob's bytes do not have the digest that is its name.
    BlobCorrupt,
    /// A layer's directory is not there.
    TreeMissing,
    /// A layer's directory is not what its blob says; the first paths that differ.
    TreeDifferent(Vec<String>),
    /// A file or directory that no record names.
    Stray,
    /// A name whose image is not in the record.
    NameWithoutImage,
}

impl Damage {
    /// A stable word for it, a key of the client's texts.
    pub fn name(&self) -> &'static str {
        match self {
            Damage::BlobMissing => "blob-missing",
            Damage::BlobCorrupt => "blob-corrupt",
            Damage::TreeMissing => "tree-missing",
            Damage::TreeDifferent(_) => "tree-different",
            Damage::Stray => "stray",
            Damage::NameWithoutImage => "name-without-image",
        }
    }
}

/// One thing that is amiss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub damage: Damage,
    /// Digest, diff id, name or path.
    pub object: String,
    /// Whether it was mended.
    pub mended: bool,
}

/// What a check saw.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Layers looked at.
    pub layers: usize,
    /// Blobs hashed.
    pub blobs: usize,
    /// What is amiss.
    pub findings: Vec<Finding>,
}

impl Store {
    /// Looks at everything the record names, and at what it does not. `held` are diff ids that
    /// containers stand on: their trees are never touched.
    ///
    /// # Errors
    /// A store that cannot be read, or the disk's refusal while something is mended.
    pub async fn check(
        self: &Arc<Self>,
        door: &TracedHost,
        repair: bool,
        held: &[String],
    ) -> Result<Report, Error> {
        door.within(Scope::StoreCheck, self.root(), async |door: TracedHost| {
            let look = || async {
                let (store, reader) = (self.clone(), door.clone());
                let looked = tokio::task::spawn_blocking(move || store.look(&reader)).await;
                looked.map_err(|error| Error::Archive(error.to_string()))?
            };
            let mut report = look().await?;
            let damaged = report.findings.len();
            door.note(
                Note::StoreChecked,
                facts([("layers", &report.layers), ("blobs", &report.blobs), ("damaged", &damaged)]),
            );
            if repair {
                for finding in &mut report.findings {
                    finding.mended = self.mend(&door, finding, held).await?;
                }
                // An image that went leaves its documents to nobody.
                let strays = look().await?.findings;
                for stray in strays.iter().filter(|finding| matches!(finding.damage, Damage::Stray)) {
                    self.mend(&door, stray, held).await?;
                }
            }
            Ok(report)
        })
        .await
    }

    fn look(&self, door: &TracedHost) -> Result<Report, Error> {
        let index = self.state().index.clone();
        let mut report = Report::default();
        let mut find = |damage, object: &str| {
            report.findings.push(Finding { damage, object: object.to_owned(), mended: false });
        };
        for (name, id) in &index.references {
            if !index.images.contains_key(id) {
                find(Damage::NameWithoutImage, name);
            }
        }
        let blobs: BTreeSet<&str> = index.blobs().collect();
        let mut sound = BTreeSet::new();
        for blob in &blobs {
            match self.hash_blob(door, blob)? {
                None => find(Damage::BlobMissing, blob),
                Some(actual) if actual == **blob => drop(sound.insert(*blob)),
                Some(_) => find(Damage::BlobCorrupt, blob),
            }
        }
        for layer in index.layers.values() {
            let path = self.layer_path(&layer.diff_id);
            if door.host().list(&path).is_err() {
                find(Damage::TreeMissing, &layer.diff_id);
            } else if sound.contains(layer.digest.as_str()) {
                let blob = self.blob_path(&layer.digest);
                let different = door.host().compare_layer(&blob, &layer.media_type, &path);
                let different = different.map_err(|error| read_error(&path, &error))?;
                if !different.is_empty() {
                    find(Damage::TreeDifferent(different), &layer.diff_id);
                }
            }
        }
        let trees: BTreeSet<&str> = index.layers.keys().map(|id| digest::hex(id)).collect();
        let hexes: BTreeSet<&str> = blobs.iter().map(|blob| digest::hex(blob)).collect();
        for (folder, known) in [("layers", &trees), ("blobs/sha256", &hexes)] {
            for name in door.host().list(&format!("{}/{folder}", self.root())).unwrap_or_default() {
                // What a pull is making right now is no stray.
                if !known.contains(name.as_str()) && !name.contains(".new-") {
                    find(Damage::Stray, &format!("{folder}/{name}"));
                }
            }
        }
        report.layers = index.layers.len();
        report.blobs = blobs.len();
        Ok(report)
    }

    /// The digest a blob really has; `None` when it is not there.
    fn hash_blob(&self, door: &TracedHost, blob: &str) -> Result<Option<String>, Error> {
        let path = self.blob_path(blob);
        let Ok(mut file) = door.host().open(&path) else { return Ok(None) };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer).map_err(|error| read_error(&path, &error))? {
                0 => return Ok(Some(format!("sha256:{}", hex::encode(hash.finalize())))),
                count => hash.update(&buffer[..count]),
            }
        }
    }

    /// Mends one thing; `false` where that has to wait for a container to go.
    async fn mend(
        self: &Arc<Self>,
        door: &TracedHost,
        finding: &Finding,
        held: &[String],
    ) -> Result<bool, Error> {
        let object = finding.object.clone();
        match &finding.damage {
            Damage::NameWithoutImage => {
                self.replace(door, |state| state.index.references.remove(&object)).await?;
            }
            Damage::Stray => {
                let path = format!("{}/{object}", self.root());
                match object.starts_with("layers/") {
                    true => door.perform(FsOp::RemoveTree { path }).await?,
                    false => door.perform(FsOp::RemoveFile { path }).await?,
                };
            }
            Damage::BlobMissing | Damage::BlobCorrupt => self.disown_blob(door, &object, held).await?,
            Damage::TreeMissing | Damage::TreeDifferent(_) => {
                if held.contains(&object) {
                    return Ok(false);
                }
                self.unpack_again(door, &object).await?;
            }
        }
        Ok(true)
    }

    /// Takes every image that needs a blob out of the record, and the layer it is the bytes of.
    async fn disown_blob(&self, door: &TracedHost, blob: &str, held: &[String]) -> Result<(), Error> {
        let layers = self
            .replace(door, |state| {
                let index = &mut state.index;
                let of_blob: Vec<String> = index
                    .layers
                    .values()
                    .filter(|layer| layer.digest == blob)
                    .map(|layer| layer.diff_id.clone())
                    .collect();
                let lost: Vec<String> = index
                    .images
                    .iter()
                    .filter(|(id, entry)| {
                        *id == blob
                            || entry.manifest == blob
                            || entry.list.as_deref() == Some(blob)
                            || entry.layers.iter().any(|layer| of_blob.contains(layer))
                    })
                    .map(|(id, _)| id.clone())
                    .collect();
                let used: Vec<String> = lost
                    .iter()
                    .filter_map(|id| index.images.get(id))
                    .flat_map(|entry| entry.layers.clone())
                    .collect();
                index.images.retain(|id, _| !lost.contains(id));
                index.references.retain(|_, id| !lost.contains(id));
                state.configs.retain(|id, _| !lost.contains(id));
                used
            })
            .await?;
        for (_, ops) in self.release_layers(door, &layers, held).await? {
            for op in ops {
                door.perform(op).await?;
            }
        }
        let path = self.blob_path(blob);
        let needed = self.state().index.blobs().any(|used| used == blob);
        if !needed {
            door.perform(FsOp::RemoveFile { path }).await?;
        }
        Ok(())
    }

    /// Builds a layer's tree from its blob once more.
    async fn unpack_again(self: &Arc<Self>, door: &TracedHost, diff_id: &str) -> Result<(), Error> {
        let Some(layer) = self.layer(diff_id) else { return Ok(()) };
        let (blob, staging) = (self.blob_path(&layer.digest), self.ingest_path("tree"));
        let file = Received {
            name: String::new(),
            file: blob,
            digest: layer.digest.clone(),
            size: layer.size,
            link: None,
        };
        door.perform(FsOp::CreateDirectory { path: staging.clone(), mode: 0o755 }).await?;
        self.unpack_into(door, &layer, &file, &staging).await?;
        let path = self.layer_path(diff_id);
        door.perform(FsOp::RemoveTree { path: path.clone() }).await?;
        door.perform(FsOp::Rename { from: staging, to: path }).await?;
        Ok(())
    }

    async fn unpack_into(
        &self,
        door: &TracedHost,
        layer: &Layer,
        file: &Received,
        staging: &str,
    ) -> Result<(), Error> {
        let op = StoreOp::UnpackLayer {
            digest: layer.digest.clone(),
            blob: file.file.clone(),
            media_type: layer.media_type.clone(),
            directory: staging.to_owned(),
            limit: self.registry_config().unpack_limit,
        };
        let bytes = futures_util::stream::empty().boxed();
        let payload = Payload::Stream { offset: file.size, bytes, progress: Box::new(|_| {}) };
        match door.perform_with(op, payload).await?.value {
            Value::Unpacked(_) => Ok(()),
            _ => unreachable!("store.unpack-layer says what it unpacked"),
        }
    }
}
