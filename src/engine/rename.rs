//! `docker rename`: the record and the table get another name, nothing else changes.

use super::{Engine, Error};
use crate::container::{Status, name};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};

impl Engine {
    /// Gives a container another name.
    ///
    /// # Errors
    /// No such container; it is being removed; the name is taken, is no name, or is its own.
    pub async fn rename(&self, door: &TracedHost, wanted: &str, to: &str) -> Result<(), Error> {
        if to.trim_start_matches('/').is_empty() {
            return Err(Error::Invalid("Neither old nor new names may be empty".into()));
        }
        let container = self.containers.find(wanted)?;
        let _turn = container.turn.lock().await;
        let old = container.name();
        if old == to.trim_start_matches('/') {
            return Err(Error::Invalid("Renaming a container with the same name as its current name".into()));
        }
        if matches!(container.record().state.status, Status::Removing | Status::Dead) {
            return Err(Error::MarkedForRemoval);
        }
        let explain = |error: Error| Error::Rename(Box::new(error));
        let to = name::check(to).map_err(|error| explain(error.into()))?;
        door.within(Scope::ContainerRename, container.short_id(), async |door: TracedHost| {
            self.containers.rename(&container, &to).map_err(explain)?;
            door.note(Note::Renamed, facts([("old", &old), ("name", &to)]));
            let written = self.persist(&door, &container.snapshot()).await;
            if written.is_err() {
                // The old name is free: it was given back a moment ago. Taken since, it stays lost.
                let _ = self.containers.rename(&container, &old);
            }
            written
        })
        .await?;
        self.events.container(&container.snapshot(), "rename", &[("oldName", format!("/{old}"))]);
        Ok(())
    }
}
