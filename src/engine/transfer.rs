//! `docker save`, `load` and `import`: images as files.

use super::{Engine, Error, source};
use crate::image::{ImportRequest, LoadEvent, Platform, Reference};
use crate::kernel::{ByteStream, TracedHost};
use bytes::Bytes;
use tokio::sync::mpsc;

/// An import as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The image's name.
    pub name: Option<Reference>,
    /// What the history says.
    pub message: String,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// Whom it is for.
    pub platform: Option<Platform>,
}

impl Engine {
    /// Sends images as one archive.
    ///
    /// # Errors
    /// As [`crate::image::Store::save`]; an unknown name before the first byte.
    pub async fn save(
        &self,
        door: &TracedHost,
        words: &[String],
        into: mpsc::Sender<Bytes>,
    ) -> Result<(), Error> {
        let chosen = self.images.chosen(words)?;
        self.images.save(door, words, into).await?;
        for (image, _) in chosen {
            self.events.image(&image.id, &image.id, "save");
        }
        Ok(())
    }

    /// Takes in the images of an archive.
    ///
    /// # Errors
    /// As [`crate::image::Store::load`].
    pub async fn load(
        &self,
        door: &TracedHost,
        bytes: ByteStream,
        platform: Option<Platform>,
        progress: impl Fn(LoadEvent) + Send + Sync,
    ) -> Result<(), Error> {
        for image in self.images.load(door, bytes, platform, progress).await? {
            self.events.image(&image.id, &image.id, "load");
        }
        Ok(())
    }

    /// Makes an image of a tar of files; gives its id.
    ///
    /// # Errors
    /// As [`crate::image::Store::import`].
    pub async fn import(
        &self,
        door: &TracedHost,
        import: Import,
        bytes: ByteStream,
    ) -> Result<String, Error> {
        let Import { name, message, changes, platform } = import;
        let created = source::stamp(self.source.now());
        let request = ImportRequest { name, message, changes, platform, created };
        let image = self.images.import(door, request, bytes).await?;
        self.events.image(&image.id, &image.id, "import");
        Ok(image.id)
    }
}
