//! A container as it is kept on disk: `ROOT/containers/<id>/container.json`.

use super::State;
use crate::network::Attachment;
use crate::wire::{Config, HostConfig, NetworkingConfig};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything needed to start, show and remove a container after a restart of the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// 64 hex digits.
    pub id: String,
    /// Without a leading slash.
    pub name: String,
    /// RFC 3339 with nanoseconds.
    pub created: String,
    /// `sha256:…` of the image's configuration.
    pub image_id: String,
    /// Entrypoint and command.
    pub argv: Vec<String>,
    /// Request and image, merged; its `image` is the reference asked for.
    pub config: Config,
    /// As asked for, less what this machine cannot limit.
    pub host_config: HostConfig,
    /// As asked for.
    #[serde(default)]
    pub networking: NetworkingConfig,
    /// Its place in its networks while it runs.
    #[serde(default)]
    pub network: Attachment,
    /// Where the root file system is.
    pub snapshot: Snapshot,
    /// Where it stands.
    pub state: State,
}

/// A container's root file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// `overlay2`, or `vfs` when the layers were copied.
    pub driver: String,
    /// Mount point, or the copy.
    pub rootfs: String,
    /// The image's layer directories, lowest first.
    pub layers: Vec<String>,
    /// Their diff ids.
    #[serde(default)]
    pub diff_ids: Vec<String>,
    /// overlayfs options; `None` when the layers were copied.
    pub overlay: Option<String>,
    /// What inspect shows: `LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`.
    pub data: BTreeMap<String, String>,
}

impl Record {
    /// The first 12 digits of the id, as people see it.
    pub fn short_id(&self) -> &str {
        &self.id[..self.id.len().min(12)]
    }

    /// Directories whose union is what the program sees, topmost first.
    pub fn tree(&self) -> Vec<String> {
        if self.snapshot.overlay.is_none() {
            return vec![self.snapshot.rootfs.clone()];
        }
        let upper = self.snapshot.data.get("UpperDir").cloned();
        upper.into_iter().chain(self.snapshot.layers.iter().rev().cloned()).collect()
    }

    /// Seconds between stop signal and SIGKILL.
    pub fn stop_timeout(&self) -> i64 {
        self.config.stop_timeout.unwrap_or(10)
    }

    /// The signal of `docker stop`.
    pub fn stop_signal(&self) -> i32 {
        let given = self.config.stop_signal.as_deref().unwrap_or("SIGTERM");
        super::signal::parse(given).unwrap_or(libc::SIGTERM)
    }
}
