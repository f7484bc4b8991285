//! `docker stats`: what a container uses, sample by sample.

use super::{Container, Engine, Error};
use crate::container::state::NEVER;
use crate::container::{summary, usage};
use crate::wire::Stats;
use std::sync::Arc;
use std::time::Duration;

/// Between two samples, as Docker.
const INTERVAL: Duration = Duration::from_secs(1);

/// One client's look at one container. Nothing is kept but the last sample, and nothing is read
/// while the client does not take what there is.
#[derive(Debug)]
pub struct Watching {
    engine: Arc<Engine>,
    container: Arc<Container>,
    last: Option<Stats>,
}

impl Engine {
    /// Begins to look.
    ///
    /// # Errors
    /// No such container.
    pub fn stats(self: &Arc<Self>, wanted: &str) -> Result<Watching, Error> {
        let container = self.containers.find(wanted)?;
        Ok(Watching { engine: self.clone(), container, last: None })
    }

    /// What the kernel counts now; only the names for a container that does not run.
    async fn sample(self: &Arc<Self>, container: &Arc<Container>) -> Stats {
        let (engine, record) = (self.clone(), container.snapshot());
        let names = Stats {
            read: NEVER.into(),
            preread: NEVER.into(),
            name: format!("/{}", record.name),
            id: record.id.clone(),
            ..Stats::default()
        };
        if !record.state.has_process() {
            return names;
        }
        // Reading memory.stat makes the kernel sum up: not on the event loop.
        let read = move || {
            let text = |path: &str| {
                engine.host.read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            };
            let group = format!("learn/{}", record.id);
            let mut stats = usage::sample(text, &engine.machine.cgroups, &group);
            // The host's own network is nobody's use.
            if summary::network(&record) != "host" {
                let devices = text(&format!("/proc/{}/net/dev", record.state.pid)).unwrap_or_default();
                stats.networks = usage::networks(&devices);
            }
            Stats { read: engine.stamp(), preread: names.preread, name: names.name, id: names.id, ..stats }
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }
}

impl Watching {
    /// The next sample; the first at once, without one before it. `None` when the container is gone.
    pub async fn next(&mut self) -> Option<Stats> {
        let mut progress = self.container.watch();
        if self.last.is_some() {
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                // Also when the table has let go of it.
                _ = progress.wait_for(|progress| progress.removed) => return None,
            }
        }
        if progress.borrow().removed {
            return None;
        }
        let mut stats = self.engine.sample(&self.container).await;
        if let Some(last) = self.last.take() {
            stats.preread = last.read;
            stats.precpu_stats = last.cpu_stats;
        }
        self.last = Some(stats.clone());
        Some(stats)
    }

    /// One sample with one before it.
    pub async fn rated(mut self) -> Option<Stats> {
        let first = self.next().await?;
        if !self.container.record().state.has_process() {
            return Some(first);
        }
        self.next().await
    }
}
