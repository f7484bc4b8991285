//! The image store: which images there are, and the files they are made of.
//!
//! ```text
//!  ROOT/images.json            names, images, layers; replaced as a whole (write, fsync, rename)
//!  ROOT/blobs/sha256/<hex>     compressed layers, manifests, configurations
//!  ROOT/ingest/<hex>.partial   layers on their way
//!  ROOT/layers/<diff id>/      unpacked layers, shared by all images
//! ```
//!
//! Order makes it safe to be killed at any moment: files first, the record that names them last;
//! on removal the record first. What no record names is removed at the next start.

mod check;
mod index;
mod layer;
mod open;
mod remove;
mod tag;

pub use check::{Damage, Finding, Report};
pub use index::Layer;
pub use remove::{ContainerUse, Removed};
pub(super) use tag::{Arrival, Kept};

use super::error::Error;
use super::platform::Platform;
use super::pull::Flights;
use super::reference::Reference;
use super::registry::{self, Builtin, RegistryConfig};
use super::{digest, manifest};
use index::Index;
use oci_spec::image::ImageConfiguration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::Semaphore;

/// One image as it is in the store now.
#[derive(Clone, Debug)]
pub struct Image {
    /// Digest of the configuration.
    pub id: String,
    /// Digest of the manifest it was made from.
    pub manifest: String,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// Bytes of all layers, unpacked.
    pub size: u64,
    /// RFC 3339, as the configuration says; empty where it does not.
    pub created: String,
    /// Command, environment, labels.
    pub config: Arc<ImageConfiguration>,
    /// Names with a tag, sorted.
    pub tags: Vec<Reference>,
    /// Names with a digest, sorted.
    pub digests: Vec<Reference>,
}

impl Image {
    /// Names as `docker inspect` prints them under `RepoTags`.
    pub fn repo_tags(&self) -> Vec<String> {
        self.tags.iter().map(Reference::familiar).collect()
    }

    /// Names as `docker inspect` prints them under `RepoDigests`.
    pub fn repo_digests(&self) -> Vec<String> {
        self.digests.iter().map(Reference::familiar).collect()
    }

    /// Labels of the configuration, sorted.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let config = self.config.config().as_ref();
        let labels = config.and_then(|config| config.labels().clone()).unwrap_or_default();
        labels.into_iter().collect()
    }

    /// What it runs on.
    pub fn platform(&self) -> Platform {
        manifest::platform_of(&self.config)
    }
}

/// The store; one per daemon.
#[derive(Debug)]
pub struct Store {
    root: String,
    platform: Platform,
    state: Mutex<State>,
    /// Held while `images.json` is replaced, so that replacements follow each other.
    writing: tokio::sync::Mutex<()>,
    client: Arc<registry::Client>,
    builtin: OnceLock<BuiltinHub>,
    /// Layers on their way, so that two pulls fetch each only once.
    pub(super) flights: Flights,
    pub(super) downloads: Semaphore,
    /// Layers that a pull in progress counts on: diff id → number of pulls.
    pins: Mutex<BTreeMap<String, usize>>,
}

#[derive(Debug, Default)]
struct State {
    index: Index,
    configs: BTreeMap<String, Arc<ImageConfiguration>>,
}

/// A closure has no `Debug`.
struct BuiltinHub(Builtin);

impl std::fmt::Debug for BuiltinHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BuiltinHub")
    }
}

impl Store {
    /// Tells the store how the built-in hub is started; the first call counts.
    pub fn set_builtin(&self, builtin: Builtin) {
        let _ = self.builtin.set(BuiltinHub(builtin));
    }

    /// The registry client's configuration.
    pub fn registry_config(&self) -> &RegistryConfig {
        self.client.config()
    }

    pub(super) fn client(&self) -> &Arc<registry::Client> {
        &self.client
    }

    pub(super) fn builtin(&self) -> Option<&Builtin> {
        self.builtin.get().map(|hub| &hub.0)
    }

    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Every image, newest first.
    pub fn list(&self) -> Vec<Image> {
        let state = self.state();
        let mut images: Vec<Image> = state.index.images.keys().filter_map(|id| state.image(id)).collect();
        images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        images
    }

