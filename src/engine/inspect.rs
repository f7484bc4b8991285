//! `docker inspect` of a container.

use super::{Engine, Error};
use crate::container::inspect;
use crate::wire::ContainerInspect;

impl Engine {
    /// Everything known of a container; with `size` also its bytes.
    ///
    /// # Errors
    /// No such container.
    pub async fn inspect(&self, wanted: &str, size: bool) -> Result<ContainerInspect, Error> {
        let record = self.containers.find(wanted)?.snapshot();
        let directory = self.places.container(&record.id);
        let mut answer = inspect::of(&record, &directory, &self.places.bundle(&record.id));
        if size {
            let (own, all) = self.sizes(&record).await;
            (answer.size_rw, answer.size_root_fs) = (Some(own), Some(all));
        }
        Ok(answer)
    }
}
