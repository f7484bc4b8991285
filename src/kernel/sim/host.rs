//! The daemon's door onto the modelled machine.

use super::jail::{SimJail, fault};
use super::processes::{LAST_SIGNAL, Pid};
use super::program::Programs;
use super::world::{DAEMON, SharedWorld, World, lock};
use crate::error::{Hint, Kind};
use crate::kernel::tree::Inode;
use crate::kernel::{ByteStream, Fault, Host, Jail, Machine, Outcome, Payload, Response, Value};
use crate::op::{HttpOp, Op, ProcessOp};
use crate::trace::{Facts, facts};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

/// Answers a request: status, headers (names in lower case), body; `None` when the host cannot be
/// reached. Gets the method, the true URL and the true headers.
pub type Registry =
    Arc<dyn Fn(&str, &str, &[(String, String)]) -> Option<(u16, Vec<(String, String)>, Bytes)> + Send + Sync>;

/// What a shim does, from its door and its end of the control socket on.
pub type Shim = Arc<dyn Fn(Box<dyn Jail>, OwnedFd) + Send + Sync>;

/// Response headers worth showing.
const SHOWN_HEADERS: [&str; 9] = [
    "content-type",
    "content-length",
    "content-range",
    "docker-content-digest",
    "www-authenticate",
    "ratelimit-limit",
    "ratelimit-remaining",
    "retry-after",
    "server",
];

/// How the modelled machine keeps the program it runs shims from out of reach: with privilege.
const SEALED_MOUNT: &str = "open_tree(OPEN_TREE_CLONE) + mount_setattr(MOUNT_ATTR_RDONLY)";
/// The same without.
const SEALED_COPY: &str = "memfd_create() + fcntl(F_ADD_SEALS, F_SEAL_WRITE)";

/// What the simulator is made of.
pub struct SimConfig {
    /// The machine it plays.
    pub machine: Machine,
    /// Its host name.
    pub hostname: String,
    /// Files it has from the start, by absolute path.
    pub files: Vec<(String, Bytes)>,
    /// What its kernel has below `/proc` and `/sys` to be hidden: see [`KERNEL_PATHS`].
    ///
    /// [`KERNEL_PATHS`]: super::KERNEL_PATHS
    pub kernel_paths: Vec<String>,
    /// The network's other end.
    pub registry: Registry,
    /// What a shim does.
    pub shim: Shim,
    /// What it knows to run.
    pub programs: Programs,
}

/// The daemon's door.
pub struct SimHost {
    pub(super) world: SharedWorld,
    programs: Arc<Programs>,
    registry: Registry,
    shim: Shim,
}

impl fmt::Debug for SimHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimHost")
    }
}

impl SimHost {
    /// A machine as it is after boot, with the daemon running.
    ///
    /// # Errors
    /// When one of the files lies where a directory is, or below a file.
    pub fn new(config: SimConfig) -> io::Result<SimHost> {
        let world = World::new(&config)?;
        Ok(SimHost {
            world: Arc::new(Mutex::new(world)),
            programs: Arc::new(config.programs),
            registry: config.registry,
            shim: config.shim,
        })
    }

    /// The machine behind the door, to look at.
    pub fn world(&self) -> SharedWorld {
        self.world.clone()
    }

    /// A door for a process like the daemon, as `learn runtime run` and tests want it.
    ///
    /// # Errors
    /// ESRCH when the daemon's process is gone.
    pub fn jail(&self) -> io::Result<SimJail> {
        let pid = self.spawn_process("learn-shim")?;
        Ok(SimJail::new(self.world.clone(), self.programs.clone(), pid))
    }

