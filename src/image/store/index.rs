//! `images.json`: the record of names, images and layers.

use super::super::error::Error;
use super::super::reference::Reference;
use super::{State, Store};
use crate::kernel::{OpError, Payload, TracedHost};
use crate::op::{FsOp, WriteReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format's number; another one is not guessed at.
const VERSION: u32 = 1;

/// The whole record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
    /// Canonical name (with tag, or with digest) → image id.
    pub references: BTreeMap<String, String>,
    /// Image id → what it is made of.
    pub images: BTreeMap<String, Entry>,
    /// Diff id → an unpacked layer.
    pub layers: BTreeMap<String, Layer>,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Entry {
    /// Digest of the manifest.
    pub manifest: String,
    /// Digest of the list the manifest was chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Diff ids, lowest first.
    pub layers: Vec<String>,
    /// From the configuration.
    #[serde(default)]
    pub created: String,
}

/// One unpacked layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Layer {
    /// `sha256:<hex>` of the tar.
    pub diff_id: String,
    /// `sha256:<hex>` of the compressed bytes.
    pub digest: String,
    /// Names the compression.
    pub media_type: String,
    /// Compressed bytes.
    pub size: u64,
    /// Bytes of the tar.
    pub unpacked: u64,
    /// Bytes of the files in it; records of older engines do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<u64>,
}

impl Layer {
    /// What the layer adds to an image's size, as Docker counts: files, without the tar around
    /// them.
    pub fn bytes(&self) -> u64 {
        self.content.unwrap_or(self.unpacked)
    }
}

impl Default for Index {
    fn default() -> Self {
        Index {
            version: VERSION,
            references: BTreeMap::new(),
            images: BTreeMap::new(),
            layers: BTreeMap::new(),
        }
    }
}

impl Index {
    /// Reads the record; `path` is for the error.
    pub fn parse(bytes: &[u8], path: &str) -> Result<Index, Error> {
        let malformed =
            |line, expected, reason| Error::Index { path: path.to_owned(), line, expected, reason };
        let index: Index = serde_json::from_slice(bytes).map_err(|error| {
            let expected = "an object with version, references, images and layers";
            malformed(error.line(), expected, error.to_string())
        })?;
        if index.version != VERSION {
            return Err(malformed(1, "version 1", format!("version {}", index.version)));
        }
        Ok(index)
    }

    /// The image a name stands for; a digest counts more than the tag beside it.
    pub fn id_of(&self, reference: &Reference) -> Option<&String> {
        let key = reference
            .digest()
            .map_or_else(|| reference.to_string(), |digest| reference.at(digest).to_string());
        self.references.get(&key)
    }

    /// All names of an image, sorted.
    pub fn names_of(&self, id: &str) -> Vec<Reference> {
        let names = self.references.iter().filter(|(_, target)| *target == id);
        names.filter_map(|(name, _)| name.parse().ok()).collect()
    }

    /// Digests of every blob the record needs.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        let images = self.images.iter().flat_map(|(id, entry)| {
            [Some(id.as_str()), Some(entry.manifest.as_str()), entry.list.as_deref()].into_iter().flatten()
        });
        images.chain(self.layers.values().map(|layer| layer.digest.as_str()))
    }
}

impl Store {
    /// Replaces the record by what `change` makes of it: on the disk first, then in memory.
    /// `change` also sees the configurations; it must not fail.
    pub(super) async fn replace<T>(
        &self,
        door: &TracedHost,
        change: impl FnOnce(&mut State) -> T,
    ) -> Result<T, OpError> {
        let _turn = self.writing.lock().await;
        let mut next = {
            let state = self.state();
            State { index: state.index.clone(), configs: state.configs.clone() }
        };
        let value = change(&mut next);
        let unchanged = self.state().index == next.index;
        if !unchanged {
            let mut text = serde_json::to_vec_pretty(&next.index).unwrap_or_default();
            text.push(b'\n');
            let op = FsOp::WriteFile {
                path: format!("{}/images.json", self.root),
                value: "{…".into(),
                why: WriteReason::Store,
            };
            door.perform_with(op, Payload::Bytes(text.into())).await?;
        }
        *self.state() = next;
        Ok(value)
    }
}
