//! `docker history`: how an image came to be, newest step first.

use super::{Engine, Error};
use crate::image::Image;
use crate::wire::HistoryItem;
use jiff::Timestamp;

/// What stands for the id of a step that left no image of its own.
const MISSING: &str = "<missing>";

impl Engine {
    /// The steps of an image. A configuration without a history has one step for each layer.
    ///
    /// # Errors
    /// No such image.
    pub fn history(&self, word: &str) -> Result<Vec<HistoryItem>, Error> {
        let image = self.images.find(word)?;
        let mut items = steps(&image);
        items.reverse();
        if let Some(top) = items.first_mut() {
            top.id.clone_from(&image.id);
            top.tags = Some(image.repo_tags()).filter(|tags| !tags.is_empty());
        }
        Ok(items)
    }
}

/// Oldest first.
fn steps(image: &Image) -> Vec<HistoryItem> {
    let mut layers = image.layers.iter();
    let mut size = || layers.next().map_or(0, |layer| i64::try_from(layer.bytes()).unwrap_or(i64::MAX));
    let step = |size| HistoryItem { id: MISSING.into(), size, ..HistoryItem::default() };
    match image.config.history() {
        None => image.layers.iter().map(|_| step(size())).collect(),
        Some(history) => history
            .iter()
            .map(|entry| HistoryItem {
                created: entry
                    .created()
                    .as_ref()
                    .and_then(|time| time.parse::<Timestamp>().ok())
                    .map_or(0, Timestamp::as_second),
                created_by: entry.created_by().clone().unwrap_or_default(),
                comment: entry.comment().clone().unwrap_or_default(),
                ..step(if entry.empty_layer().unwrap_or(false) { 0 } else { size() })
            })
            .collect(),
    }
}