    /// How the program that helpers run is kept from out of reach.
    pub(super) fn sealed(&self) -> &'static str {
        if lock(&self.world).machine.unprivileged() { SEALED_COPY } else { SEALED_MOUNT }
    }

    pub(super) fn spawn_process(&self, name: &str) -> Result<Pid, Errno> {
        let mut world = lock(&self.world);
        let pid = world.fork(DAEMON, Default::default())?;
        let process = world.processes.get_mut(pid)?;
        process.name = name.to_owned();
        process.argv = vec![name.to_owned()];
        Ok(pid)
    }

    fn spawn_shim(&self, bundle: &str, payload: Payload) -> Result<Outcome, Fault> {
        let Payload::Control(control) = payload else {
            return Err(Fault::new(Kind::Internal, "process.spawn-shim came without its control socket"));
        };
        // The shim's standard error.
        lock(&self.world).append(DAEMON, &format!("{bundle}/shim.log"), b"").map_err(fault)?;
        let pid = self.spawn_process("learn-shim").map_err(fault)?;
        let sealed = self.sealed();
        let jail = Box::new(SimJail::new(self.world.clone(), self.programs.clone(), pid));
        let (world, shim) = (self.world.clone(), self.shim.clone());
        let run = move || {
            shim(jail, control);
            lock(&world).end_shim(pid);
        };
        std::thread::Builder::new().name(format!("sim-shim-{pid}")).spawn(run)?;
        Ok(Outcome { facts: facts([("pid", &pid), ("sealed", &sealed)]), value: Value::Pid(pid) })
    }

    fn request(&self, op: &HttpOp, payload: Payload) -> Result<Outcome, Fault> {
        let HttpOp::Request { method, url, headers } = op;
        let (url, headers) = match payload {
            Payload::Request { url, headers, .. } => (url, headers),
            _ => (url.clone(), headers.clone()),
        };
        let Some((status, headers, body)) = (self.registry)(method, &url, &headers) else {
            let address = reqwest::Url::parse(&url).ok();
            let host = address.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
            let message = format!("dial tcp: lookup {host}: no such host");
            return Err(Fault::new(Kind::Unavailable, message).hint(Hint::CheckNetwork));
        };
        let mut shown = Facts::new();
        let line = reqwest::StatusCode::from_u16(status).map(|status| status.to_string());
        shown.insert("status".into(), line.unwrap_or_else(|_| status.to_string()));
        shown.insert("version".into(), "HTTP/1.1".into());
        for (name, value) in &headers {
            if SHOWN_HEADERS.contains(&name.as_str()) {
                shown.insert(name.clone(), value.clone());
            } else if name == "location" {
                // Signed addresses carry their secret in the query.
                shown.insert(name.clone(), value.split('?').next().unwrap_or_default().to_owned());
            }
        }
        let body: ByteStream = stream::iter([Ok(body)]).boxed();
        Ok(Outcome { facts: shown, value: Value::Response(Response { status, headers, body }) })
    }

    fn process(&self, op: &ProcessOp, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            ProcessOp::SpawnShim { bundle, .. } => self.spawn_shim(bundle, payload),
            ProcessOp::SpawnProxy { pid, .. } => match payload {
                Payload::Control(line) => self.spawn_proxy(*pid, line),
                _ => Err(Fault::new(Kind::Internal, "process.spawn-proxy came without its control socket")),
            },
            ProcessOp::Signal { pid, signal } => {
                let number = signal_number(signal)
                    .ok_or_else(|| Fault::new(Kind::Invalid, format!("there is no signal {signal:?}")))?;
                lock(&self.world).signal(DAEMON, *pid, number).map_err(fault)?;
                Ok(Outcome::done())
            }
            _ => Err(not_here(&op.clone().into())),
        }
    }

    fn perform_now(&self, op: &Op, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            Op::Http(op) => self.request(op, payload),
            Op::Process(op) => self.process(op, payload),
            Op::Fs(op) => {
                let text = match payload {
                    Payload::Bytes(bytes) => Some(bytes),
                    _ => None,
                };
                lock(&self.world).daemon_file_op(DAEMON, op, text).map_err(fault)?;
                Ok(Outcome::done())
            }
            Op::Cgroup(op) => {
                lock(&self.world).daemon_cgroup_op(DAEMON, op).map_err(fault)?;
                Ok(Outcome::done())
            }
            Op::Network(op) => self.network(op),
            // The daemon must not shut itself in.
            Op::Store(_)
            | Op::Guard(_)
            | Op::Mount(_)
            | Op::Namespace(_)
            | Op::Terminal(_)
            | Op::Archive(_) => Err(not_here(op)),
        }
    }
}

/// `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`: signal(7).
fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse() {
        return (1..=LAST_SIGNAL).contains(&number).then_some(number);
    }
    let name = name.to_ascii_uppercase();
    let name = name.trim_start_matches("SIG");
    let realtime = |base: i32, offset: &str| match offset {
        "" => Some(base),
        offset => base.checked_add(offset.parse().ok()?),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(offset), _) => realtime(nix::libc::SIGRTMIN(), offset)?,
        (_, Some(offset)) => realtime(nix::libc::SIGRTMAX(), offset)?,
        _ => return Signal::from_str(&format!("SIG{name}")).ok().map(|signal| signal as i32),
    };
    (nix::libc::SIGRTMIN()..=nix::libc::SIGRTMAX()).contains(&number).then_some(number)
}

fn not_here(op: &Op) -> Fault {
    Fault::new(Kind::Internal, format!("{} is not an act of the daemon", op.name()))
}

impl Host for SimHost {
    fn perform<'a>(&'a self, op: &'a Op, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        match op {
            Op::Archive(op) => self.archive(op, payload).boxed(),
            Op::Store(op) => self.store(op, payload).boxed(),
            _ => std::future::ready(self.perform_now(op, payload)).boxed(),
        }
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(lock(&self.world).read(DAEMON, path)?.to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        Ok(lock(&self.world).list(DAEMON, path)?)
    }

    fn processes<'a>(&'a self, arguments: &'a [String]) -> BoxFuture<'a, io::Result<String>> {
        let listed = match arguments {
            [all] if all == "-ef" => Ok(lock(&self.world).list_processes()),
            other => {
                Err(io::Error::other(format!("the simulated ps knows only -ef, not {}", other.join(" "))))
            }
        };
        std::future::ready(listed).boxed()
    }

    fn look(&self, path: &str) -> io::Result<Inode> {
        Ok(lock(&self.world).look(DAEMON, path)?)
    }

    fn simulated(&self) -> bool {
        true
    }

    fn resolver(&self, _sandbox: &str, _address: Ipv4Addr) -> io::Result<(UdpSocket, TcpListener)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
