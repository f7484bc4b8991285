//! Containers in a list, and what a wait brings.

use super::{EndpointSettings, MountPoint, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of `docker ps`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// 64 hex digits.
    pub id: String,
    /// Each with a leading slash.
    #[serde(deserialize_with = "nullable")]
    pub names: Vec<String>,
    /// The reference asked for.
    pub image: String,
    /// `sha256:…`.
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// One line.
    pub command: String,
    /// Seconds since the epoch.
    pub created: i64,
    /// Published ports.
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<Port>,
    /// Bytes of the writable layer; only when sizes were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// Bytes of all layers; only when sizes were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// `running`, `exited`, ….
    pub state: String,
    /// `Up 4 minutes`, `Exited (0) 5 days ago`.
    pub status: String,
    /// What `docker ps` needs of the host configuration.
    pub host_config: SummaryHostConfig,
    /// What it needs of the networks.
    #[serde(deserialize_with = "nullable")]
    pub network_settings: SummaryNetworks,
    /// Mounts.
    #[serde(deserialize_with = "nullable")]
    pub mounts: Vec<MountPoint>,
}

/// `HostConfig` of a summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SummaryHostConfig {
    /// As asked for.
    pub network_mode: String,
}

/// `NetworkSettings` of a summary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SummaryNetworks {
    /// Network name → the container's place in it.
    #[serde(deserialize_with = "nullable")]
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// One published or exposed port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Port {
    /// Address of the host.
    #[serde(rename = "IP", skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// Inside.
    pub private_port: u16,
    /// On the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// `tcp`, `udp`, `sctp`.
    pub r#type: String,
}

/// Answer of `POST /containers/prune`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainersPruned {
    /// Ids; `null` when there were none.
    pub containers_deleted: Option<Vec<String>>,
    /// Bytes.
    pub space_reclaimed: u64,
}

/// Answer of `POST /containers/{id}/update`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateResponse {
    /// Lines the client prints.
    #[serde(deserialize_with = "nullable")]
    pub warnings: Vec<String>,
}

/// Answer of `POST /containers/{id}/wait`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WaitResponse {
    /// The container's exit code; -1 when the wait failed.
    pub status_code: i64,
    /// Why the wait failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<WaitError>,
}

/// Why a wait failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WaitError {
    /// One line.
    pub message: String,
}
