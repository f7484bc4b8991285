//! From a file tree to the four blobs of an OCI image: layer, config, manifest, index.
//!
//! Everything here is a pure function of its input. Times are fixed, so the same tree gives the
//! same digests on every machine and on every run.
//!
//! ```text
//! index ──▶ manifest ──▶ config   (diff id: SHA-256 of the layer before gzip)
//!                  └───▶ layer    (digest:  SHA-256 of the layer after gzip)
//! ```

use std::collections::HashMap;
use std::io::{self, Write};
use std::str::FromStr;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, Digest, HistoryBuilder, ImageConfigurationBuilder, ImageIndexBuilder,
    ImageManifestBuilder, MediaType, Os, PlatformBuilder, RootFsBuilder, Sha256Digest,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::tree::Tree;

/// The label that tells an image of the built-in hub from one of Docker Hub.
pub const LABEL: &str = "learn.hub";

/// The value of [`LABEL`].
pub const LABEL_VALUE: &str = "builtin";

/// Where programs are looked for inside the images, as Docker's own base images have it.
pub const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// [`super::tree::MADE_AT`] as RFC 3339 writes it.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// What an image is made from.
#[derive(Debug, Clone)]
pub struct Recipe<'a> {
    /// The only layer.
    pub tree: &'a Tree,
    /// `Cmd`: the program and its arguments, when the user names none.
    pub command: &'a [&'a str],
    /// How the layer came about; shown by `history`.
    pub origin: &'a str,
}

/// Bytes with the name they are asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What the bytes are.
    pub media_type: MediaType,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes, exactly as they travel.
    pub bytes: Bytes,
}

/// The four blobs of an image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Platforms and their manifests; here it lists one.
    pub index: Blob,
    /// Points to config and layer.
    pub manifest: Blob,
    /// Platform, command, environment, history.
    pub config: Blob,
    /// The files: tar, gzip.
    pub layer: Blob,
}

/// An image that could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tree does not fit into a tar archive.
    #[error("cannot write the image's layer: {0}")]
    Layer(#[from] io::Error),
    /// A value breaks the image specification.
    #[error("cannot describe the image: {0}")]
    Description(#[from] OciSpecError),
    /// A description does not become JSON.
    #[error("cannot write the image's description as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Image {
    /// Builds all four blobs, for the processor `learn` was built for.
    ///
    /// # Errors
    /// [`Error::Layer`] when a path does not fit a tar header. The other two variants would be
    /// mistakes of this module.
    pub fn build(recipe: &Recipe) -> Result<Self, Error> {
        let (layer, diff_id) = layer(recipe.tree)?;
        let config = config(recipe, &diff_id)?;
        let manifest = manifest(&config, &layer)?;
        let index = index(&manifest)?;
        Ok(Self { index, manifest, config, layer })
    }
}

impl Blob {
    fn new(media_type: MediaType, bytes: Vec<u8>) -> Result<Self, Error> {
        let digest = digest(Sha256::digest(&bytes).as_slice())?;
        Ok(Self { media_type, digest, bytes: bytes.into() })
    }

    fn json(media_type: MediaType, value: &impl Serialize) -> Result<Self, Error> {
        Self::new(media_type, serde_json::to_vec(value)?)
    }

    fn descriptor(&self) -> Descriptor {
        let size = self.bytes.len() as u64;
        Descriptor::new(self.media_type.clone(), size, self.digest.clone())
    }
}

/// The processor `learn` was built for, as images name it. The build script refuses all others.
pub fn architecture() -> Arch {
    if cfg!(target_arch = "aarch64") { Arch::ARM64 } else { Arch::Amd64 }
}

/// The compressed layer and its diff id. The plain tar exists only as it streams by.
fn layer(tree: &Tree) -> Result<(Blob, Digest), Error> {
    // flate2's gzip header has no time and no file name unless told so.
    let gzip = GzEncoder::new(Vec::new(), Compression::default());
    let Hashing { sha, sink } = tree.write_tar(Hashing { sha: Sha256::new(), sink: gzip })?;
    let diff_id = digest(sha.finalize().as_slice())?;
    Ok((Blob::new(MediaType::ImageLayerGzip, sink.finish()?)?, diff_id))
}

fn config(recipe: &Recipe, diff_id: &Digest) -> Result<Blob, Error> {
    let command: Vec<String> = recipe.command.iter().map(|word| (*word).to_owned()).collect();
    let quoted = serde_json::to_string(&command)?;
    // One label only: the specification's map has no order, a digest needs one.
    let labels = HashMap::from([(LABEL.to_owned(), LABEL_VALUE.to_owned())]);
    let execution = ConfigBuilder::default()
        .env([PATH.to_owned()])
        .cmd(command)
        .working_dir("/")
        .labels(labels)
        .build()?;
    let made = HistoryBuilder::default().created(CREATED).created_by(recipe.origin).build()?;
    let set_command = HistoryBuilder::default()
        .created(CREATED)
        .created_by(format!("CMD {quoted}"))
        .empty_layer(true)
        .build()?;
    let mut builder = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(architecture())
        .os(Os::Linux)
        .config(execution)
        .rootfs(RootFsBuilder::default().typ("layers").diff_ids([diff_id.to_string()]).build()?)
        .history([made, set_command]);
    if let Some(variant) = variant() {
        builder = builder.variant(variant);
    }
    Blob::json(MediaType::ImageConfig, &builder.build()?)
}

fn manifest(config: &Blob, layer: &Blob) -> Result<Blob, Error> {
    let manifest = ImageManifestBuilder::default()
        .schema_version(2u32)
        .media_type(MediaType::ImageManifest)
        .config(config.descriptor())
        .layers([layer.descriptor()])
        .build()?;
    Blob::json(MediaType::ImageManifest, &manifest)
}

fn index(manifest: &Blob) -> Result<Blob, Error> {
    let mut platform = PlatformBuilder::default().architecture(architecture()).os(Os::Linux);
    if let Some(variant) = variant() {
        platform = platform.variant(variant);
    }
    let mut entry = manifest.descriptor();
    entry.set_platform(Some(platform.build()?));
    let index = ImageIndexBuilder::default()
        .schema_version(2u32)
        .media_type(MediaType::ImageIndex)
        .manifests([entry])
        .build()?;
    Blob::json(MediaType::ImageIndex, &index)
}

/// The variant that goes with [`architecture`] (image-spec `image-index.md`, "Platform Variants").
fn variant() -> Option<&'static str> {
    cfg!(target_arch = "aarch64").then_some("v8")
}

fn digest(sha256: &[u8]) -> Result<Digest, Error> {
    Ok(Sha256Digest::from_str(&hex::encode(sha256))?.into())
}

/// Passes bytes on and hashes them on the way.
struct Hashing<W> {
    sha: Sha256,
    sink: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(bytes)?;
        self.sha.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
