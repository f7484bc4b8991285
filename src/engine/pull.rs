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

    /// Pulls every tag of a repository, one after the other.
    ///
    /// # Errors
    /// As [`Engine::pull`]; the first tag that fails ends it.
    pub async fn pull_all(
        &self,
        door: &TracedHost,
        request: PullRequest,
        progress: impl Fn(PullEvent) + Send + Sync,
    ) -> Result<(), Error> {
        let PullRequest { reference, credentials, .. } = request.clone();
        let mut newer = false;
        for tag in self.images.remote_tags(door, &reference, credentials).await? {
            let one = format!("{}:{tag}", reference.name()).parse().map_err(crate::image::Error::from)?;
            // How it ended is said once, of all.
            let told = |event: PullEvent| {
                if !event.status.starts_with("Status: ") {
                    progress(event);
                }
            };
            newer |= self.pull(door, PullRequest { reference: one, ..request.clone() }, told).await?.newer;
        }
        let status = if newer { "Downloaded newer image for" } else { "Image is up to date for" };
        progress(PullEvent::line(format!("Status: {status} {}", reference.familiar_name())));
        Ok(())
    }
}
