//! Volumes.

use super::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// RFC 3339.
    pub created_at: String,
    /// `local`.
    pub driver: String,
    /// Labels; `null` when there are none.
    pub labels: Option<BTreeMap<String, String>>,
    /// Directory of the host.
    pub mountpoint: String,
    /// As containers ask for it.
    pub name: String,
    /// Options of the driver; `null` when there are none.
    pub options: Option<BTreeMap<String, String>>,
    /// `local`.
    pub scope: String,
}

/// `GET /volumes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeList {
    /// By name.
    #[serde(deserialize_with = "nullable")]
    pub volumes: Vec<Volume>,
    /// What went wrong on the way.
    pub warnings: Option<Vec<String>>,
}

/// `POST /volumes/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeRequest {
    /// Empty for a made-up one.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Empty for `local`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Options of the driver.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a prune of volumes removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumePrune {
    /// Names; `null` when there are none.
    pub volumes_deleted: Option<Vec<String>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}
