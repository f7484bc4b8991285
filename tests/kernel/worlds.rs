//! The two machines under the same engine.

use crate::hub::{Layers, Played, Ports};
use futures_util::future::BoxFuture;
use learn::api::assembly::{Foundation, assemble};
use learn::api::simulate::shim;
use learn::engine::{Engine, FixedSource, Places, Source, SystemSource};
use learn::hub::docker::Addresses;
use learn::hub::hello;
use learn::image::RegistryConfig;
use learn::image::registry::{Builtin, Hub};
use learn::kernel::linux::host::{LinuxHost, Transport};
use learn::kernel::linux::http::Http;
use learn::kernel::linux::probe::probe;
use learn::kernel::linux::seal::SealedExe;
use learn::kernel::sim::{Programs, SimConfig, SimHost};
use learn::kernel::{Fault, Host, Machine, Outcome, Payload};
use learn::op::HttpOp;
use learn::runtime::guard::paths;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// An engine and where it keeps what.
pub struct World {
    pub engine: Arc<Engine>,
    pub addresses: Addresses,
    _root: tempfile::TempDir,
}

/// Both sides, with hubs of their own that behave alike at the same addresses.
pub async fn both(layers: Layers, without_overlay: bool) -> [World; 2] {
    let real = probe();
    let machine = Machine { overlay: real.overlay && !without_overlay, ..real };
    let ports = Ports::open();
    let addresses = ports.addresses.clone();
    let sim = simulated(&machine, &addresses, Played::new(&addresses, layers)).await;
    ports.serve(Played::new(&addresses, layers));
    [sim, linux(&machine, &addresses).await]
}

async fn simulated(machine: &Machine, addresses: &Addresses, hub: Played) -> World {
    let config = SimConfig {
        machine: machine.clone(),
        hostname: "model".into(),
        files: likeness(),
        kernel_paths: kernel_paths(),
        registry: Arc::new(move |method, url, headers| hub.answer(method, url, headers)),
        shim: shim(),
        programs: Programs::standard(Duration::from_secs(1)).with_text("/hello", hello::MESSAGE),
    };
    let host = SimHost::new(config).expect("a machine");
    world(machine, addresses, Arc::new(host), Arc::new(FixedSource::default())).await
}

/// What the engine copies from the machine into containers.
fn likeness() -> Vec<(String, bytes::Bytes)> {
    let files = ["/etc/hosts", "/etc/resolv.conf"];
    files.iter().filter_map(|path| Some(((*path).to_owned(), std::fs::read(path).ok()?.into()))).collect()
}

/// What this kernel has of the paths that containers hide or protect.
fn kernel_paths() -> Vec<String> {
    let processors =
        std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    let named = paths::MASKED.iter().chain(&paths::READ_ONLY).map(|path| (*path).to_owned());
    let throttles = (0..processors).map(paths::thermal_throttle);
    let there = |path: String| match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => Some(format!("{path}/")),
        found => found.ok().map(|_| path),
    };
    named.chain(throttles).filter_map(there).collect()
}

async fn linux(machine: &Machine, addresses: &Addresses) -> World {
    let program = SealedExe::of(Path::new(env!("CARGO_BIN_EXE_learn"))).expect("the program");
    let host = LinuxHost::new(program, Box::new(Loopback(Http::new(Arc::new(|_| false)))));
    world(machine, addresses, Arc::new(host), Arc::new(SystemSource)).await
}

/// A network that ends at this machine's border.
#[derive(Debug)]
struct Loopback(Http);

impl Transport for Loopback {
    fn request<'a>(&'a self, op: &'a HttpOp, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(self.0.perform(op, payload))
    }
}

async fn world(
    machine: &Machine,
    addresses: &Addresses,
    host: Arc<dyn Host>,
    source: Arc<dyn Source>,
) -> World {
    let root = tempfile::tempdir().expect("a directory");
    let path = root.path().display().to_string();
    let places = Places { root: format!("{path}/state"), run: format!("{path}/run") };
    let registry = RegistryConfig { hub: Hub::Url(addresses.registry.clone()), ..RegistryConfig::default() };
    let builtin: Builtin = Arc::new(|_, _| Box::pin(std::future::ready(None)));
    let foundation = Foundation { places, machine: machine.clone(), host, source, registry, builtin };
    let (engine, _) = assemble(foundation).await.expect("an engine");
    World { engine, addresses: addresses.clone(), _root: root }
}
