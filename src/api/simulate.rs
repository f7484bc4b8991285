//! The daemon that is none: an engine on the simulator, in the process of its only client.
//!
//! ```text
//!  client ══ socket pair ══ engine (a thread) ── SimHost ── shim (a thread) ── init, program
//!                                       └─ Docker Hub's model
//! ```
//!
//! Only the kernel, the clock, the source of ids and the network are other ones than the daemon's.
//! Nothing is kept: the machine is as new with every start, and gone with the process.

use super::assembly::{Foundation, assemble};
use crate::engine::{Engine, Error, FixedSource, Places};
use crate::hub::docker::{self, Addresses};
use crate::hub::{Catalog, DockerHub, hello};
use crate::image::RegistryConfig;
use crate::image::registry::Builtin;
use crate::kernel::Machine;
use crate::kernel::linux::probe::go_architecture;
use crate::kernel::machine::{CgroupV2, Cgroups};
use crate::kernel::sim::{KERNEL_PATHS, Programs, Registry, Shim, SimConfig, SimHost};
use crate::runtime::shim;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The simulated machine's host name.
const HOSTNAME: &str = "simulator";

/// Where `--hub builtin` is answered.
const BUILTIN: &str = "127.0.0.1:5000";

/// How long a simulated second of `sleep` takes.
const SECOND: Duration = Duration::from_secs(1);

/// Says that the simulator does not model a program, in the learner's language; gets its name.
pub type Refusal = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A running engine on the simulator.
#[derive(Clone, Debug)]
pub struct Simulator {
    clients: mpsc::UnboundedSender<UnixStream>,
}

impl Simulator {
    /// Boots a machine and an engine on it, on a thread of their own.
    ///
    /// # Errors
    /// When no thread can be had, or the engine cannot be put together.
    pub fn start(refusal: Refusal) -> io::Result<Simulator> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (clients, connected) = mpsc::unbounded_channel();
        let (ready, booted) = std::sync::mpsc::sync_channel(1);
        let live = move || match runtime.block_on(engine(refusal)) {
            Ok(engine) => {
                // Whoever started this waits for the word.
                let _ = ready.send(Ok(()));
                runtime.block_on(serve(engine, connected));
            }
            Err(error) => drop(ready.send(Err(io::Error::other(error)))),
        };
        std::thread::Builder::new().name("simulator".into()).spawn(live)?;
        booted.recv().map_err(io::Error::other)??;
        Ok(Simulator { clients })
    }

    /// A connection to the engine; it does not block.
    ///
    /// # Errors
    /// As socketpair(2); EPIPE when the engine's thread is gone.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        self.clients.send(theirs).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(ours)
    }
}

/// Serves clients until the process ends.
async fn serve(engine: Arc<Engine>, mut clients: mpsc::UnboundedReceiver<UnixStream>) {
    while let Some(client) = clients.recv().await {
        // A client whose end cannot be used finds its own end closed.
        if let Ok(client) = tokio::net::UnixStream::from_std(client) {
            tokio::spawn(super::serve_connection(engine.clone(), client));
        }
    }
}

async fn engine(refusal: Refusal) -> Result<Arc<Engine>, Error> {
    let hub = Arc::new(DockerHub::new(Arc::new(Catalog::simulated()), Addresses::default()));
    let config = SimConfig {
        machine: machine(),
        hostname: HOSTNAME.into(),
        files: Vec::new(),
        kernel_paths: KERNEL_PATHS.map(str::to_owned).to_vec(),
        registry: network(hub.clone()),
        shim: shim(),
        programs: Programs::standard(SECOND).with_text("/hello", hello::MESSAGE).with_refusal(refusal),
    };
    let host = SimHost::new(config)
        .map_err(|error| Error::Read { path: "the simulated machine".into(), reason: error.to_string() })?;
    let foundation = Foundation {
        places: Places { root: "/var/lib/learn".into(), run: "/run/learn".into() },
        machine: machine(),
        host: Arc::new(host),
        source: Arc::new(FixedSource::default()),
        registry: RegistryConfig::default(),
        builtin: builtin(hub),
    };
    Ok(assemble(foundation).await?.0)
}

/// A small server as of today: root, the unified hierarchy, overlayfs.
fn machine() -> Machine {
    let controllers = ["cpu", "cpuset", "io", "memory", "pids"].map(str::to_owned).to_vec();
    let v2 = CgroupV2 { mount: "/sys/fs/cgroup".into(), controllers, writable: true };
    Machine {
        uid: 0,
        gid: 0,
        cgroups: Cgroups { v2: Some(v2), ..Cgroups::default() },
        overlay: true,
        kernel: "6.12.0".into(),
        architecture: go_architecture(std::env::consts::ARCH).into(),
    }
}

/// The same shim as everywhere, on a thread instead of in a process.
pub fn shim() -> Shim {
    Arc::new(|mut jail, control| {
        // The engine at the other end finds its socket closed, and says so.
        let _ = shim::run(&mut *jail, control);
    })
}

/// Docker Hub, and the built-in hub for whoever asks for that.
fn network(hub: Arc<DockerHub>) -> Registry {
    Arc::new(move |method, url, headers| {
        match url.strip_prefix("http://").and_then(|rest| rest.strip_prefix(BUILTIN)) {
            Some(target) => Some(docker::ask(hub.catalog(), method, target, headers)),
            None => hub.answer(method, url, headers),
        }
    })
}

/// The address of [`network`]'s built-in hub, for the images that it holds.
fn builtin(hub: Arc<DockerHub>) -> Builtin {
    Arc::new(move |repository, reference| {
        let target = format!("/v2/{repository}/manifests/{reference}");
        let (status, ..) = docker::ask(hub.catalog(), "HEAD", &target, &[]);
        Box::pin(std::future::ready((status == 200).then(|| BUILTIN.to_owned())))
    })
}
