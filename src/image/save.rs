//! `docker save`: images of the store as one tar.

use super::archive::write::{Packed, write};
use super::error::Error;
use super::reference::Reference;
use super::store::{Image, Store};
use super::travel::read_error;
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use bytes::Bytes;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes handed over at once.
const STRETCH: usize = 256 * 1024;

impl Store {
    /// The images meant by words, each with the names it is to keep: by a name that one, by a
    /// repository all its tags, by an id none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the first that is not there.
    pub fn chosen(&self, words: &[String]) -> Result<Vec<(Image, Vec<Reference>)>, Error> {
        let mut chosen: Vec<(Image, Vec<Reference>)> = Vec::new();
        for word in words {
            for (image, name) in self.meant(word)? {
                match chosen.iter_mut().find(|(known, _)| known.id == image.id) {
                    None => chosen.push((image, name.into_iter().collect())),
                    Some((_, names)) => names.extend(name.filter(|name| !names.contains(name))),
                }
            }
        }
        Ok(chosen)
    }

    fn meant(&self, word: &str) -> Result<Vec<(Image, Option<Reference>)>, Error> {
        let last = word.rsplit('/').next().unwrap_or(word);
        let is_bare = !last.contains([':', '@']);
        if let (true, Ok(name)) = (is_bare, word.parse::<Reference>()) {
            let images = self.list().into_iter().flat_map(|image| {
                let tags: Vec<Reference> =
                    image.tags.iter().filter(|tag| tag.name() == name.name()).cloned().collect();
                tags.into_iter().map(move |tag| (image.clone(), Some(tag)))
            });
            let tagged: Vec<_> = images.collect();
            if !tagged.is_empty() {
                return Ok(tagged);
            }
        }
        let image = self.find(word).map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound(word.to_owned()),
            error => error,
        })?;
        let name = word.parse::<Reference>().ok().filter(|name| image.tags.contains(name));
        Ok(vec![(image, name)])
    }

    /// Sends the images as one archive; `into` gets it piece by piece.
    ///
    /// # Errors
    /// A word that means no image, before the first piece; a store that cannot be read.
    pub async fn save(
        self: &Arc<Self>,
        door: &TracedHost,
        words: &[String],
        into: mpsc::Sender<Bytes>,
    ) -> Result<(), Error> {
        door.within(Scope::ImageSave, words.join(" "), async |door: TracedHost| {
            let mut images = Vec::new();
            for (image, names) in self.chosen(words)? {
                images.push(Packed { parcel: self.parcel(&door, &image)?, names });
            }
            door.note(Note::ArchiveFormat, facts([("format", &"docker + oci"), ("images", &images.len())]));
            let (store, reader) = (self.clone(), door.clone());
            let packing = tokio::task::spawn_blocking(move || {
                let open = |digest: &str| {
                    let path = store.blob_path(digest);
                    reader.host().open(&path).map_err(|error| read_error(&path, &error))
                };
                write(Pieces { into, piece: Vec::with_capacity(STRETCH) }, &images, &open)
            });
            packing.await.map_err(|error| Error::Archive(error.to_string()))?
        })
        .await
    }
}

/// A writer whose bytes go to the client, who sets the pace.
struct Pieces {
    into: mpsc::Sender<Bytes>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= STRETCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(STRETCH));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client went away");
        if piece.is_empty() { Ok(()) } else { self.into.blocking_send(piece.into()).map_err(gone) }
    }
}
