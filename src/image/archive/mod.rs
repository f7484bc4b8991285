//! Archives of images: Docker's (`manifest.json`) and OCI's layout (`index.json`), which modern
//! engines write into one and the same tar.
//!
//! ```text
//!  oci-layout             "this is a layout"            OCI image specification, image-layout.md
//!  index.json             manifests, with their names
//!  blobs/sha256/<hex>     manifests, configurations, layers
//!  manifest.json          the same for Docker: configuration, names, layers
//!  repositories           names, for engines before 1.10
//! ```

pub(super) mod read;
pub(super) mod write;

use serde::{Deserialize, Serialize};

/// An image's full name in the annotations of `index.json`, as containerd writes it.
const NAME: &str = "io.containerd.image.name";
/// Its tag or full name there, as the specification has it.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// One image in `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}
