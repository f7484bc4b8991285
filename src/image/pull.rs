//! A pull: from a name to an image in the store.
//!
//! ```text
//!  image.pull
//!    registry.choose ─ registry.auth ─ manifest.resolve ─ config.fetch
//!    layer.fetch ┬ layer.unpack        side by side, three at a time
//!    layer.fetch ┴ layer.unpack
//!    image.commit
//! ```

mod event;
mod fetch;
mod flight;
mod resolve;

pub use event::{ProgressDetail, PullEvent};
pub(super) use flight::Flights;

use super::digest;
use super::error::Error;
use super::manifest::{Part, platform_of, read_config};
use super::platform::Platform;
use super::reference::Reference;
use super::registry::{Actions, Credentials, Endpoint, Hub, Session};
use super::store::{Arrival, Kept};
use super::store::{Image, Layer, Store};
use crate::kernel::TracedHost;
use crate::op::{Op, StoreOp};
use crate::trace::{Note, Scope, facts};
use event::LayerLines;
use futures_util::stream::{FuturesUnordered, StreamExt};
use oci_spec::image::ImageConfiguration;
use resolve::Resolved;
use std::sync::Arc;

/// What is pulled, for whom.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// The image.
    pub reference: Reference,
    /// `--platform`; this machine's when it is not given.
    pub platform: Option<Platform>,
    /// The user's for this registry.
    pub credentials: Credentials,
    /// `--hub`: who answers for Docker Hub; the configuration's choice when it is not given.
    pub hub: Option<Hub>,
}

/// What a pull brought.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The image.
    pub image: Image,
    /// Digest of the manifest, or of the list it was chosen from.
    pub digest: String,
    /// Whether the name stands for another image than before.
    pub newer: bool,
}

impl Store {
    /// Pulls an image. `progress` gets what Docker's clients print, in their order.
    ///
    /// Dropping the future abandons the layers nobody else waits for; what arrived of them is
    /// kept, and the next pull goes on from there. An abort at the gate undoes everything.
    ///
    /// # Errors
    /// The registry's refusal in Docker's words, a damaged download with both digests, the
    /// store's refusal.
    pub async fn pull(
        self: &Arc<Self>,
        door: &TracedHost,
        request: PullRequest,
        progress: impl Fn(PullEvent) + Send + Sync,
    ) -> Result<Pulled, Error> {
        let about = request.reference.to_string();
        door.within(Scope::ImagePull, about, async |door: TracedHost| {
            let puller = Puller { store: self, request: &request, progress: &progress };
            puller.pull(&door).await
        })
        .await
    }
}

/// One pull in progress.
struct Puller<'a> {
    store: &'a Arc<Store>,
    request: &'a PullRequest,
    progress: &'a (dyn Fn(PullEvent) + Send + Sync),
}

