//! `docker pull`: the store does it; the engine says who may and tells the world.

use super::{Engine, Error};
use crate::image::{Credentials, Platform, PullEvent, PullRequest, Pulled, Reference};
use crate::kernel::TracedHost;

impl Engine {
    /// Pulls an image. Dropping the future abandons what nobody else waits for.
    ///
    /// # Errors
    /// As [`crate::image::Store::pull`].
    pub async fn pull(
        &self,
        door: &TracedHost,
        reference: Reference,
        platform: Option<Platform>,
        credentials: Credentials,
        progress: impl Fn(PullEvent) + Send + Sync,
    ) -> Result<Pulled, Error> {
        let name = reference.familiar();
        let pulled =
            self.images.pull(door, PullRequest { reference, platform, credentials }, progress).await?;
        self.events.image(&pulled.image.id, &name, "pull");
        Ok(pulled)
    }
}
