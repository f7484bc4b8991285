//! Images: names, manifests, the registry they come from and the store they are kept in.
//!
//! ```text
//!  Reference ──▶ pull ──▶ registry (Docker Hub, mirror, built-in hub, any other)
//!                 │          manifest list ─▶ manifest ─▶ configuration, layers
//!                 ▼
//!               Store      blobs/  layers/  images.json      ──▶ snapshot (overlay or copy)
//! ```
//!
//! A pull knows four hashes, and this module names each the same everywhere: the *digest* of a
//! compressed layer, the *diff id* of the tar inside, the *manifest digest* (of the list or index
//! when there is one), and the *image id*, which is the digest of the configuration.

pub mod commit;
pub mod digest;
pub mod error;
pub mod manifest;
pub mod platform;
pub mod pull;
pub mod reference;
pub mod registry;
pub mod snapshot;
pub mod store;

pub use error::Error;
pub use manifest::Manifest;
pub use platform::Platform;
pub use pull::{PullEvent, PullRequest, Pulled};
pub use reference::Reference;
pub use registry::{Credentials, Hub, RegistryConfig};
pub use store::{Image, Layer, Store};
