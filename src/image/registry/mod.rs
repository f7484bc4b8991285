//! The client of registries: the OCI distribution specification, as Docker Hub and others speak it.
//!
//! ```text
//!  choose ─▶ endpoint ─▶ session ── auth ──▶ token service
//!                           │
//!                           ├─ document()  manifests, configurations: small, whole
//!                           └─ blob()      layers: a stream that resumes by itself
//!                        transport: redirects, retries, patience with 429
//! ```
//!
//! Every request is an operation performed through the traced door. Secrets travel beside it: in
//! records they are `***`.

pub mod auth;
mod blob;
mod challenge;
pub mod choose;
pub mod endpoint;
pub mod error;
mod request;
mod search;
mod session;
mod transport;
mod upload;

pub use crate::wire::Credentials;
pub use choose::{Builtin, Chosen, Hub};
pub use endpoint::{Endpoint, RegistryConfig};
pub use error::Error;
pub use search::Hit;
pub use session::{Actions, Described, Session};
pub use transport::Retry;
pub use upload::Begun;

use auth::Tokens;
use choose::Reach;
use transport::Transport;

/// The client; one per daemon, it remembers tokens and whether Docker Hub answered.
#[derive(Debug)]
pub struct Client {
    config: RegistryConfig,
    transport: Transport,
    tokens: Tokens,
    reach: Reach,
}

impl Client {
    /// A client of the given configuration.
    pub fn new(config: RegistryConfig) -> Client {
        let transport = Transport::new(config.retry);
        Client { config, transport, tokens: Tokens::default(), reach: Reach::default() }
    }

    /// Its configuration.
    pub fn config(&self) -> &RegistryConfig {
        &self.config
    }
}
