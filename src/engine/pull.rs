//! `docker pull`: the store does it; the engine says who may and tells the world.

use super::{Engine, Error};
use crate::image::{PullEvent, PullRequest, Pulled};
use crate::kernel::TracedHost;

impl Engine {
    /// Pulls an image. Dropping the future abandons what nobody else waits for.
    ///
    /// # Errors
    /// As [`crate::image::Store::pull`].
    pub async fn pull(
        &self,
        door: &TracedHost,
        request: PullRequest,
        progress: impl Fn(PullEvent) + Send + Sync,
    ) -> Result<Pulled, Error> {
        let name = request.reference.familiar();
        let pulled = self.images.pull(door, request, progress).await?;
        self.events.image(&pulled.image.id, &name, "pull");
        Ok(pulled)
    }
}
