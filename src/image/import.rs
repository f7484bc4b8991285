//! `docker import`: a tar of files becomes an image of one layer.

use super::changes;
use super::error::Error;
use super::load::part;
use super::manifest::read_config;
use super::platform::Platform;
use super::reference::Reference;
use super::store::{Arrival, Image, Kept, Layer, Store};
use crate::kernel::{ByteStream, TracedHost};
use crate::op::FsOp;
use crate::trace::Scope;
use crate::wire::ImageConfig;
use serde_json::json;
use std::sync::Arc;

/// What is made of a tar.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// The image's name; none leaves it without.
    pub name: Option<Reference>,
    /// What the history says.
    pub message: String,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// Whom it is for; this machine when it is not given.
    pub platform: Option<Platform>,
    /// Now, RFC 3339.
    pub created: String,
}

impl Store {
    /// Makes an image of a tar, compressed or not.
    ///
    /// # Errors
    /// A change that makes no sense, before a byte is read; what is no tar; the disk's refusal.
    pub async fn import(
        self: &Arc<Self>,
        door: &TracedHost,
        request: ImportRequest,
        bytes: ByteStream,
    ) -> Result<Image, Error> {
        let mut config = ImageConfig::default();
        changes::apply(&mut config, &request.changes)?;
        let about = request.name.as_ref().map_or_else(|| "<none>".to_owned(), ToString::to_string);
        door.within(Scope::ImageImport, about, async |door: TracedHost| {
            let file = self.receive(&door, "import", bytes).await?;
            let layer = self.ingest_layer(&door, &file, None).await;
            // Another image had the same tar, or it was none: the file was not moved away.
            if door.host().size(&file.file).is_ok() {
                self.forget(&door, FsOp::RemoveFile { path: file.file.clone() }).await;
            }
            let layer = layer.map_err(in_dockers_words)?;
            let _pin = self.pin(std::slice::from_ref(&layer.diff_id));
            let document = self.describe_import(&request, &config, &layer);
            self.make_image(&door, document, &[layer], request.name.as_slice()).await
        })
        .await
    }

    fn describe_import(
        &self,
        request: &ImportRequest,
        config: &ImageConfig,
        layer: &Layer,
    ) -> serde_json::Value {
        let platform = request.platform.as_ref().unwrap_or(self.platform());
        let comment = match request.message.as_str() {
            "" => "Imported from -",
            message => message,
        };
        let mut document = json!({
            "architecture": platform.architecture,
            "comment": comment,
            "config": config,
            "created": request.created,
            "history": [{ "created": request.created, "comment": comment }],
            "os": platform.os,
            "rootfs": { "type": "layers", "diff_ids": [layer.diff_id] },
        });
        if !platform.variant.is_empty() {
            document["variant"] = platform.variant.clone().into();
        }
        document
    }

    /// Records an image that was made here: its configuration as JSON, its layers in the store.
    ///
    /// # Errors
    /// A configuration that is none, or the disk's refusal.
    pub async fn make_image(
        &self,
        door: &TracedHost,
        document: serde_json::Value,
        layers: &[Layer],
        names: &[Reference],
    ) -> Result<Image, Error> {
        let bytes = serde_json::to_vec(&document).unwrap_or_default();
        let digest = super::digest::of(&bytes);
        let parsed = read_config(&bytes, layers.len(), &digest)?;
        let config = Kept { digest: digest.clone(), bytes: bytes.into() };
        let manifest = Store::make_manifest(&config, &layers.iter().map(part).collect::<Vec<_>>());
        let about = names.first().map_or(digest, ToString::to_string);
        door.within(Scope::ImageCommit, about, async |door: TracedHost| {
            self.commit(&door, Arrival { config, parsed, manifest, list: None }, names).await
        })
        .await
    }
}

/// Docker blames its own helper program for what is no tar, in Go's words.
pub(super) fn in_dockers_words(error: Error) -> Error {
    match error {
        Error::Op(failed) if failed.fault.message.starts_with("malformed layer: ") => {
            let why = failed.fault.message.trim_start_matches("malformed layer: ");
            Error::Tar(match why {
                cut if cut.contains("ends within") => "unexpected EOF".into(),
                header if header.contains("header") => "archive/tar: invalid tar header".into(),
                other => other.to_owned(),
            })
        }
        error => error,
    }
}
