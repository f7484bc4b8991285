//! The window of a terminal's client has another size.

use super::{Engine, Error};
use crate::runtime::protocol::ToShim;

impl Engine {
    /// Tells a running container's terminal the size of its window. Without a terminal there is
    /// nothing to change, which is no error.
    ///
    /// # Errors
    /// No such container; it does not run; its shim is gone.
    pub async fn resize(&self, wanted: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        let shim = container.shim().filter(|_| container.record().state.is_running());
        let shim = shim.ok_or_else(|| Error::NotRunning(container.id.clone()))?;
        // A shim that is on its way out says the same.
        let ended = |_| Error::NotRunning(container.id.clone());
        shim.send(&ToShim::Resize { rows, columns }, None).await.map_err(ended)?;
        let size = [("height", rows.to_string()), ("width", columns.to_string())];
        self.events.container(&container.snapshot(), "resize", &size);
        Ok(())
    }
}
