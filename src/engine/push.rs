//! `docker push`: the store does it; the engine tells the world.

use super::{Engine, Error};
use crate::image::{PushEvent, PushRequest};
use crate::kernel::TracedHost;

impl Engine {
    /// Pushes a tag, or all tags of a repository.
    ///
    /// # Errors
    /// As [`crate::image::Store::push`].
    pub async fn push(
        &self,
        door: &TracedHost,
        request: PushRequest,
        progress: impl Fn(PushEvent) + Send + Sync,
    ) -> Result<(), Error> {
        let reference = request.reference.clone();
        for pushed in self.images.push(door, request, progress).await? {
            let name = format!("{}:{}", reference.familiar_name(), pushed.tag);
            self.events.image(&name, &name, "push");
        }
        Ok(())
    }
}
