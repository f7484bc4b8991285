//! `docker stop`: stop signal, patience, SIGKILL.

use super::{Container, Engine, Error};
use crate::container::signal;
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use std::sync::Arc;
use std::time::Duration;

/// How long SIGKILL may take.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// How a container is asked to end.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopOptions<'a> {
    /// Patience in seconds, `-1` without end; absent for the container's own.
    pub seconds: Option<i64>,
    /// The signal; absent for the container's own.
    pub signal: Option<&'a str>,
}

impl Engine {
    /// Stops a container; `false` when it does not run.
    ///
    /// # Errors
    /// No such container; no such signal.
    pub async fn stop(
        self: &Arc<Self>,
        door: &TracedHost,
        wanted: &str,
        options: StopOptions<'_>,
    ) -> Result<bool, Error> {
        let container = self.containers.find(wanted)?;
        self.stop_container(door, &container, options).await
    }

    /// The same, of a container that has been found.
    pub(super) async fn stop_container(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        options: StopOptions<'_>,
    ) -> Result<bool, Error> {
        let record = container.snapshot();
        let number = match options.signal.filter(|name| !name.is_empty()) {
            Some(name) => signal::parse(name)?,
            None => record.stop_signal(),
        };
        if !record.state.is_running() {
            return Ok(false);
        }
        let seconds = options.seconds.unwrap_or_else(|| record.stop_timeout());
        let patience = u64::try_from(seconds).ok().map(Duration::from_secs);
        door.within(Scope::ContainerStop, container.short_id(), |door| async move {
            self.note_handler(&door, record.state.pid, number);
            let shown =
                patience.map_or("unlimited".to_owned(), |patience| format!("{} s", patience.as_secs()));
            door.note(Note::StopTimer, facts([("patience", &shown)]));
            self.send(&door, container, number).await?;
            if !self.until_ended(container, patience).await {
                door.note(Note::StopTimedOut, facts([("patience", &shown)]));
                self.send(&door, container, libc::SIGKILL).await?;
                self.until_ended(container, Some(LAST_PATIENCE)).await;
            }
            self.events.container(&container.snapshot(), "stop", &[]);
            Ok(true)
        })
        .await
    }

    /// Whether the program has a handler for the signal: `SigCgt` of proc(5). Process 1 of a pid
    /// namespace is spared every signal it has no handler for: pid_namespaces(7).
    fn note_handler(&self, door: &TracedHost, pid: u32, number: i32) {
        let status = self.host.read(&format!("/proc/{pid}/status")).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        let Some(mask) = status.lines().find_map(|line| line.strip_prefix("SigCgt:")) else { return };
        let mask = mask.trim();
        let Ok(bits) = u64::from_str_radix(mask, 16) else { return };
        let caught = bits & (1 << (number - 1)) != 0;
        let note = if caught || number == libc::SIGKILL { Note::SignalCaught } else { Note::SignalDropped };
        door.note(note, facts([("signal", &signal::name(number)), ("mask", &mask)]));
    }
}
