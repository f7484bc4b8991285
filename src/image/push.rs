//! A push: an image of the store to a registry.
//!
//! ```text
//!  image.push
//!    registry.auth                        with the right to send
//!    layer.push ┬ there already? ─ mount from a neighbour? ─ upload
//!    layer.push ┴ …                       side by side, five at a time
//!    manifest.push                        byte for byte as it came, last: it names what is there
//! ```

mod blob;

use super::error::Error;
use super::pull::PullEvent;
use super::reference::Reference;
use super::registry::{Actions, Credentials, Endpoint, Session};
use super::store::{Image, Store};
use super::travel::Parcel;
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use blob::Sender;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;

/// Blobs on their way at one time: Docker's `max-concurrent-uploads`.
const AT_ONCE: usize = 5;

/// What is pushed, for whom.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// Registry and repository, and the tag unless all are meant.
    pub reference: Reference,
    /// Every tag of the repository.
    pub all: bool,
    /// The user's for this registry.
    pub credentials: Credentials,
}

/// A manifest that a registry keeps now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The tag it has there.
    pub tag: String,
    /// `sha256:<hex>`.
    pub digest: String,
    /// Bytes.
    pub size: u64,
}

/// What a push says while it works.
#[derive(Clone, Debug)]
pub enum PushEvent {
    /// As Docker's clients print it.
    Line(PullEvent),
    /// For programs: what was published.
    Published(Pushed),
}

impl Store {
    /// Pushes one tag, or all tags of a repository.
    ///
    /// # Errors
    /// A name that is not in the store; the registry's refusal in its own words.
    pub async fn push(
        self: &Arc<Self>,
        door: &TracedHost,
        request: PushRequest,
        progress: impl Fn(PushEvent) + Send + Sync,
    ) -> Result<Vec<Pushed>, Error> {
        let reference = &request.reference;
        let about = if request.all { reference.name() } else { reference.to_string() };
        let say = |text: String| progress(PushEvent::Line(PullEvent::line(text)));
        door.within(Scope::ImagePush, about, async |door: TracedHost| {
            say(format!("The push refers to repository [{}]", reference.name()));
            let tags = self.to_push(&request)?;
            let endpoint = match reference.is_hub() {
                true => Endpoint::hub(self.registry_config())?,
                false => Endpoint::of(reference.registry(), self.registry_config())?,
            };
            let repository = reference.repository();
            let session = self
                .client()
                .open(&door, &endpoint, repository, request.credentials.clone(), Actions::Push)
                .await?;
            let mut all = Vec::new();
            for (name, image) in tags {
                let pushed = self.push_one(&door, &session, &name, &image, &progress).await?;
                say(format!("{}: digest: {} size: {}", pushed.tag, pushed.digest, pushed.size));
                progress(PushEvent::Published(pushed.clone()));
                all.push(pushed);
            }
            Ok(all)
        })
        .await
    }

    fn to_push(&self, request: &PushRequest) -> Result<Vec<(Reference, Image)>, Error> {
        let reference = &request.reference;
        let images = self.list().into_iter().flat_map(|image| {
            let tags = image.tags.clone().into_iter();
            tags.filter(|tag| tag.name() == reference.name())
                .map(move |tag| (tag, image.clone()))
                .collect::<Vec<_>>()
        });
        let mut tags: Vec<(Reference, Image)> = images.collect();
        if tags.is_empty() {
            return Err(Error::NothingToPush(reference.familiar_name()));
        }
        if !request.all {
            tags.retain(|(tag, _)| tag == reference);
            if tags.is_empty() {
                return Err(Error::NoTag(reference.familiar()));
            }
        }
        tags.sort_by_key(|(tag, _)| tag.to_string());
        Ok(tags)
    }

    async fn push_one(
        self: &Arc<Self>,
        door: &TracedHost,
        session: &Arc<Session>,
        name: &Reference,
        image: &Image,
        progress: &(dyn Fn(PushEvent) + Send + Sync),
    ) -> Result<Pushed, Error> {
        let parcel = self.parcel(door, image)?;
        let senders = self.senders(session, name, &parcel, progress);
        for (place, sender) in senders.iter().enumerate() {
            sender.announce(place >= AT_ONCE);
        }
        // The first failure ends the others.
        let mut waiting = senders.iter();
        let mut sending = FuturesUnordered::new();
        for sender in waiting.by_ref().take(AT_ONCE) {
            sending.push(sender.send(door));
        }
        while let Some(sent) = sending.next().await {
            sent?;
            if let Some(sender) = waiting.next() {
                sending.push(sender.send(door));
            }
        }
        let tag = name.tag().unwrap_or("latest").to_owned();
        let pushed = Pushed { tag, digest: parcel.digest(), size: parcel.manifest.len() as u64 };
        door.within(Scope::ManifestPush, name.to_string(), async |door: TracedHost| {
            let bytes = parcel.manifest.clone().into();
            session.put_manifest(&door, &pushed.tag, &parcel.media_type, bytes).await?;
            door.note(
                Note::Published,
                facts([("reference", name), ("digest", &pushed.digest), ("size", &pushed.size)]),
            );
            Ok::<_, Error>(())
        })
        .await?;
        // The image is known by this digest at that registry from now on.
        self.name(door, &image.id, &[name.at(&pushed.digest)]).await?;
        Ok(pushed)
    }

    /// One sender a blob: layers from the top down, as Docker lists them, then the configuration,
    /// which nobody is told of.
    fn senders<'a>(
        self: &Arc<Self>,
        session: &Arc<Session>,
        name: &Reference,
        parcel: &'a Parcel,
        progress: &'a (dyn Fn(PushEvent) + Send + Sync),
    ) -> Vec<Sender<'a>> {
        let mut senders: Vec<Sender> = Vec::new();
        let layers = parcel.layers.iter().zip(&parcel.diff_ids).rev();
        let all = layers.map(|(part, diff_id)| (part, Some(diff_id))).chain([(&parcel.config, None)]);
        for (part, diff_id) in all {
            if senders.iter().any(|known| known.part.digest == part.digest) {
                continue;
            }
            senders.push(Sender {
                store: self.clone(),
                session: session.clone(),
                part,
                diff_id: diff_id.map(String::as_str),
                neighbour: self.neighbour(name, &part.digest),
                progress,
            });
        }
        senders
    }

    /// A repository of the same registry that is known to have a blob.
    fn neighbour(&self, name: &Reference, digest: &str) -> Option<String> {
        let has =
            |image: &Image| image.id == digest || image.layers.iter().any(|layer| layer.digest == digest);
        self.list()
            .into_iter()
            .filter(has)
            // Only a digest proves that the image was there: a tag may never have been pushed.
            .flat_map(|image| image.digests)
            .filter(|other| other.registry() == name.registry() && other.repository() != name.repository())
            .map(|other| other.repository().to_owned())
            .min()
    }
}
