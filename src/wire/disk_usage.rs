//! `GET /system/df`.

use super::{ContainerSummary, ImageSummary, nullable};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What takes how much space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    /// Bytes of all layers, each counted once.
    pub layers_size: i64,
    /// Images, with what they share.
    #[serde(deserialize_with = "nullable")]
    pub images: Vec<ImageSummary>,
    /// Containers, with their sizes.
    #[serde(deserialize_with = "nullable")]
    pub containers: Vec<ContainerSummary>,
    /// Volumes, with their sizes.
    #[serde(deserialize_with = "nullable")]
    pub volumes: Vec<Value>,
    /// What builds keep for the next one.
    #[serde(deserialize_with = "nullable")]
    pub build_cache: Vec<Value>,
}
