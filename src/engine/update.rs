//! `docker update`: limits of a running container, and its restart policy.

use super::{Container, Engine, Error};
use crate::container::{Status, limits, restart, update};
use crate::kernel::TracedHost;
use crate::op::Op;
use crate::runtime::limits::Groups;
use crate::trace::Scope;
use crate::wire::HostConfig;

impl Engine {
    /// Changes what `asked` names; zero and empty mean "as it was". The kernel first, then the
    /// record: what the kernel refuses is not written down. Warnings for the client.
    ///
    /// # Errors
    /// No such container; values that make no sense, alone or with what is there already; the
    /// kernel's refusal.
    pub async fn update(
        &self,
        door: &TracedHost,
        wanted: &str,
        asked: HostConfig,
    ) -> Result<Vec<String>, Error> {
        limits::check(&asked, self.processors())?;
        limits::check_delegated(&asked, &self.machine)?;
        let container = self.containers.find(wanted)?;
        let _turn = container.turn.lock().await;
        let explain = |error: Error| Error::Update(container.id.clone(), Box::new(error));
        let mut asked = asked;
        let warnings = limits::adapt_asked(&mut asked, &self.machine);
        let before = container.snapshot();
        if matches!(before.state.status, Status::Removing | Status::Dead) {
            return Err(explain(Error::Invalid(
                "Container is marked for removal and cannot be \"update\".".into(),
            )));
        }
        let mut changed = before.host_config.clone();
        update::merge(&mut changed, &asked).map_err(|error| explain(error.into()))?;
        restart::check_update(&asked, &before.host_config).map_err(|error| explain(error.into()))?;
        if !asked.restart_policy.name.is_empty() {
            changed.restart_policy = asked.restart_policy.clone();
        }
        door.within(Scope::ContainerUpdate, container.short_id(), async |door: TracedHost| {
            if before.state.has_process() {
                self.rewrite_limits(&door, &container, &asked, &changed).await.map_err(explain)?;
            }
            let record = {
                let mut record = container.record();
                record.host_config = changed;
                record.clone()
            };
            let written = self.persist(&door, &record).await;
            if written.is_err() {
                container.record().host_config = before.host_config.clone();
            }
            written
        })
        .await?;
        self.events.container(&container.snapshot(), "update", &[]);
        Ok(warnings)
    }

    /// Writes what was asked for into the control files. What has been written when one is refused
    /// is put back.
    async fn rewrite_limits(
        &self,
        door: &TracedHost,
        container: &Container,
        asked: &HostConfig,
        changed: &HostConfig,
    ) -> Result<(), Error> {
        let resources = update::resources(asked, changed);
        let path = format!("/learn/{}", container.id);
        let refused = |refused: crate::runtime::limits::Refused| Error::Invalid(refused.to_string());
        let writes = Groups::rewrite(&self.machine, &path, &resources).map_err(refused)?;
        let mut before: Vec<Op> = Vec::new();
        for write in writes {
            let earlier = self.as_it_is(&write);
            if let Err(error) = door.perform(write).await {
                for op in before.into_iter().rev() {
                    // The first refusal is the one to tell; this one is in the trace.
                    let _ = door.perform(op).await;
                }
                return Err(error.into());
            }
            before.extend(earlier);
        }
        Ok(())
    }

    /// The write that would leave a control file as it is now.
    fn as_it_is(&self, write: &Op) -> Option<Op> {
        use crate::op::FsOp;
        let Op::Fs(FsOp::WriteFile { path, why, .. }) = write else { return None };
        let value = String::from_utf8(self.host.read(path).ok()?).ok()?.trim_end().to_owned();
        Some(FsOp::WriteFile { path: path.clone(), value, why: *why }.into())
    }
}
