//! `docker diff`: what a container changed of its image.

use super::{Engine, Error};
use crate::container::{Record, changes};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::wire::Change;
use std::sync::Arc;

impl Engine {
    /// Changes, by path.
    ///
    /// # Errors
    /// No such container; its layers cannot be read; it has no layers of its own because this
    /// machine has no overlayfs.
    pub async fn diff(self: &Arc<Self>, door: &TracedHost, wanted: &str) -> Result<Vec<Change>, Error> {
        let container = self.containers.find(wanted)?;
        let record = container.snapshot();
        door.within(Scope::ContainerDiff, record.short_id(), async |door: TracedHost| {
            let upper = writable_layer(&record, "diff")?.to_owned();
            let lower: Vec<String> = record.snapshot.layers.iter().rev().cloned().collect();
            let (host, directory) = (self.host.clone(), upper.clone());
            let survey = tokio::task::spawn_blocking(move || changes::of(&*host, &directory, &lower));
            let found = match survey.await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => return Err(Error::Read { path: upper, reason: error.to_string() }),
                Err(error) => return Err(Error::Invalid(error.to_string())),
            };
            let count = |kind: u8| found.iter().filter(|change| change.kind == kind).count();
            let counted = facts([
                ("changed", &count(0)),
                ("added", &count(1)),
                ("deleted", &count(2)),
                ("upper", &upper),
            ]);
            door.note(Note::Changes, counted);
            Ok(found)
        })
        .await
    }
}

/// The container's own layer.
pub(super) fn writable_layer<'a>(record: &'a Record, verb: &str) -> Result<&'a str, Error> {
    let upper = record.snapshot.data.get("UpperDir").filter(|_| record.snapshot.overlay.is_some());
    let refused = || crate::container::Error::Unsupported(format!("{verb} of a container without overlayfs"));
    Ok(upper.ok_or_else(refused)?)
}
