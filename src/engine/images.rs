//! Images as the engine and its clients see them.

use super::{Engine, Error};
use crate::container;
use crate::image::store::{ContainerUse, Removed};
use crate::image::{Image, Reference, snapshot};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::wire::{Filters, GraphDriver, ImageConfig, ImageDelete, ImageInspect, ImageSummary, RootFs};
use jiff::Timestamp;
use serde_json::Value;

/// What a list's filters may name.
const KNOWN: [&str; 6] = ["before", "dangling", "label", "reference", "since", "until"];

impl Engine {
    /// The image a container is to be made from.
    pub(super) async fn look_up(&self, door: &TracedHost, word: &str) -> Result<Image, Error> {
        door.within(Scope::ImageLookup, word, |door| async move {
            match self.images.find(word) {
                Ok(image) => {
                    door.note(Note::CacheHit, facts([("reference", &word), ("id", &image.id)]));
                    Ok(image)
                }
                Err(crate::image::Error::NotFound(_)) => {
                    door.note(Note::CacheMiss, facts([("reference", &word)]));
                    Err(Error::NoSuchImage(familiar(word)))
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// `docker images`.
    ///
    /// # Errors
    /// An unknown filter; an image named by one that is not there.
    pub fn list_images(&self, filters: &Filters) -> Result<Vec<ImageSummary>, Error> {
        if let Some(unknown) = filters.unknown(&KNOWN) {
            return Err(Error::Invalid(format!("Invalid filter '{unknown}'")));
        }
        let created = |name: &str| -> Result<Option<String>, Error> {
            filters.get(name).first().map(|word| Ok(self.images.find(word)?.created)).transpose()
        };
        let (before, since) = (created("before")?, created("since")?);
        let mut images = self.images.list();
        images.retain(|image| {
            before.as_ref().is_none_or(|before| image.created < *before)
                && since.as_ref().is_none_or(|since| image.created > *since)
                && filters.any("dangling", |wanted| is_true(wanted) == image.tags.is_empty())
                && filters.any("reference", |pattern| image.tags.iter().any(|tag| named(tag, pattern)))
                && filters.labels(&image.labels())
        });
        let mut summaries: Vec<ImageSummary> = images.iter().map(|image| self.summarise(image)).collect();
        for summary in &mut summaries {
            // A reference filter also narrows the names shown.
            summary.repo_tags.retain(|tag| {
                filters.any("reference", |pattern| tag.parse().is_ok_and(|tag| named(&tag, pattern)))
            });
        }
        summaries.sort_by_key(|image| std::cmp::Reverse(image.created));
        Ok(summaries)
    }

    fn summarise(&self, image: &Image) -> ImageSummary {
        let of_image =
            |container: &&std::sync::Arc<super::Container>| container.record().image_id == image.id;
        let containers = self.containers.all().iter().filter(of_image).count();
        ImageSummary {
            containers: i64::try_from(containers).unwrap_or(-1),
            created: image.created.parse().map_or(0, Timestamp::as_second),
            id: image.id.clone(),
            labels: image.labels(),
            parent_id: String::new(),
            repo_digests: image.repo_digests(),
            repo_tags: image.repo_tags(),
            shared_size: -1,
            size: i64::try_from(image.size).unwrap_or(i64::MAX),
        }
    }

    /// `docker image inspect`.
    ///
    /// # Errors
    /// No such image.
    pub fn inspect_image(&self, word: &str) -> Result<ImageInspect, Error> {
        let image = self.images.find(word)?;
        let config = &image.config;
        let platform = image.platform();
        let layers: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let driver = if self.machine.overlay { "overlay2" } else { "vfs" };
        let mut paths: Vec<String> =
            layers.iter().rev().map(|diff_id| self.images.layer_path(diff_id)).collect();
        let mut data: std::collections::BTreeMap<String, String> = Default::default();
        if !paths.is_empty() {
            data.insert("UpperDir".into(), paths.remove(0));
        }
        if !paths.is_empty() {
            data.insert("LowerDir".into(), paths.join(":"));
        }
        let comment = config.history().iter().flatten().last().and_then(|step| step.comment().clone());
        Ok(ImageInspect {
            id: image.id.clone(),
            parent: self.document(&image)["parent"].as_str().unwrap_or_default().to_owned(),
            repo_tags: image.repo_tags(),
            repo_digests: image.repo_digests(),
            comment: comment.unwrap_or_default(),
            created: Some(image.created.clone()).filter(|created| !created.is_empty()),
            author: config.author().clone().unwrap_or_default(),
            config: Some(self.config_of(&image)),
            architecture: platform.architecture,
            variant: platform.variant,
            os: platform.os,
            size: i64::try_from(image.size).unwrap_or(i64::MAX),
            graph_driver: GraphDriver { data: Some(data), name: driver.into() },
            root_fs: RootFs { r#type: "layers".into(), layers },
            ..ImageInspect::default()
        })
    }

    /// `docker rmi`.
    ///
    /// # Errors
    /// No such image; a container or another name needs it.
    pub async fn remove_image(
        &self,
        door: &TracedHost,
        word: &str,
        force: bool,
    ) -> Result<Vec<ImageDelete>, Error> {
        let uses: Vec<ContainerUse> =
            self.containers.all().iter().map(|c| self.use_of(&c.snapshot())).collect();
        let id = self.images.find(word)?.id;
        let removed = self.images.remove(door, word, force, &uses).await?;
        for line in &removed {
            match line {
                Removed::Untagged(name) => self.events.image(&id, name, "untag"),
                Removed::Deleted(gone) if *gone == id => self.events.image(&id, &id, "delete"),
                Removed::Deleted(_) => {}
            }
        }
        Ok(removed.into_iter().map(deleted).collect())
    }

    fn use_of(&self, record: &container::Record) -> ContainerUse {
        ContainerUse {
            container: record.id.clone(),
            image: record.image_id.clone(),
            layers: record.snapshot.diff_ids.clone(),
            running: record.state.is_running(),
        }
    }
}

fn deleted(line: Removed) -> ImageDelete {
    match line {
        Removed::Untagged(name) => ImageDelete { untagged: Some(name), deleted: None },
        Removed::Deleted(id) => ImageDelete { untagged: None, deleted: Some(id) },
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Whether a name matches a pattern of `docker images`: with or without its tag, with `*`.
fn named(tag: &Reference, pattern: &str) -> bool {
    [tag.familiar(), tag.familiar_name()].iter().any(|name| matches(pattern.as_bytes(), name.as_bytes()))
}

/// Go's path.Match, without brackets: `*` stands for anything but a slash, `?` for one character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if matches(rest, name) => true,
        (Some((b'*', _)), Some((first, others))) => *first != b'/' && matches(pattern, others),
        (Some((b'?', rest)), Some((first, others))) => *first != b'/' && matches(rest, others),
        (Some((wanted, rest)), Some((first, others))) => wanted == first && matches(rest, others),
        _ => false,
    }
}

/// A name as Docker prints it; what is none is printed as it is.
fn familiar(word: &str) -> String {
    word.parse::<Reference>().map_or_else(|_| word.to_owned(), |name| name.familiar())
}

impl Engine {
    /// An image's configuration document; null when it is gone or damaged.
    fn document(&self, image: &Image) -> Value {
        let bytes = self.host.read(&self.images.blob_path(&image.id)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// What containers inherit from an image. Docker's part of a configuration knows more than
    /// OCI's: triggers, health checks, a shell.
    pub(super) fn config_of(&self, image: &Image) -> ImageConfig {
        let mut document = self.document(image);
        serde_json::from_value(document["config"].take()).unwrap_or_default()
    }

    /// A prepared root file system, as the record keeps it.
    pub(super) fn snapshot_of(
        &self,
        image: &Image,
        made: snapshot::Snapshot,
        directory: &str,
    ) -> container::Snapshot {
        let diff_ids: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let layers: Vec<String> = diff_ids.iter().map(|diff_id| self.images.layer_path(diff_id)).collect();
        let path = |name: &str| format!("{directory}/{name}");
        let lower: Vec<&str> = layers.iter().rev().map(String::as_str).collect();
        let data = match made.overlay {
            Some(_) => [
                ("LowerDir".to_owned(), lower.join(":")),
                ("MergedDir".to_owned(), made.rootfs.clone()),
                ("UpperDir".to_owned(), path("upper")),
                ("WorkDir".to_owned(), path("work")),
            ]
            .into(),
            None => Default::default(),
        };
        let driver = if made.overlay.is_some() { "overlay2" } else { "vfs" };
        container::Snapshot {
            driver: driver.into(),
            rootfs: made.rootfs,
            layers,
            diff_ids,
            overlay: made.overlay,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_with_and_without_tags() {
        let tag: Reference = "alpine:3.20".parse().unwrap();
        for pattern in ["alpine", "alpine:3.20", "alp*", "alpine:3.*", "alpin?"] {
            assert!(named(&tag, pattern), "{pattern}");
        }
        for pattern in ["debian", "alpine:latest", "*/alpine", "alpine?"] {
            assert!(!named(&tag, pattern), "{pattern}");
        }
    }
}
