//! `docker stop`: stop signal, patience, SIGKILL.

use super::{Engine, Error};
use crate::container::signal;
use crate::kernel::TracedHost;
use crate::trace::Scope;
use std::time::Duration;

/// How long SIGKILL may take.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Stops a container; `false` when it does not run. `seconds` is the patience, `-1` without
    /// end; absent for the container's own.
    ///
    /// # Errors
    /// No such container; no such signal.
    pub async fn stop(
        &self,
        door: &TracedHost,
        wanted: &str,
        seconds: Option<i64>,
        name: Option<&str>,
    ) -> Result<bool, Error> {
        let container = self.containers.find(wanted)?;
        let record = container.snapshot();
        let number = match name.filter(|name| !name.is_empty()) {
            Some(name) => signal::parse(name)?,
            None => record.stop_signal(),
        };
        if !record.state.is_running() {
            return Ok(false);
        }
        let seconds = seconds.unwrap_or_else(|| record.stop_timeout());
        let patience = u64::try_from(seconds).ok().map(Duration::from_secs);
        door.within(Scope::ContainerStop, container.short_id(), |door| async move {
            self.signal(&door, &container, number).await?;
            if !self.until_ended(&container, patience).await {
                self.signal(&door, &container, libc::SIGKILL).await?;
                self.until_ended(&container, Some(LAST_PATIENCE)).await;
            }
            self.events.container(&container.snapshot(), "stop", &[]);
            Ok(true)
        })
        .await
    }
}
