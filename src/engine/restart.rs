//! `docker restart`, and restarts by policy.

use super::stop::StopOptions;
use super::{Container, Engine, Error};
use crate::container::{Status, restart};
use crate::kernel::TracedHost;
use crate::op::FsOp;
use crate::trace::Scope;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Engine {
    /// Stops a container if it runs, and starts it. One of `--rm` is not removed in between.
    ///
    /// # Errors
    /// No such container; no such signal; it cannot be started.
    pub async fn restart(
        self: &Arc<Self>,
        door: &TracedHost,
        wanted: &str,
        options: StopOptions<'_>,
    ) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        door.within(Scope::ContainerRestart, container.short_id(), async |door: TracedHost| {
            container.kept.store(true, Ordering::SeqCst);
            let restarted = async {
                self.stop_container(&door, &container, options).await?;
                self.forget_volatile(&door, &container).await?;
                self.start(&door, &container.id).await
            };
            let restarted = restarted.await;
            container.kept.store(false, Ordering::SeqCst);
            restarted.map_err(|error| Error::Restart(wanted.to_owned(), Box::new(error)))
        })
        .await?;
        self.events.container(&container.snapshot(), "restart", &[]);
        Ok(())
    }

    /// A container of `--rm` is mounted `volatile`, and the kernel mounts such a layer once: after a
    /// crash of the machine nobody could say what of it is whole. There was none, or this daemon
    /// would not be here, so its mark may go. Kernel documentation, overlayfs.
    async fn forget_volatile(&self, door: &TracedHost, container: &Container) -> Result<(), Error> {
        let work = container.record().snapshot.data.get("WorkDir").cloned();
        let Some(mark) = work.map(|work| format!("{work}/work/incompat")) else { return Ok(()) };
        if self.host.list(&mark).is_ok() {
            door.perform(FsOp::RemoveTree { path: mark }).await?;
        }
        Ok(())
    }

    /// Starts a container whose policy says so, after its wait. Each restart has a trace of its
    /// own: the one that began the first run belongs to a client that may be long gone.
    pub(super) fn restart_after(self: &Arc<Self>, container: Arc<Container>, delay: Duration) {
        let engine = self.clone();
        let exits = container.watch().borrow().exits;
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let due = container.record().state.status == Status::Restarting
                && container.watch().borrow().exits == exits;
            if due {
                let title = format!("restart {} ({})", container.name(), engine.policy(&container));
                let door = engine.door(engine.traces.begin_own(title));
                engine.restart_by_policy(&door, &container).await;
            }
        });
    }

    fn policy(&self, container: &Container) -> String {
        container.record().host_config.restart_policy.name.clone()
    }

    async fn restart_by_policy(self: &Arc<Self>, door: &TracedHost, container: &Arc<Container>) {
        let _turn = container.turn.lock().await;
        // Stopped or removed while it waited for its turn.
        if container.record().state.status != Status::Restarting {
            return;
        }
        if self.launch_attended(door, container).await.is_err() {
            // Why is in the trace and in the record. As Docker, it is not tried again.
            let ended = self.end_restart(door, container).await;
            drop(ended);
        }
    }

    /// A container that waits for its restart will not see it.
    pub(super) async fn give_up_restart(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        number: i32,
    ) -> Result<(), Error> {
        let turn = container.turn.lock().await;
        let status = container.record().state.status;
        match status {
            Status::Restarting => self.end_restart(door, container).await,
            // It was started while its turn was waited for.
            Status::Running => {
                drop(turn);
                self.signal(door, container, number).await
            }
            _ => Ok(()),
        }
    }

    async fn end_restart(&self, door: &TracedHost, container: &Container) -> Result<(), Error> {
        let record = {
            let mut record = container.record();
            record.state.step(Status::Exited)?;
            record.clone()
        };
        let written = self.persist(door, &record).await;
        container.advance(|progress| progress.restarting = false);
        written
    }

    /// A daemon that has just started: what a policy wants to run is started.
    pub(super) fn restart_at_boot(self: &Arc<Self>, container: &Arc<Container>) {
        let due = {
            let mut record = container.record();
            let waits = record.state.status == Status::Restarting;
            let ended = record.state.status == Status::Exited && restart::after_boot(&record);
            if ended {
                record.state.status = Status::Restarting;
                record.state.stopped_by_hand = false;
                record.state.restarts = 0;
            }
            waits || ended
        };
        if due {
            container.advance(|progress| progress.restarting = true);
            self.restart_after(container.clone(), Duration::ZERO);
        }
    }
}
