//! Images.

use super::{GraphDriver, Healthcheck, nullable, words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One line of `docker images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageSummary {
    /// Containers that use it; -1 when not counted.
    pub containers: i64,
    /// Seconds since the epoch.
    pub created: i64,
    /// `sha256:…` of the configuration.
    pub id: String,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Image it was built on.
    pub parent_id: String,
    /// `alpine@sha256:…`.
    #[serde(deserialize_with = "nullable")]
    pub repo_digests: Vec<String>,
    /// `alpine:latest`.
    #[serde(deserialize_with = "nullable")]
    pub repo_tags: Vec<String>,
    /// Bytes shared with other images; -1 when not counted.
    pub shared_size: i64,
    /// Bytes unpacked.
    pub size: i64,
}

/// `GET /images/{name}/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageInspect {
    /// `sha256:…` of the configuration.
    pub id: String,
    /// `alpine:latest`.
    #[serde(deserialize_with = "nullable")]
    pub repo_tags: Vec<String>,
    /// `alpine@sha256:…`.
    #[serde(deserialize_with = "nullable")]
    pub repo_digests: Vec<String>,
    /// Image it was built on.
    pub parent: String,
    /// Of the last build step.
    pub comment: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Of the engine that built it.
    pub docker_version: String,
    /// Who made it.
    pub author: String,
    /// What containers inherit.
    pub config: Option<ImageConfig>,
    /// `amd64`.
    pub architecture: String,
    /// `v8`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// `linux`.
    pub os: String,
    /// Bytes unpacked.
    pub size: i64,
    /// Where the layers are.
    pub graph_driver: GraphDriver,
    /// The layers.
    #[serde(rename = "RootFS")]
    pub root_fs: RootFs,
    /// `LastTagTime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// `Config` of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    /// `user[:group]`.
    #[serde(deserialize_with = "nullable")]
    pub user: String,
    /// `80/tcp` → `{}`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Map::is_empty")]
    pub exposed_ports: Map<String, Value>,
    /// `NAME=value`.
    #[serde(deserialize_with = "nullable")]
    pub env: Vec<String>,
    /// Default command.
    #[serde(deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    /// How to test whether the program works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Places of anonymous volumes.
    pub volumes: Option<Map<String, Value>>,
    /// Directory the program starts in.
    #[serde(deserialize_with = "nullable")]
    pub working_dir: String,
    /// Words before the command.
    #[serde(deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    /// Build triggers.
    pub on_build: Option<Vec<String>>,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// Signal of `docker stop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Shell of build instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}

/// Layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RootFs {
    /// `layers`.
    pub r#type: String,
    /// `sha256:…` of each inflated layer, lowest first.
    #[serde(deserialize_with = "nullable")]
    pub layers: Vec<String>,
}

/// One step of `docker history`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HistoryItem {
    /// `sha256:…` of the image, or `<missing>`.
    pub id: String,
    /// Seconds since the epoch.
    pub created: i64,
    /// The command that made it.
    pub created_by: String,
    /// Names of the image.
    pub tags: Option<Vec<String>>,
    /// Bytes of its layer.
    pub size: i64,
    /// What its maker says.
    pub comment: String,
}

/// What `docker image prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImagePrune {
    /// Names and images that are gone; `null` when there are none.
    pub images_deleted: Option<Vec<ImageDelete>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}

/// One line of `docker rmi`; exactly one of the two is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageDelete {
    /// A name that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untagged: Option<String>,
    /// An image or a layer that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
}
