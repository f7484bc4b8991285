//! `docker pause` and `docker unpause`: the freezer of the control groups.

use super::{Container, Engine, Error};
use crate::container::Status;
use crate::kernel::TracedHost;
use crate::op::CgroupOp;
use crate::trace::{Note, Scope, facts};
use std::sync::Arc;

impl Engine {
    /// Freezes every process of a container.
    ///
    /// # Errors
    /// No such container; it does not run, or is paused; this daemon has no freezer.
    pub async fn pause(&self, door: &TracedHost, wanted: &str) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        let _turn = container.turn.lock().await;
        let id = || container.id.clone();
        let status = container.record().state.status;
        match status {
            Status::Running => {}
            Status::Paused => return Err(Error::AlreadyPaused(id())),
            Status::Restarting => return Err(Error::Restarting(id())),
            _ => return Err(Error::NotRunning(id())),
        }
        let file = self.freezer(&container.id).ok_or_else(|| self.no_freezer(&container))?;
        door.within(Scope::ContainerPause, container.short_id(), async |door: TracedHost| {
            door.perform(CgroupOp::Freeze { file: file.clone() }).await?;
            self.note_frozen(&door, &file);
            let changed = self.step(&door, &container, Status::Paused).await;
            if changed.is_err() {
                // Ended meanwhile, or not written down: frozen unknown to anybody it must not stay.
                let _ = door.perform(CgroupOp::Thaw { file: file.clone() }).await;
            }
            changed
        })
        .await?;
        self.events.container(&container.snapshot(), "pause", &[]);
        Ok(())
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    /// No such container; it is not paused.
    pub async fn unpause(&self, door: &TracedHost, wanted: &str) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        let _turn = container.turn.lock().await;
        if container.record().state.status != Status::Paused {
            return Err(Error::NotPaused(container.id.clone()));
        }
        self.thaw(door, &container).await
    }

    /// The same, for a verb whose signal would not be seen otherwise.
    pub(super) async fn thaw(&self, door: &TracedHost, container: &Arc<Container>) -> Result<(), Error> {
        let Some(file) = self.freezer(&container.id) else { return Ok(()) };
        let thawed = door
            .within(Scope::ContainerUnpause, container.short_id(), async |door: TracedHost| {
                // Written down first: what is thawed may end at once.
                self.step(&door, container, Status::Running).await?;
                door.perform(CgroupOp::Thaw { file }).await?;
                Ok(())
            })
            .await;
        match thawed {
            // Killed meanwhile: there is nothing left to thaw.
            Err(_) if !container.record().state.has_process() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.events.container(&container.snapshot(), "unpause", &[]);
                Ok(())
            }
        }
    }

    async fn step(&self, door: &TracedHost, container: &Container, next: Status) -> Result<(), Error> {
        let record = {
            let mut record = container.record();
            record.state.step(next)?;
            record.clone()
        };
        self.persist(door, &record).await
    }

    /// Whether the kernel holds a container frozen, whatever the record says: a daemon may have been
    /// killed between the one and the other.
    pub(super) fn is_frozen(&self, id: &str) -> bool {
        let Some(file) = self.freezer(id) else { return false };
        let word = self.host.read(&file).unwrap_or_default();
        String::from_utf8_lossy(&word).trim_end() == CgroupOp::freezer_word(&file, true)
    }

    /// The file that freezes a container: v1's hierarchy where there is one, else v2's.
    fn freezer(&self, id: &str) -> Option<String> {
        if self.machine.unprivileged() {
            return None;
        }
        let cgroups = &self.machine.cgroups;
        let v1 = cgroups.v1.get("freezer").map(|mount| format!("{mount}/learn/{id}/freezer.state"));
        v1.or_else(|| {
            let v2 = cgroups.v2.as_ref().filter(|v2| v2.writable)?;
            Some(format!("{}/learn/{id}/cgroup.freeze", v2.mount))
        })
    }

    fn no_freezer(&self, container: &Container) -> Error {
        let why = match self.machine.unprivileged() {
            true => "control groups are not delegated to users other than root",
            false => "no control groups are mounted",
        };
        Error::NoFreezer(container.id.clone(), why)
    }

    fn note_frozen(&self, door: &TracedHost, file: &str) {
        let group = file.rsplit_once('/').map_or("", |(group, _)| group);
        let members = self.host.read(&format!("{group}/cgroup.procs")).unwrap_or_default();
        let count = members.iter().filter(|byte| **byte == b'\n').count();
        door.note(Note::Frozen, facts([("count", &count), ("path", &file)]));
    }
}
