//! After a restart: containers of the earlier daemon are found again, what it left half done is
//! finished or taken away.

use super::create::is_missing;
use super::shim::ShimSocket;
use super::{Container, Engine, Error};
use crate::container::{Record, Status};
use crate::kernel::TracedHost;
use crate::op::{CgroupOp, FsOp, ProcessOp};
use crate::runtime::protocol::Exit;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What Docker gives a program whose end nobody saw.
const UNSEEN_CODE: i32 = 255;

impl Engine {
    /// Reads all records. A running container whose shim answers goes on; one whose shim is gone
    /// has ended. Directories without a record were never containers; those being removed go.
    ///
    /// # Errors
    /// A malformed record, named with file and line: nothing is guessed, nothing removed.
    pub async fn recover(self: &Arc<Self>, door: &TracedHost) -> Result<(), Error> {
        self.recover_networks(door).await?;
        let directories = [self.places.containers(), self.places.bundles()];
        let listed = directories.iter().flat_map(|path| self.host.list(path).unwrap_or_default());
        for id in listed.collect::<BTreeSet<String>>() {
            match self.read_record(&id)? {
                Some(record) if was_to_go(&record) => {
                    self.clear_after_shim(door, &record.id).await;
                    self.sweep(door, &id).await?;
                }
                Some(record) => self.take_back(door, record).await?,
                None => self.sweep(door, &id).await?,
            }
        }
        self.settle_networks(door).await
    }

    /// Removes what is left of a container that is none.
    async fn sweep(&self, door: &TracedHost, id: &str) -> Result<(), Error> {
        for path in [self.places.container(id), self.places.bundle(id)] {
            if !is_missing(door, &path) {
                door.perform(FsOp::RemoveTree { path }).await?;
            }
        }
        Ok(())
    }

    /// The record on disk, else that of a container of `--rm`.
    fn read_record(&self, id: &str) -> Result<Option<Record>, Error> {
        let kept = self.read_record_at(self.places.record(id))?;
        match kept {
            Some(record) => Ok(Some(record)),
            None => self.read_record_at(self.places.passing_record(id)),
        }
    }

    fn read_record_at(&self, path: String) -> Result<Option<Record>, Error> {
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
        let Ok(Some(FromShim::Started { pid, shim })) = socket.receive().await else {
            // It was on its way out: its program ended, or never began.
            return self.settle(door, &container).await;
        };
        let newly = {
            let mut record = container.record();
            let known = record.state.has_process();
            if !known {
                let now = self.stamp();
                record.state.start(pid, shim, now)?;
            }
            // The daemon may have been killed between the freezer and the record.
            let status = if self.is_frozen(&container.id) { Status::Paused } else { Status::Running };
            let same = std::mem::replace(&mut record.state.status, status) == status;
            (!known || !same).then(|| record.clone())
        };
        if let Some(record) = newly {
            self.persist(door, &record).await?;
        }
        self.adopt_networks(door, &container).await;
        container.set_shim(Some(socket.clone()));
        container.advance(|progress| (progress.running, progress.restarting) = (true, false));
        self.recover_execs(door, &container).await?;
        self.attend(door, container, socket);
        Ok(())
    }

    /// Nobody answers: if it ran, it has ended, and its groups may be left. A daemon killed before
    /// it could write the start down learns from the exit file that there was one.
    async fn settle(self: &Arc<Self>, door: &TracedHost, container: &Arc<Container>) -> Result<(), Error> {
        self.clear_after_shim(door, &container.id).await;
        let left = self.exit_left(container);
        if !container.record().state.has_process() {
            let Some(exit) = &left else {
                self.restart_at_boot(container);
                return self.drop_if_temporary(door, container).await;
            };
            container.record().state.start(0, 0, exit.at.clone())?;
        }
        let unseen = Exit { code: UNSEEN_CODE, signal: None, oom: false, at: self.stamp() };
        self.conclude(door, container, left.unwrap_or(unseen)).await;
        Ok(())
    }

    /// A container of `--rm` that never ran has nobody left to start it.
    async fn drop_if_temporary(&self, door: &TracedHost, container: &Arc<Container>) -> Result<(), Error> {
        if !container.record().host_config.auto_remove {
            return Ok(());
        }
        self.discard(door, container).await
    }

    /// Takes away what a killed shim could not: its socket, what is left of its container's
    /// processes, its control groups. What cannot be removed says so in the trace; the next start
    /// tries again.
    pub(super) async fn clear_after_shim(&self, door: &TracedHost, id: &str) {
        let socket = self.places.shim_socket(id);
        if self.host.size(&socket).is_ok() {
            let _ = door.perform(FsOp::RemoveFile { path: socket }).await;
        }
        let cgroups = &self.machine.cgroups;
        let unified = cgroups.v2.iter().map(|v2| &v2.mount);
        for mount in cgroups.v1.values().chain(unified) {
            let path = format!("{mount}/learn/{id}");
            let members = self.host.read(&format!("{path}/cgroup.procs"));
            for pid in String::from_utf8_lossy(&members.unwrap_or_default()).lines() {
                if let Ok(pid) = pid.parse() {
                    let _ = door.perform(ProcessOp::Signal { pid, signal: "SIGKILL".into() }).await;
                }
            }
            if self.host.list(&path).is_ok() {
                let _ = door.perform(CgroupOp::Remove { path }).await;
            }
        }
    }
}

/// The daemon was killed while it removed this one, or before it could, as `--rm` asks.
fn was_to_go(record: &Record) -> bool {
    let status = record.state.status;
    matches!(status, Status::Removing | Status::Dead)
        || (record.host_config.auto_remove && status == Status::Exited)
}
