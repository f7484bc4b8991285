//! Health checks: a probe inside the container, again and again, for as long as the program runs.

use super::{Container, Engine, Error};
use crate::container::Status;
use crate::container::health::{self, Check, Health, OUTPUT};
use crate::kernel::TracedHost;
use crate::op::ProcessOp;
use crate::runtime::protocol::Attach;
use crate::trace::{Note, Scope, facts};
use crate::wire::{ExecConfig, HealthcheckResult};
use jiff::Timestamp;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;

/// The code of a probe that gave no answer.
const NO_ANSWER: i64 = -1;

impl Engine {
    /// Checks a container that has just been started, or found again, until its program ends. Each
    /// run has a task of its own; a restart begins anew.
    pub(super) fn watch_health(self: &Arc<Self>, container: &Arc<Container>) {
        let Some(check) = health::of(&container.record().config) else { return };
        container.record().state.health = Some(Health::default());
        let (engine, container) = (self.clone(), container.clone());
        let mut progress = container.watch();
        let exits = progress.borrow().exits;
        tokio::spawn(async move {
            let over = progress.wait_for(|now| now.exits > exits || now.removed);
            tokio::select! {
                _ = over => {}
                () = engine.probe_forever(&container, &check) => {}
            }
        });
    }

    async fn probe_forever(self: &Arc<Self>, container: &Arc<Container>, check: &Check) {
        loop {
            let status = container
                .record()
                .state
                .health
                .as_ref()
                .map_or_else(Default::default, |health| health.status);
            tokio::time::sleep(check.wait(status, self.since_start(container))).await;
            // What is frozen cannot answer, and that is nobody's illness.
            if container.record().state.status != Status::Running {
                continue;
            }
            let since_start = self.since_start(container);
            let answer = self.probe(container, check).await;
            // Ended meanwhile: what it says about the last run is no answer about this one.
            if container.record().state.status != Status::Running {
                continue;
            }
            let changed = {
                let mut record = container.record();
                record.state.health.as_mut().and_then(|health| health.take(answer, check, since_start))
            };
            if let Some(status) = changed {
                let action = format!("health_status: {}", status.name());
                self.events.container(&container.snapshot(), &action, &[]);
            }
        }
    }

    /// One probe, from its start to its exit code. Its trace is for spectators only: one a few
    /// seconds, for days, is nothing to keep.
    async fn probe(self: &Arc<Self>, container: &Arc<Container>, check: &Check) -> HealthcheckResult {
        let title = format!("health check of {}", container.name());
        let door = self.door(self.traces.begin_fleeting(title));
        let start = self.stamp();
        let answer: Result<(i64, String), Error> = door
            .within(Scope::HealthProbe, container.short_id(), async |door: TracedHost| {
                let (code, output) = self.run_probe(&door, container, check).await?;
                door.note(Note::Probed, facts([("code", &code), ("output", &output.trim_end())]));
                Ok((code, output))
            })
            .await;
        let (exit_code, output) = answer.unwrap_or_else(|error| (NO_ANSWER, error.to_string()));
        HealthcheckResult { start, end: self.stamp(), exit_code, output }
    }

    async fn run_probe(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        check: &Check,
    ) -> Result<(i64, String), Error> {
        let config = ExecConfig {
            cmd: check.argv.clone(),
            attach_stdout: true,
            attach_stderr: true,
            ..ExecConfig::default()
        };
        let id = self.create_exec(door, &container.id, config).await?;
        let exec = self.find_exec(&id)?;
        let broken = |error: std::io::Error| Error::Shim {
            container: container.short_id(),
            reason: error.to_string(),
        };
        let (ours, theirs) = UnixStream::pair().map_err(broken)?;
        let theirs = OwnedFd::from(theirs.into_std().map_err(broken)?);
        let streams = Attach { stdout: true, stderr: true, ..Attach::default() };
        self.start_exec(door, &exec, Some((streams, theirs))).await?;
        let mut output = Vec::new();
        let ended = tokio::time::timeout(check.timeout, read_frames(ours, &mut output)).await;
        if ended.is_err() {
            let pid = exec.state().pid;
            // Ended at the last moment, it needs no signal.
            let _ = door.perform(ProcessOp::Signal { pid, signal: "SIGKILL".into() }).await;
            let limit = go_duration(check.timeout);
            return Ok((NO_ANSWER, format!("Health check exceeded timeout ({limit})")));
        }
        let code = exec.state().exit_code.map_or(NO_ANSWER, i64::from);
        Ok((code, String::from_utf8_lossy(&output).into_owned()))
    }

    fn since_start(&self, container: &Container) -> Duration {
        let started: Option<Timestamp> =
            container.record().state.started_at.as_ref().and_then(|text| text.parse().ok());
        let passed = started.map(|started| self.source.now().duration_since(started));
        passed.and_then(|passed| passed.try_into().ok()).unwrap_or_default()
    }
}

/// As Go prints a duration: `500ms`, `30s`, `1m30s`.
fn go_duration(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs_f64() % 60.0);
    match (minutes, time.as_secs()) {
        (0, 0) => format!("{}ms", time.as_secs_f64() * 1_000.0),
        (0, _) => format!("{seconds}s"),
        (..60, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{}h{}m{seconds}s", minutes / 60, minutes % 60),
    }
}

/// Reads Docker's frames to the end; of what they hold the first bytes are kept.
async fn read_frames(mut stream: impl AsyncRead + Unpin, output: &mut Vec<u8>) {
    let mut head = [0; 8];
    // A stream that breaks off is at its end.
    while stream.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let mut left = usize::try_from(length).unwrap_or(0);
        let mut buffer = [0; 1024];
        while left > 0 {
            let wanted = left.min(buffer.len());
            let Ok(count @ 1..) = stream.read(&mut buffer[..wanted]).await else { return };
            let room = OUTPUT.saturating_sub(output.len());
            output.extend_from_slice(&buffer[..count.min(room)]);
            left -= count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_docker_writes_them() {
        let times = [500, 30_000, 1_500, 90_000, 3_600_000].map(|ms| go_duration(Duration::from_millis(ms)));
        assert_eq!(times, ["500ms", "30s", "1.5s", "1m30s", "1h0m0s"]);
    }

    #[tokio::test]
    async fn of_a_probes_output_the_first_bytes_are_kept() {
        let mut frames = Vec::new();
        for (stream, text) in [(1, "out".to_owned()), (2, "e".repeat(9_000))] {
            frames.extend([stream, 0, 0, 0]);
            frames.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            frames.extend(text.as_bytes());
        }
        let mut output = Vec::new();
        read_frames(&frames[..], &mut output).await;
        assert!(output.starts_with(b"oute") && output.len() == OUTPUT);
    }
}
