//! The engine: the daemon's shared state, and one Docker verb per file.
//!
//! ```text
//!  api ──▶ Engine ──┬─▶ containers   the table: id, name → record, turn, shim, waiters
//!                   ├─▶ images       the store
//!                   ├─▶ traces       which trace a request writes into
//!                   └─▶ events       what docker events shows
//! ```
//!
//! Every verb takes a [`TracedHost`](crate::kernel::TracedHost), the door of the request that asks
//! for it, and does everything that changes something through it. Verbs that change one
//! container's state take its turn; an exit needs none, it happens when it happens.

pub mod attach;
pub mod commit;
pub mod containers;
pub mod copy;
pub mod create;
mod diff;
pub mod error;
pub mod events;
pub mod exec;
mod exit;
mod files;
pub mod images;
pub mod info;
pub mod inspect;
pub mod kill;
mod launch;
pub mod list;
pub mod logs;
mod network;
pub mod pause;
pub mod places;
pub mod prune;
pub mod pull;
pub mod recover;
pub mod remove;
pub mod rename;
pub mod resize;
pub mod restart;
mod shim;
pub mod source;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod traces;
pub mod update;
pub mod wait;

pub use containers::{Container, Containers};
pub use error::Error;
pub use exec::{Exec, Execs};
pub use places::Places;
pub use source::{FixedSource, Source, SystemSource};
pub use traces::{Peer, Traces};

use crate::container::Record;
use crate::image::Store;
use crate::kernel::{Host, Machine, Payload, TracedHost};
use crate::op::{FsOp, WriteReason};
use crate::trace::Trace;
use events::Events;
use std::sync::{Arc, Weak};

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where it keeps what.
    pub places: Places,
    /// What this machine offers.
    pub machine: Machine,
    /// Who performs operations.
    pub host: Arc<dyn Host>,
    /// Time and chance.
    pub source: Arc<dyn Source>,
    /// Images.
    pub images: Arc<Store>,
}

/// The daemon's shared state.
#[derive(Debug)]
pub struct Engine {
    places: Places,
    machine: Machine,
    host: Arc<dyn Host>,
    source: Arc<dyn Source>,
    images: Arc<Store>,
    containers: Containers,
    execs: Execs,
    traces: Traces,
    events: Events,
    networks: network::Networks,
    /// For work that outlives a request.
    myself: Weak<Engine>,
}

impl Engine {
    /// An engine without containers; [`Engine::recover`] finds those of an earlier daemon.
    pub fn new(parts: Parts) -> Arc<Engine> {
        let Parts { places, machine, host, source, images } = parts;
        let simulated = host.simulated();
        let created = source::stamp(source.now());
        Arc::new_cyclic(|myself| Engine {
            containers: Containers::default(),
            execs: Execs::default(),
            traces: Traces::new(&places, source.clone(), simulated),
            events: Events::new(source.clone()),
            networks: network::Networks::new(&places.root, &created),
            myself: myself.clone(),
            places,
            machine,
            host,
            source,
            images,
        })
    }

    /// A door whose records go to the given trace.
    pub fn door(&self, trace: Arc<Trace>) -> TracedHost {
        TracedHost::new(self.host.clone(), trace)
    }

    /// The table of containers.
    pub fn containers(&self) -> &Containers {
        &self.containers
    }

    /// The table of further programs.
    pub fn execs(&self) -> &Execs {
        &self.execs
    }

    /// Live and finished traces.
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// What happens.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The image store.
    pub fn images(&self) -> &Arc<Store> {
        &self.images
    }

    /// What this machine offers.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Where the engine keeps what.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Whether the kernel is only modelled.
    pub fn simulated(&self) -> bool {
        self.host.simulated()
    }

    /// Now, as Docker prints it.
    fn stamp(&self) -> String {
        source::stamp(self.source.now())
    }

    /// Replaces a container's record: on disk, or where a container of `--rm` has it.
    async fn persist(&self, door: &TracedHost, record: &Record) -> Result<(), Error> {
        let mut json =
            serde_json::to_vec_pretty(record).map_err(|error| Error::Invalid(error.to_string()))?;
        json.push(b'\n');
        let value = format!(
            "{{\"id\":\"{}\",\"name\":\"{}\",\"state\":\"{}\"…",
            record.short_id(),
            record.name,
            record.state.status
        );
        let (path, why) = match record.host_config.auto_remove {
            true => (self.places.passing_record(&record.id), WriteReason::Run),
            false => (self.places.record(&record.id), WriteReason::Store),
        };
        let write = FsOp::WriteFile { path, value, why };
        door.perform_with(write, Payload::Bytes(json.into())).await?;
        Ok(())
    }
}