impl Puller<'_> {
    async fn pull(&self, door: &TracedHost) -> Result<Pulled, Error> {
        let reference = &self.request.reference;
        let chosen = self
            .store
            .client()
            .choose(door, reference, self.request.hub.as_ref(), self.store.builtin())
            .await
            .map_err(|error| Error::of_registry(reference, error))?;
        if let Some(told) = chosen.told {
            (self.progress)(PullEvent::line(told));
        }
        let mut places = chosen.endpoints.iter().peekable();
        loop {
            let Some(endpoint) = places.next() else { return Err(Error::NotFound(reference.familiar())) };
            match self.pull_from(door, endpoint).await {
                // What one place does not have, or one that does not answer, the next may mend.
                Err(Error::Registry { source, .. }) if places.peek().is_some() && !source.is_abort() => {
                    (self.progress)(PullEvent::line(format!("{}: {source}", endpoint.host)));
                }
                result => return result,
            }
        }
    }

    async fn pull_from(&self, door: &TracedHost, endpoint: &Endpoint) -> Result<Pulled, Error> {
        let reference = &self.request.reference;
        // A mirror or the built-in hub has no business with the user's password.
        let credentials =
            if endpoint.stands_in { Credentials::Anonymous } else { self.request.credentials.clone() };
        let session = self
            .store
            .client()
            .open(door, endpoint, reference.repository(), credentials, Actions::Pull)
            .await;
        let session = session.map_err(|error| Error::of_registry(reference, error))?;
        let resolved = match self.resolve(door, &session).await? {
            resolve::Resolution::Here { image, digest } => {
                return self.bind_existing(door, image, digest).await;
            }
            resolve::Resolution::Fetched(resolved) => *resolved,
        };
        let title = format!("Pulling from {}", reference.repository());
        (self.progress)(PullEvent::of(reference.target(), title));
        let (config, parsed) = self.fetch_config(door, &session, &resolved).await?;
        let diff_ids = parsed.rootfs().diff_ids().clone();
        let _pin = self.store.pin(&diff_ids);
        let had: Vec<bool> = diff_ids.iter().map(|id| self.store.layer(id).is_some()).collect();
        let result = match self.layers(door, &session, &resolved.manifest.layers, &diff_ids).await {
            Ok(layers) => self.commit(door, resolved, config, parsed, &layers).await,
            Err(error) => Err(error),
        };
        match result {
            Err(error) if error.is_abort() => {
                drop(_pin);
                let new = diff_ids.into_iter().zip(had).filter(|(_, had)| !had).map(|(id, _)| id);
                self.undo(door, new.collect()).await;
                Err(error)
            }
            result => result,
        }
    }

    /// The image is here under this digest; at most its name is new.
    async fn bind_existing(&self, door: &TracedHost, image: Image, digest: String) -> Result<Pulled, Error> {
        let reference = &self.request.reference;
        let named = self.store.get(reference).is_some_and(|known| known.id == image.id);
        if named {
            door.note(Note::UpToDate, facts([("reference", reference), ("digest", &digest)]));
        } else {
            let names = self.names(&digest);
            door.within(Scope::ImageCommit, reference.to_string(), async |door: TracedHost| {
                self.store.name(&door, &image.id, &names).await
            })
            .await?;
        }
        let title = format!("Pulling from {}", reference.repository());
        (self.progress)(PullEvent::of(reference.target(), title));
        self.finish(image.id, digest, !named)
    }

    async fn fetch_config(
        &self,
        door: &TracedHost,
        session: &Arc<Session>,
        resolved: &Resolved,
    ) -> Result<(Kept, ImageConfiguration), Error> {
        let reference = &self.request.reference;
        let part = &resolved.manifest.config;
        door.within(Scope::ConfigFetch, part.digest.clone(), async |door: TracedHost| {
            let bytes = session
                .small_blob(&door, part)
                .await
                .map_err(|error| Error::of_registry(reference, error))?;
            verify(&door, "config", &part.digest, &digest::of(&bytes)).await?;
            let of = reference.familiar();
            let parsed = read_config(&bytes, resolved.manifest.layers.len(), &of)?;
            if let Some(wanted) = &self.request.platform {
                let actual = platform_of(&parsed);
                if !wanted.runs(&actual) {
                    let (actual, wanted) = (actual.to_string(), wanted.to_string());
                    return Err(super::manifest::Error::OtherPlatform { of, actual, wanted }.into());
                }
            }
            Ok((Kept { digest: part.digest.clone(), bytes: bytes.into() }, parsed))
        })
        .await
    }

    /// All layers, side by side. The first failure ends the others, and is reported when they
    /// have ended: nothing of this pull goes on behind its answer.
    async fn layers(
        &self,
        door: &TracedHost,
        session: &Arc<Session>,
        parts: &[Part],
        diff_ids: &[String],
    ) -> Result<Vec<Layer>, Error> {
        let lines: Vec<LayerLines> = parts.iter().map(|part| LayerLines::new(part, self.progress)).collect();
        for (lines, diff_id) in lines.iter().zip(diff_ids) {
            if self.store.layer(diff_id).is_none() {
                lines.announce();
            }
        }
        let mut running: FuturesUnordered<_> = lines
            .into_iter()
            .zip(diff_ids)
            .enumerate()
            .map(|(place, (lines, diff_id))| async move {
                let layer = self.layer(door, session, &parts[place], diff_id, lines).await?;
                Ok::<_, Error>((place, layer))
            })
            .collect();
        let mut layers: Vec<Option<Layer>> = vec![None; parts.len()];
        while let Some(result) = running.next().await {
            match result {
                Ok((place, layer)) => layers[place] = Some(layer),
                Err(error) => {
                    drop(running);
                    self.store.flights.settled(parts).await;
                    return Err(error);
                }
            }
        }
        Ok(layers.into_iter().flatten().collect())
    }

    async fn commit(
        &self,
        door: &TracedHost,
        resolved: Resolved,
        config: Kept,
        parsed: ImageConfiguration,
        layers: &[Layer],
    ) -> Result<Pulled, Error> {
        let reference = &self.request.reference;
        let top = resolved.digest().to_owned();
        let id = config.digest.clone();
        let newer = self.store.get(reference).is_none_or(|known| known.id != id);
        door.within(Scope::ImageCommit, reference.to_string(), async |door: TracedHost| {
            let Resolved { bytes, list, .. } = resolved;
            let arrival = Arrival { config, parsed, manifest: bytes, list };
            self.store.commit(&door, arrival, &self.names(&top)).await?;
            let first = layers.first();
            let blob = first.map(|layer| layer.digest.as_str()).unwrap_or_default();
            let diff_id = first.map(|layer| layer.diff_id.as_str()).unwrap_or_default();
            door.note(
                Note::FourHashes,
                facts([("blob", &blob), ("index", &top), ("config", &id), ("diff-id", &diff_id)]),
            );
            Ok::<_, Error>(())
        })
        .await?;
        self.finish(id, top, newer)
    }

    fn finish(&self, id: String, digest: String, newer: bool) -> Result<Pulled, Error> {
        let name = self.request.reference.familiar();
        (self.progress)(PullEvent::line(format!("Digest: {digest}")));
        let status = if newer { "Downloaded newer image for" } else { "Image is up to date for" };
        (self.progress)(PullEvent::line(format!("Status: {status} {name}")));
        let image = self.store.get_id(&id).ok_or(Error::NotFound(name))?;
        Ok(Pulled { image, digest, newer })
    }

    /// The names a pull gives: the one asked for, and the digest that was found under it.
    fn names(&self, digest: &str) -> Vec<Reference> {
        let reference = &self.request.reference;
        let by_digest = reference.at(digest);
        match reference.digest() {
            Some(_) => vec![by_digest],
            None => vec![reference.clone(), by_digest],
        }
    }

    /// Takes back the layers this pull brought, narrated. Failures are in the trace; they do not
    /// hide why the rollback began, and the next start sweeps what is left.
    async fn undo(&self, door: &TracedHost, diff_ids: Vec<String>) {
        door.trace().gate().open_for_rollback().await;
        let Ok(released) = self.store.release_layers(door, &diff_ids, &[]).await else { return };
        let limit = self.store.registry_config().unpack_limit;
        let done = released.into_iter().flat_map(|(layer, _)| {
            let blob = self.store.blob_path(&layer.digest);
            let put = StoreOp::PutBlob { digest: layer.digest.clone(), path: blob.clone(), size: layer.size };
            let directory = self.store.layer_path(&layer.diff_id);
            let Layer { digest, media_type, .. } = layer;
            let unpack = StoreOp::UnpackLayer { digest, blob, media_type, directory, limit };
            [Op::from(put), Op::from(unpack)]
        });
        door.roll_back(done.collect(), &self.request.reference.to_string()).await;
    }
}

/// Compares a digest as an operation of its own, and says so.
pub(super) async fn verify(
    door: &TracedHost,
    subject: &str,
    expected: &str,
    actual: &str,
) -> Result<(), Error> {
    let op =
        StoreOp::VerifyDigest { subject: subject.into(), expected: expected.into(), actual: actual.into() };
    match door.perform(op).await {
        Ok(_) if expected == actual => {
            door.note(Note::DigestEqual, facts([("subject", &subject), ("digest", &actual)]));
            Ok(())
        }
        Err(error) if error.is_abort() => Err(error.into()),
        _ => {
            let subject = match subject {
                "manifest" => "manifest",
                "config" => "image configuration",
                "diff-id" => "unpacked layer",
                _ => "filesystem layer",
            };
            Err(Error::corrupt(subject, expected, actual))
        }
    }
}