    /// The image a normalised name stands for.
    pub fn get(&self, reference: &Reference) -> Option<Image> {
        let state = self.state();
        state.index.id_of(reference).and_then(|id| state.image(id))
    }

    /// The image with exactly this id (`sha256:<hex>`).
    pub fn get_id(&self, id: &str) -> Option<Image> {
        self.state().image(id)
    }

    /// The image meant by a word a person typed: a name, an id with or without `sha256:`, or the
    /// beginning of one. Names win over beginnings, as with Docker.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], or a word that can be neither.
    pub fn find(&self, word: &str) -> Result<Image, Error> {
        let state = self.state();
        let missing = || Error::NotFound(word.to_owned());
        let hex = word.strip_prefix("sha256:").unwrap_or(word);
        if digest::is_hash(hex) {
            return state.image(&format!("sha256:{hex}")).ok_or_else(missing);
        }
        let name = word.parse::<Reference>();
        if let Some(id) = name.as_ref().ok().and_then(|name| state.index.id_of(name)) {
            return state.image(id).ok_or_else(missing);
        }
        if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // Only a word that cannot begin an id is told what is wrong with it as a name.
            let name = name?;
            let tagged = name.familiar();
            return Err(Error::NotFound(if word.contains('@') { word.to_owned() } else { tagged }));
        }
        let mut hits = state.index.images.keys().filter(|id| digest::hex(id).starts_with(hex));
        match (hits.next(), hits.next()) {
            (Some(id), None) => state.image(id).ok_or_else(missing),
            (Some(_), Some(_)) => Err(Error::Ambiguous(word.to_owned())),
            (None, _) => Err(Error::NotFound(name.map_or_else(|_| word.to_owned(), |name| name.familiar()))),
        }
    }

    /// Directory of an unpacked layer.
    pub fn layer_path(&self, diff_id: &str) -> String {
        format!("{}/layers/{}", self.root, digest::hex(diff_id))
    }

    /// File of a blob.
    pub fn blob_path(&self, digest: &str) -> String {
        format!("{}/blobs/sha256/{}", self.root, digest::hex(digest))
    }

    /// File of a layer that is not complete.
    pub fn partial_path(&self, digest: &str) -> String {
        format!("{}/ingest/{}.partial", self.root, digest::hex(digest))
    }

    /// The root of all state.
    pub fn root(&self) -> &str {
        &self.root
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn pins(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.pins.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Keeps layers from being removed until the guard is dropped.
    pub(super) fn pin(self: &Arc<Self>, diff_ids: &[String]) -> Pin {
        let mut pins = self.pins();
        for id in diff_ids {
            *pins.entry(id.clone()).or_default() += 1;
        }
        drop(pins);
        Pin { store: self.clone(), diff_ids: diff_ids.to_vec() }
    }
}

impl State {
    fn image(&self, id: &str) -> Option<Image> {
        let entry = self.index.images.get(id)?;
        let config = self.configs.get(id)?.clone();
        let layers: Vec<Layer> =
            entry.layers.iter().filter_map(|diff_id| self.index.layers.get(diff_id).cloned()).collect();
        let (tags, digests) = self.index.names_of(id).into_iter().partition(|name| name.digest().is_none());
        Some(Image {
            id: id.to_owned(),
            manifest: entry.manifest.clone(),
            size: layers.iter().map(Layer::bytes).sum(),
            created: entry.created.clone(),
            layers,
            config,
            tags,
            digests,
        })
    }

    /// Diff ids that some image is made of.
    fn used_layers(&self) -> BTreeSet<&str> {
        self.index.images.values().flat_map(|image| &image.layers).map(String::as_str).collect()
    }
}

/// See [`Store::pin`].
pub(super) struct Pin {
    store: Arc<Store>,
    diff_ids: Vec<String>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.store.pins();
        for id in &self.diff_ids {
            if let Some(count) = pins.get_mut(id) {
                *count -= 1;
            }
        }
        pins.retain(|_, count| *count > 0);
    }
}
