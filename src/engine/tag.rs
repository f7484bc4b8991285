//! `docker tag`: one more name for an image.

use super::{Engine, Error};
use crate::image::{Reference, digest};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};

impl Engine {
    /// Gives an image another name; a name that stood for another image moves.
    ///
    /// # Errors
    /// No such image; a name that is none, or a digest.
    pub async fn tag(&self, door: &TracedHost, word: &str, repository: &str, tag: &str) -> Result<(), Error> {
        let name = match tag {
            "" => repository.parse::<Reference>(),
            tag => format!("{repository}:{tag}").parse::<Reference>(),
        };
        let name = name.map_err(crate::image::Error::from)?;
        let image = self.images.find(word)?;
        door.within(Scope::ImageTag, name.to_string(), async |door: TracedHost| {
            if let Some(before) = self.images.get(&name).filter(|before| before.id != image.id) {
                let id = digest::short(&before.id).to_owned();
                door.note(Note::NameMoved, facts([("reference", &name), ("id", &id)]));
            }
            self.images.tag(&door, &image.id, &name).await
        })
        .await?;
        self.events.image(&image.id, &name.familiar(), "tag");
        Ok(())
    }
}
