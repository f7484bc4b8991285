//! `docker image prune`: images nobody needs.

use super::{Engine, Error};
use crate::image::{Error as ImageError, Image, Reference};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::wire::{Filters, ImageDelete, ImagePrune};
use jiff::Timestamp;

/// What the filters may name.
const KNOWN: [&str; 4] = ["dangling", "label", "label!", "until"];

impl Engine {
    /// Removes images without a name, or, with `dangling=false`, all that no container was made
    /// from. What somebody needs stays.
    ///
    /// # Errors
    /// An unknown filter; the disk's refusal.
    pub async fn prune_images(&self, door: &TracedHost, filters: &Filters) -> Result<ImagePrune, Error> {
        if let Some(unknown) = filters.unknown(&KNOWN) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let dangling = match filters.get("dangling").first().map(String::as_str) {
            None | Some("1" | "true") => true,
            Some("0" | "false") => false,
            Some(other) => return Err(Error::Invalid(format!("invalid filter 'dangling={other}'"))),
        };
        let until = self.until(filters)?;
        let about = if dangling { "dangling" } else { "unused" };
        door.within(Scope::ImagePrune, about, async |door: TracedHost| {
            let candidates = self.prunable(dangling, until, filters);
            let bytes: u64 = candidates.iter().map(|image| image.size).sum();
            door.note(Note::Prunable, facts([("images", &candidates.len()), ("bytes", &bytes)]));
            let before = self.images.layer_bytes();
            let mut deleted: Vec<ImageDelete> = Vec::new();
            for image in candidates {
                deleted.extend(self.prune_one(&door, &image).await?);
            }
            let space_reclaimed = before.saturating_sub(self.images.layer_bytes());
            Ok(ImagePrune { images_deleted: Some(deleted).filter(|all| !all.is_empty()), space_reclaimed })
        })
        .await
    }

    /// The moment before which images have to be made, to go.
    fn until(&self, filters: &Filters) -> Result<Option<Timestamp>, Error> {
        match filters.get("until") {
            [] => Ok(None),
            [one] => crate::wire::duration::moment(one, self.source.now())
                .map(Some)
                .ok_or_else(|| Error::Invalid(format!("invalid filter 'until={one}'"))),
            _ => Err(Error::Invalid("more than one until filter specified".into())),
        }
    }

    fn prunable(&self, dangling: bool, until: Option<Timestamp>, filters: &Filters) -> Vec<Image> {
        let used: Vec<String> = self.containers.all().iter().map(|c| c.record().image_id.clone()).collect();
        let mut images = self.images.list();
        images.retain(|image| {
            let made = image.created.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
            let labels = image.labels();
            (!dangling || image.tags.is_empty())
                && until.is_none_or(|until| made < until)
                && filters.labels(&labels)
                && filters.labels_absent(&labels)
                && !used.contains(&image.id)
        });
        images
    }

    /// Name by name, as Docker does it: the last one takes the image along.
    async fn prune_one(&self, door: &TracedHost, image: &Image) -> Result<Vec<ImageDelete>, Error> {
        let names: Vec<Reference> = image.tags.iter().chain(&image.digests).cloned().collect();
        let words = match names.is_empty() {
            true => vec![image.id.clone()],
            false => names.iter().map(Reference::familiar).collect(),
        };
        let mut deleted = Vec::new();
        for word in words {
            match self.remove_image(door, &word, false).await {
                Ok(lines) => deleted.extend(lines),
                // It went with the name before, or somebody took to it meanwhile.
                Err(Error::Image(ImageError::NotFound(_) | ImageError::InUse(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }
}
