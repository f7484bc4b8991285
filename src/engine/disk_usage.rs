//! `docker system df`: what takes how much space.

use super::list::ListOptions;
use super::{Engine, Error};
use crate::wire::{DiskUsage, Filters, ImageSummary};
use std::collections::BTreeMap;

impl Engine {
    /// Images, containers and volumes with their sizes, counted now.
    ///
    /// # Errors
    /// As the lists.
    pub async fn disk_usage(&self) -> Result<DiskUsage, Error> {
        let all = ListOptions { all: true, size: true, ..ListOptions::default() };
        let containers = self.list(&all).await?;
        let mut images = self.list_images(&Filters::default())?;
        self.share_sizes(&mut images);
        let layers_size = i64::try_from(self.images.layer_bytes()).unwrap_or(i64::MAX);
        Ok(DiskUsage { layers_size, images, containers, ..DiskUsage::default() })
    }

    /// Says of each image how many of its bytes are in layers that others have, too.
    fn share_sizes(&self, summaries: &mut [ImageSummary]) {
        let images = self.images.list();
        let mut users: BTreeMap<&str, usize> = BTreeMap::new();
        for layer in images.iter().flat_map(|image| &image.layers) {
            *users.entry(&layer.diff_id).or_default() += 1;
        }
        for summary in summaries {
            let Some(image) = images.iter().find(|image| image.id == summary.id) else { continue };
            let shared = image.layers.iter().filter(|layer| users.get(layer.diff_id.as_str()) > Some(&1));
            summary.shared_size =
                i64::try_from(shared.map(crate::image::Layer::bytes).sum::<u64>()).unwrap_or(i64::MAX);
        }
    }
}
