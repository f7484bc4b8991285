//! `docker kill`: one signal, at once.

use super::{Container, Engine, Error};
use crate::container::{Status, restart, signal};
use crate::error::{Classify, Kind};
use crate::kernel::TracedHost;
use crate::op::ProcessOp;
use crate::trace::Scope;
use std::sync::Arc;
use std::time::Duration;

/// How long SIGKILL may take: a process in uninterruptible sleep outlasts it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Sends a signal (`SIGKILL` when none is named). SIGKILL is waited for.
    ///
    /// # Errors
    /// No such container; it does not run; no such signal.
    pub async fn kill(
        self: &Arc<Self>,
        door: &TracedHost,
        wanted: &str,
        name: Option<&str>,
    ) -> Result<(), Error> {
        let number = match name.filter(|name| !name.is_empty()) {
            Some(name) => signal::parse(name)?,
            None => libc::SIGKILL,
        };
        let explain = |error| Error::Kill(wanted.to_owned(), Box::new(error));
        let container = self.containers.find(wanted).map_err(explain)?;
        if !container.record().state.is_running() {
            return Err(explain(Error::NotRunning(container.id.clone())));
        }
        door.within(Scope::ContainerKill, container.short_id(), |door| async move {
            self.send(&door, &container, number).await?;
            if number == libc::SIGKILL {
                self.until_ended(&container, Some(PATIENCE)).await;
            }
            Ok(())
        })
        .await
    }

    /// Sends a signal on behalf of a person. From now on no policy starts the container again, as
    /// with Docker, unless the image names another signal as the one that stops it. A paused
    /// container goes on, or the signal would not be seen; one that waits for its restart ends.
    pub(super) async fn send(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        number: i32,
    ) -> Result<(), Error> {
        let ends = {
            let record = container.record();
            let named = record.config.stop_signal.is_some();
            !named || number == libc::SIGKILL || number == record.stop_signal()
        };
        if ends {
            self.stopped_by_hand(door, container).await?;
        }
        let number_shown = [("signal", number.to_string())];
        if container.record().state.status == Status::Restarting {
            return if ends { self.give_up_restart(door, container, number).await } else { Ok(()) };
        }
        // Before it is sent: what it brings about comes after it.
        self.events.container(&container.snapshot(), "kill", &number_shown);
        self.signal(door, container, number).await?;
        if ends && container.record().state.status == Status::Paused {
            self.thaw(door, container).await?;
        }
        Ok(())
    }

    /// Remembers it where a policy could ask.
    async fn stopped_by_hand(&self, door: &TracedHost, container: &Container) -> Result<(), Error> {
        let record = {
            let mut record = container.record();
            let known = std::mem::replace(&mut record.state.stopped_by_hand, true);
            (!known && restart::has_policy(&record.host_config)).then(|| record.clone())
        };
        match record {
            Some(record) => self.persist(door, &record).await,
            None => Ok(()),
        }
    }

    /// Sends a signal to the program; one that ended meanwhile needs none.
    pub(super) async fn signal(
        &self,
        door: &TracedHost,
        container: &Container,
        number: i32,
    ) -> Result<(), Error> {
        let pid = container.record().state.pid;
        if pid == 0 {
            return Ok(());
        }
        let sent = door.perform(ProcessOp::Signal { pid, signal: signal::name(number) }).await;
        match sent {
            Err(error) if error.fault.errno == Some(libc::ESRCH) => Ok(()),
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            other => other.map(drop).map_err(Error::from),
        }
    }

    /// Waits until the program has ended and will not be started again; `false` when patience ran
    /// out.
    pub(super) async fn until_ended(&self, container: &Arc<Container>, patience: Option<Duration>) -> bool {
        let mut progress = container.watch();
        let ended = progress.wait_for(|progress| !progress.running && !progress.restarting);
        match patience {
            Some(patience) => tokio::time::timeout(patience, ended).await.is_ok(),
            None => ended.await.is_ok(),
        }
    }
}
