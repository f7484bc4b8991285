//! `POST /learn/store/check`.

use serde::{Deserialize, Serialize};

/// What a check of the image store saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StoreReport {
    /// Layers looked at.
    pub layers: usize,
    /// Blobs hashed.
    pub blobs: usize,
    /// What is amiss.
    pub findings: Vec<StoreFinding>,
}

/// One thing that is amiss.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StoreFinding {
    /// What is wrong: the end of `check.<…>` in `lessons/ui.yaml`.
    pub damage: String,
    /// Digest, diff id, name or path.
    pub object: String,
    /// Paths within a layer that are not what its blob says.
    pub paths: Vec<String>,
    /// Whether it was mended.
    pub mended: bool,
}
