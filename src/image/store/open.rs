//! Opening the store: read the record, sweep away what a killed daemon left.

use super::super::digest;
use super::super::error::Error;
use super::super::platform::Platform;
use super::super::pull::Flights;
use super::super::registry::{Client, RegistryConfig};
use super::index::Index;
use super::{State, Store};
use crate::kernel::TracedHost;
use crate::op::FsOp;
use oci_spec::image::ImageConfiguration;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::Semaphore;

impl Store {
    /// Opens the store below `root`, making its directories. `architecture` is this machine's in
    /// Go's spelling. An image whose configuration is missing or damaged is left out; the next
    /// pull brings it back.
    ///
    /// # Errors
    /// A malformed `images.json` (file and line named), or directories that cannot be made.
    pub async fn open(
        door: &TracedHost,
        root: &str,
        architecture: &str,
        config: RegistryConfig,
    ) -> Result<Arc<Store>, Error> {
        for directory in ["blobs/sha256", "ingest", "layers"] {
            let path = format!("{root}/{directory}");
            door.perform(FsOp::CreateDirectory { path, mode: 0o711 }).await?;
        }
        let index = read_index(door, root)?;
        sweep(door, root, &index).await?;
        let configs = read_configs(door, root, &index);
        let downloads = Semaphore::new(config.downloads.max(1));
        Ok(Arc::new(Store {
            root: root.to_owned(),
            platform: Platform::of_machine(architecture),
            state: Mutex::new(State { index, configs }),
            writing: tokio::sync::Mutex::default(),
            client: Arc::new(Client::new(config)),
            builtin: OnceLock::new(),
            flights: Flights::default(),
            downloads,
            pins: Mutex::default(),
        }))
    }
}

fn read_index(door: &TracedHost, root: &str) -> Result<Index, Error> {
    let path = format!("{root}/images.json");
    match door.host().read(&path) {
        Ok(bytes) => Index::parse(&bytes, &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
        Err(error) => Err(Error::Read { path, reason: error.to_string() }),
    }
}

/// Removes trees and blobs the record does not name: staging directories, and what was moved into
/// place just before the record could say so. Partial downloads stay: they are resumed.
async fn sweep(door: &TracedHost, root: &str, index: &Index) -> Result<(), Error> {
    let known: BTreeSet<&str> = index.layers.keys().map(|id| digest::hex(id)).collect();
    for name in door.host().list(&format!("{root}/layers")).unwrap_or_default() {
        if !known.contains(name.as_str()) {
            door.perform(FsOp::RemoveTree { path: format!("{root}/layers/{name}") }).await?;
        }
    }
    // What was on its way from elsewhere than a registry comes anew as a whole.
    for name in door.host().list(&format!("{root}/ingest")).unwrap_or_default() {
        let path = format!("{root}/ingest/{name}");
        if name.starts_with("load.new-") || name.starts_with("tree.new-") {
            door.perform(FsOp::RemoveTree { path }).await?;
        } else if !name.ends_with(".partial") {
            door.perform(FsOp::RemoveFile { path }).await?;
        }
    }
    let known: BTreeSet<&str> = index.blobs().map(digest::hex).collect();
    for name in door.host().list(&format!("{root}/blobs/sha256")).unwrap_or_default() {
        if !known.contains(name.as_str()) {
            door.perform(FsOp::RemoveFile { path: format!("{root}/blobs/sha256/{name}") }).await?;
        }
    }
    Ok(())
}

fn read_configs(door: &TracedHost, root: &str, index: &Index) -> BTreeMap<String, Arc<ImageConfiguration>> {
    let read = |id: &String| {
        let bytes = door.host().read(&format!("{root}/blobs/sha256/{}", digest::hex(id))).ok()?;
        let config = (digest::of(&bytes) == *id).then(|| serde_json::from_slice(&bytes).ok())??;
        Some((id.clone(), Arc::new(config)))
    };
    index.images.keys().filter_map(read).collect()
}
