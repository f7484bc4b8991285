//! `learn system check`: the image store, seen with the containers that stand on it.

use super::{Engine, Error};
use crate::image::store::Damage;
use crate::kernel::TracedHost;
use crate::wire::{StoreFinding, StoreReport};

impl Engine {
    /// Checks the store; mends it where `repair` says so and no container stands on it.
    ///
    /// # Errors
    /// As [`crate::image::Store::check`].
    pub async fn check_store(&self, door: &TracedHost, repair: bool) -> Result<StoreReport, Error> {
        let held: Vec<String> =
            self.containers.all().iter().flat_map(|c| c.record().snapshot.diff_ids.clone()).collect();
        let report = self.images.check(door, repair, &held).await?;
        let finding = |found: crate::image::store::Finding| StoreFinding {
            damage: found.damage.name().to_owned(),
            paths: match found.damage {
                Damage::TreeDifferent(paths) => paths,
                _ => Vec::new(),
            },
            object: found.object,
            mended: found.mended,
        };
        Ok(StoreReport {
            layers: report.layers,
            blobs: report.blobs,
            findings: report.findings.into_iter().map(finding).collect(),
        })
    }
}
