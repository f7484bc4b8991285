//! `docker rm`: record, log and writable layer go.

use super::create::is_missing;
use super::{Container, Engine, Error};
use crate::container::Status;
use crate::kernel::TracedHost;
use crate::op::FsOp;
use crate::trace::Scope;
use std::sync::Arc;

impl Engine {
    /// Removes a container; a running one only by `force`, which kills it first.
    ///
    /// # Errors
    /// No such container; it runs; somebody else removes it; the disk refuses.
    pub async fn remove(self: &Arc<Self>, door: &TracedHost, wanted: &str, force: bool) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        let state = container.record().state.status;
        let running = container.record().state.is_running();
        if running {
            if !force {
                return Err(Error::RemoveRunning { id: container.id.clone(), state });
            }
            self.kill(door, &container.id, None).await.or_else(|error| match error {
                // It ended by itself meanwhile.
                Error::Kill(_, cause) if matches!(*cause, Error::NotRunning(_)) => Ok(()),
                error => Err(error),
            })?;
        }
        let Ok(_turn) = container.turn.try_lock() else {
            return Err(Error::Removing(wanted.to_owned()));
        };
        self.discard(door, &container).await
    }

    /// Removes a link between containers (`--link`). This engine makes none, so there is never one.
    ///
    /// # Errors
    /// No such container; no such link, in Docker's words.
    pub fn remove_link(&self, wanted: &str) -> Result<(), Error> {
        let path = wanted.trim_start_matches('/');
        match path.rsplit_once('/') {
            Some((parent, _)) => Err(Error::NoLink(format!("Cannot get parent /{parent} for name /{path}"))),
            None => {
                self.containers.find(wanted)?;
                Err(Error::NoLink("Conflict, cannot remove the default link name of the container".into()))
            }
        }
    }

    /// Removes a container whose turn the caller has. The record says `removing` first, and what
    /// holds the record goes last: a daemon killed in the middle goes on with it at its next start.
    /// One of `--rm` whose shim is gone is removed then whatever its record says.
    pub(super) async fn discard(&self, door: &TracedHost, container: &Arc<Container>) -> Result<(), Error> {
        if self.containers.find(&container.id).is_err() {
            return Ok(());
        }
        let record = {
            let mut record = container.record();
            record.state.step(Status::Removing)?;
            record.clone()
        };
        let removed: Result<(), Error> = door
            .within(Scope::ContainerRemove, container.short_id(), |door| async move {
                let mut trees = vec![self.places.container(&record.id)];
                let bundle = self.places.bundle(&record.id);
                if record.host_config.auto_remove {
                    trees.push(bundle);
                } else {
                    self.persist(&door, &record).await?;
                    // One that never ran has none.
                    if !is_missing(&door, &bundle) {
                        trees.insert(0, bundle);
                    }
                }
                for path in trees {
                    door.perform(FsOp::RemoveTree { path }).await?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = removed {
            container.record().state.status = Status::Dead;
            return Err(error);
        }
        drop(container.take_pending());
        self.containers.remove(container);
        self.execs.forget(&container.id);
        self.events.container(&container.snapshot(), "destroy", &[]);
        container.advance(|progress| progress.removed = true);
        Ok(())
    }
}
