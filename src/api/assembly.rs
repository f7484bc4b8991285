//! An engine put together: the same parts for the daemon, the simulator and the tests that
//! compare the two.

use crate::engine::source::stamp;
use crate::engine::{Engine, Error, Parts, Places, Source};
use crate::image::registry::Builtin;
use crate::image::{RegistryConfig, Store};
use crate::kernel::{Host, Machine, TracedHost};
use crate::op::FsOp;
use crate::trace::{Gate, Stop, Trace, TraceInfo, Watchers};
use std::sync::Arc;

/// What tells one engine from another.
pub struct Foundation {
    /// Where it keeps what.
    pub places: Places,
    /// What the machine offers.
    pub machine: Machine,
    /// Who performs operations.
    pub host: Arc<dyn Host>,
    /// Time and chance.
    pub source: Arc<dyn Source>,
    /// Registries, mirrors, hub.
    pub registry: RegistryConfig,
    /// Who answers when Docker Hub does not.
    pub builtin: Builtin,
}

/// Makes the engine's directories and opens its store. The door is the start's own: what it
/// performs belongs to no client's trace.
///
/// # Errors
/// When a directory cannot be made, or what is in the store cannot be read.
pub async fn assemble(foundation: Foundation) -> Result<(Arc<Engine>, TracedHost), Error> {
    let Foundation { places, machine, host, source, registry, builtin } = foundation;
    let door = TracedHost::new(host.clone(), start_trace(&*source, host.simulated()));
    let directories = [
        (places.containers(), 0o711),
        (places.networks(), 0o700),
        (places.traces(), 0o700),
        (places.bundles(), 0o711),
        (format!("{}/shim", places.run), 0o700),
    ];
    for (path, mode) in directories {
        door.perform(FsOp::CreateDirectory { path, mode }).await?;
    }
    let images = Store::open(&door, &places.root, &machine.architecture, registry).await?;
    images.set_builtin(builtin);
    Ok((Engine::new(Parts { places, machine, host, source, images }), door))
}

/// What a start does is no client's request: its trace lives in memory and is not kept.
fn start_trace(source: &dyn Source, simulated: bool) -> Arc<Trace> {
    let info =
        TraceInfo { id: "daemon".into(), title: "daemon".into(), began: stamp(source.now()), simulated };
    Trace::begin(info, Gate::new(Stop::Never), Watchers::default(), None)
}
