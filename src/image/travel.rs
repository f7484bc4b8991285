//! An image as it travels: the documents and blobs that a registry or an archive gets.

use super::digest;
use super::error::Error;
use super::manifest::{self, DOCKER_CONFIG, Document, Part};
use super::store::{Image, Kept, Store};
use crate::kernel::TracedHost;

/// Everything an image is made of outside of this store.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The manifest: the registry's own, byte for byte, where every blob it names is here.
    pub manifest: Vec<u8>,
    /// What the manifest says it is.
    pub media_type: String,
    /// The configuration's blob.
    pub config: Part,
    /// Compressed layers, lowest first.
    pub layers: Vec<Part>,
    /// Digests of the tars inside, lowest first.
    pub diff_ids: Vec<String>,
}

impl Parcel {
    /// The manifest's digest.
    pub fn digest(&self) -> String {
        digest::of(&self.manifest)
    }

    /// The manifest as a part of a list.
    pub fn part(&self) -> Part {
        let size = self.manifest.len() as u64;
        Part { digest: self.digest(), size, media_type: self.media_type.clone() }
    }

    /// Every blob, each once: the configuration, then layers from the lowest up.
    pub fn blobs(&self) -> Vec<&Part> {
        let mut blobs: Vec<&Part> = Vec::new();
        for part in std::iter::once(&self.config).chain(&self.layers) {
            if blobs.iter().all(|other| other.digest != part.digest) {
                blobs.push(part);
            }
        }
        blobs
    }
}

impl Store {
    /// Makes an image ready to travel. Layers that came under another digest than its manifest
    /// names (a second image had the same files, packed otherwise) get a manifest that names what
    /// is here.
    ///
    /// # Errors
    /// When a document of the store is missing or malformed.
    pub fn parcel(&self, door: &TracedHost, image: &Image) -> Result<Parcel, Error> {
        let path = self.blob_path(&image.manifest);
        let bytes = door.host().read(&path).map_err(|error| read_error(&path, &error))?;
        let Document::Manifest(own) = Document::parse(&bytes, "", &image.id)? else {
            let reason = "a list of manifests in the place of one".to_owned();
            return Err(Error::Read { path, reason });
        };
        let diff_ids: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let here = |part: &Part| door.host().size(&self.blob_path(&part.digest)).is_ok();
        if own.layers.iter().all(here) {
            let media_type = manifest::media_type(&bytes);
            return Ok(Parcel {
                manifest: bytes,
                media_type,
                config: own.config,
                layers: own.layers,
                diff_ids,
            });
        }
        let layers: Vec<Part> = image
            .layers
            .iter()
            .map(|layer| Part {
                digest: layer.digest.clone(),
                size: layer.size,
                media_type: layer.media_type.clone(),
            })
            .collect();
        let manifest = manifest::write(&own.config, &layers);
        let media_type = manifest::media_type(&manifest);
        Ok(Parcel { manifest, media_type, config: own.config, layers, diff_ids })
    }

    /// A manifest of this engine's own for a configuration and its layers.
    pub(super) fn make_manifest(config: &Kept, layers: &[Part]) -> Kept {
        let size = config.bytes.len() as u64;
        let part = Part { digest: config.digest.clone(), size, media_type: DOCKER_CONFIG.into() };
        let bytes = manifest::write(&part, layers);
        Kept { digest: digest::of(&bytes), bytes: bytes.into() }
    }
}

pub(super) fn read_error(path: &str, error: &std::io::Error) -> Error {
    Error::Read { path: path.to_owned(), reason: error.to_string() }
}
