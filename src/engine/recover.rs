//! After a restart: containers of the earlier daemon are found again, what it left half done is
//! finished or taken away.

use super::shim::ShimSocket;
use super::{Container, Engine, Error};
use crate::container::{Record, Status};
use crate::kernel::TracedHost;
use crate::op::{CgroupOp, FsOp};
use crate::runtime::protocol::Exit;
use std::sync::Arc;

impl Engine {
    /// Reads all records. A running container whose shim answers goes on; one whose shim is gone
    /// has ended. Directories without a record were never containers; those being removed go.
    ///
    /// # Errors
    /// A malformed record, named with file and line: nothing is guessed, nothing removed.
    pub async fn recover(self: &Arc<Self>, door: &TracedHost) -> Result<(), Error> {
        let directory = self.places.containers();
        for id in self.host.list(&directory).unwrap_or_default() {
            let Some(record) = self.read_record(&id)? else {
                door.perform(FsOp::RemoveTree { path: self.places.container(&id) }).await?;
                continue;
            };
            if matches!(record.state.status, Status::Removing | Status::Dead) || was_to_go(&record) {
                self.release_groups(door, &record.id).await?;
                door.perform(FsOp::RemoveTree { path: self.places.container(&id) }).await?;
                continue;
            }
            self.take_back(door, record).await?;
        }
        Ok(())
    }

    fn read_record(&self, id: &str) -> Result<Option<Record>, Error> {
        let path = self.places.record(id);
        let bytes = match self.host.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Read { path, reason: error.to_string() }),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Read {
            path: format!("{path}:{}:{}", error.line(), error.column()),
            reason: format!("expected a container's record: {error}"),
        })
    }

    async fn take_back(self: &Arc<Self>, door: &TracedHost, record: Record) -> Result<(), Error> {
        let container = Container::new(record);
        self.containers.insert(container.clone());
        match ShimSocket::connect(&self.places.shim_socket(&container.id)) {
            Ok(socket) => self.rejoin(door, container, socket).await,
            Err(_) => self.settle(door, &container).await,
        }
    }

    /// The shim answers: it says the pid again, and the exit when it comes. A daemon killed
    /// between the start and its record learns of the start here.
    async fn rejoin(
        self: &Arc<Self>,
        door: &TracedHost,
        container: Arc<Container>,
        socket: ShimSocket,
    ) -> Result<(), Error> {
        use crate::runtime::protocol::FromShim;
        let socket = Arc::new(socket);
        if let Ok(Some(FromShim::Started { pid, shim })) = socket.receive().await {
            let newly = {
                let mut record = container.record();
                let running = record.state.is_running();
                if !running {
                    let now = self.stamp();
                    record.state.start(pid, shim, now)?;
                }
                (!running).then(|| record.clone())
            };
            if let Some(record) = newly {
                self.persist(door, &record).await?;
            }
        }
        container.set_shim(Some(socket.clone()));
        container.advance(|progress| progress.running = true);
        self.attend(door, container, socket);
        Ok(())
    }

    /// Nobody answers: if it ran, it has ended, and its groups may be left.
    async fn settle(self: &Arc<Self>, door: &TracedHost, container: &Arc<Container>) -> Result<(), Error> {
        self.release_groups(door, &container.id).await?;
        if !container.record().state.is_running() {
            return Ok(());
        }
        let exit: Exit = self.exit_of(container);
        self.conclude(door, container, exit).await;
        Ok(())
    }

    /// Removes control groups a killed shim could not.
    async fn release_groups(&self, door: &TracedHost, id: &str) -> Result<(), Error> {
        let cgroups = &self.machine.cgroups;
        let unified = cgroups.v2.iter().map(|v2| &v2.mount);
        for mount in cgroups.v1.values().chain(unified) {
            let path = format!("{mount}/learn/{id}");
            if self.host.list(&path).is_ok() {
                // A group with a process left in it stays: it says so, and the next start tries again.
                let _ = door.perform(CgroupOp::Remove { path }).await;
            }
        }
        Ok(())
    }
}

/// A container of `--rm` that ended: the daemon was killed before it could remove it.
fn was_to_go(record: &Record) -> bool {
    record.host_config.auto_remove && record.state.status == Status::Exited
}
