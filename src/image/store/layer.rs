//! Layers in the record.

use super::super::error::Error;
use super::{Layer, Store};
use crate::kernel::TracedHost;
use crate::op::{FsOp, Op};

impl Store {
    /// The layer with this diff id, if it is unpacked.
    pub fn layer(&self, diff_id: &str) -> Option<Layer> {
        self.state().index.layers.get(diff_id).cloned()
    }

    /// Bytes of all layers, each counted once.
    pub fn layer_bytes(&self) -> u64 {
        self.state().index.layers.values().map(Layer::bytes).sum()
    }

    /// Takes a verified layer in: its blob, now at `from`, and its tree are moved into place, then
    /// recorded.
    ///
    /// # Errors
    /// When a file cannot be moved or the record not be written.
    pub(in crate::image) async fn adopt_layer(
        &self,
        door: &TracedHost,
        layer: Layer,
        from: &str,
        staging: &str,
    ) -> Result<(), Error> {
        door.perform(FsOp::Rename { from: from.to_owned(), to: self.blob_path(&layer.digest) }).await?;
        let path = self.layer_path(&layer.diff_id);
        if self.layer(&layer.diff_id).is_some() {
            // The same tree came under another digest meanwhile.
            door.perform(FsOp::RemoveTree { path: staging.to_owned() }).await?;
            return Ok(());
        }
        door.perform(FsOp::Rename { from: staging.to_owned(), to: path }).await?;
        self.replace(door, |state| state.index.layers.insert(layer.diff_id.clone(), layer)).await?;
        Ok(())
    }

    /// Layers that neither an image nor a pull needs, taken out of the record; the operations
    /// remove their files.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(in crate::image) async fn release_layers(
        &self,
        door: &TracedHost,
        candidates: &[String],
        held: &[String],
    ) -> Result<Vec<(Layer, Vec<Op>)>, Error> {
        let released = self
            .replace(door, |state| {
                let pins = self.pins();
                let used = state.used_layers();
                let free = |id: &&String| {
                    !used.contains(id.as_str()) && !pins.contains_key(*id) && !held.contains(id)
                };
                let free: Vec<String> = candidates.iter().filter(free).cloned().collect();
                free.iter().filter_map(|id| state.index.layers.remove(id)).collect::<Vec<Layer>>()
            })
            .await?;
        let still_used = |digest: &str| self.state().index.blobs().any(|used| used == digest);
        let files = released.into_iter().map(|layer| {
            let mut ops: Vec<Op> = vec![FsOp::RemoveTree { path: self.layer_path(&layer.diff_id) }.into()];
            if !still_used(&layer.digest) {
                ops.push(FsOp::RemoveFile { path: self.blob_path(&layer.digest) }.into());
            }
            (layer, ops)
        });
        Ok(files.collect())
    }
}
