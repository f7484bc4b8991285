//! The daemon's door onto the modelled machine.

use super::jail::{SimJail, fault};
use super::layer;
use super::processes::Pid;
use super::program::Programs;
use super::world::{DAEMON, SharedWorld, World, lock};
use crate::error::{Hint, Kind};
use crate::kernel::{ByteStream, Fault, Host, Jail, Machine, Outcome, Payload, Progress, Response, Value};
use crate::op::{FsOp, HttpOp, Op, ProcessOp, StoreOp};
use crate::trace::{Facts, facts};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::fmt;
use std::io;
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

/// What the simulator is made of.
pub struct SimConfig {
    /// The machine it plays.
    pub machine: Machine,
    /// Its host name.
    pub hostname: String,
    /// Files it has from the start, by absolute path.
    pub files: Vec<(String, Bytes)>,
    /// The network's other end.
    pub registry: Registry,
    /// What a shim does.
    pub shim: Shim,
    /// What it knows to run.
    pub programs: Programs,
}

/// The daemon's door.
pub struct SimHost {
    world: SharedWorld,
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
        let world = World::new(config.machine, &config.hostname, &config.files)?;
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

    fn spawn_process(&self, name: &str) -> Result<Pid, Errno> {
        let mut world = lock(&self.world);
        let pid = world.fork(DAEMON, Default::default())?;
        let process = world.processes.get_mut(pid)?;
        process.name = name.to_owned();
        process.argv = vec![name.to_owned()];
        Ok(pid)
    }

    fn spawn_shim(&self, payload: Payload) -> Result<Outcome, Fault> {
        let Payload::Control(control) = payload else {
            return Err(Fault::new(Kind::Internal, "process.spawn-shim came without its control socket"));
        };
        let pid = self.spawn_process("learn-shim").map_err(fault)?;
        let jail = Box::new(SimJail::new(self.world.clone(), self.programs.clone(), pid));
        let (world, shim) = (self.world.clone(), self.shim.clone());
        let run = move || {
            shim(jail, control);
            lock(&world).end_shim(pid);
        };
        std::thread::Builder::new().name(format!("sim-shim-{pid}")).spawn(run)?;
        Ok(Outcome { facts: facts([("pid", &pid)]), value: Value::Pid(pid) })
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

    fn store(&self, op: &StoreOp, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            StoreOp::PutBlob { path, .. } => {
                let Payload::Bytes(bytes) = payload else {
                    return Err(Fault::new(Kind::Internal, "store.put-blob came without its bytes"));
                };
                lock(&self.world).write(DAEMON, path, bytes).map_err(fault)?;
                Ok(Outcome::done())
            }
            StoreOp::VerifyDigest { subject, expected, actual } => {
                if expected == actual {
                    return Ok(Outcome::done());
                }
                let message = format!("{subject} digest mismatch: expected {expected}, got {actual}");
                Err(Fault::new(Kind::Invalid, message).hint(Hint::PullAgain))
            }
            StoreOp::UnpackLayer { .. } => {
                Err(Fault::new(Kind::Internal, "store.unpack-layer is a stream's"))
            }
        }
    }

    async fn unpack(&self, op: &StoreOp, payload: Payload) -> Result<Outcome, Fault> {
        let (
            StoreOp::UnpackLayer { digest, blob, media_type, directory, limit },
            Payload::Stream { offset, bytes, progress },
        ) = (op, payload)
        else {
            return Err(Fault::new(Kind::Internal, "store.unpack-layer came without its stream"));
        };
        let whole = self.take_in(blob, offset, bytes, progress).await?;
        let mut world = lock(&self.world);
        let result = world.unpack(DAEMON, &whole, media_type, directory, *limit);
        let actual = layer::digest(&whole);
        let correct = actual == *digest;
        if !correct || result.is_err() {
            // Of no use to anyone: neither to go on from nor to keep.
            world.file_op(DAEMON, &FsOp::RemoveFile { path: blob.clone() }, None).map_err(fault)?;
        }
        let unpacked = match result {
            Ok(unpacked) => unpacked,
            // Bytes that are not what was promised: their digest is the better reason.
            Err(layer::Unfit::Content(_)) if !correct => crate::kernel::Unpacked {
                digest: actual,
                size: whole.len() as u64,
                diff_id: String::new(),
                inflated: 0,
                entries: 0,
            },
            Err(unfit) => return Err(unfit.into()),
        };
        let facts = facts([
            ("digest", &unpacked.digest),
            ("size", &unpacked.size),
            ("diff-id", &unpacked.diff_id),
            ("inflated", &unpacked.inflated),
            ("entries", &unpacked.entries),
        ]);
        Ok(Outcome { facts, value: Value::Unpacked(unpacked) })
    }

    /// Adds the stream to what is in the blob already; what arrived stays when it breaks off.
    async fn take_in(
        &self,
        blob: &str,
        offset: u64,
        mut bytes: ByteStream,
        mut progress: Progress,
    ) -> Result<Bytes, Fault> {
        let mut whole = match offset {
            0 => BytesMut::new(),
            offset => {
                let before = lock(&self.world).read(DAEMON, blob).map_err(fault)?;
                progress(offset);
                BytesMut::from(before.get(..offset as usize).ok_or_else(|| fault(Errno::EINVAL))?)
            }
        };
        let mut broken = None;
        while let Some(next) = bytes.next().await {
            match next {
                Ok(stretch) => {
                    progress(stretch.len() as u64);
                    whole.extend_from_slice(&stretch);
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        let whole = whole.freeze();
        lock(&self.world).write(DAEMON, blob, whole.clone()).map_err(fault)?;
        match broken {
            Some(error) => Err(Fault::new(Kind::Unavailable, error.to_string()).hint(Hint::CheckNetwork)),
            None => Ok(whole),
        }
    }

    fn process(&self, op: &ProcessOp, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            ProcessOp::SpawnShim { .. } => self.spawn_shim(payload),
            ProcessOp::Signal { pid, signal } => {
                let signal = Signal::from_str(signal)
                    .map_err(|_| Fault::new(Kind::Invalid, format!("unknown signal {signal:?}")))?;
                lock(&self.world).signal(DAEMON, *pid, signal as i32).map_err(fault)?;
                Ok(Outcome::done())
            }
            _ => Err(not_here(&op.clone().into())),
        }
    }

    fn perform_now(&self, op: &Op, payload: Payload) -> Result<Outcome, Fault> {
        match op {
            Op::Http(op) => self.request(op, payload),
            Op::Store(op) => self.store(op, payload),
            Op::Process(op) => self.process(op, payload),
            Op::Fs(op) => {
                let text = match payload {
                    Payload::Bytes(bytes) => Some(bytes),
                    _ => None,
                };
                lock(&self.world).file_op(DAEMON, op, text).map_err(fault)?;
                Ok(Outcome::done())
            }
            Op::Cgroup(op) => {
                lock(&self.world).cgroup_op(DAEMON, op).map_err(fault)?;
                Ok(Outcome::done())
            }
            // The daemon must not shut itself in.
            Op::Guard(_) | Op::Mount(_) | Op::Namespace(_) | Op::Network(_) => Err(not_here(op)),
        }
    }
}

fn not_here(op: &Op) -> Fault {
    Fault::new(Kind::Internal, format!("{} is not an act of the daemon", op.name()))
}

impl Host for SimHost {
    fn perform<'a>(&'a self, op: &'a Op, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        match op {
            Op::Store(store @ StoreOp::UnpackLayer { .. }) => self.unpack(store, payload).boxed(),
            _ => std::future::ready(self.perform_now(op, payload)).boxed(),
        }
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(lock(&self.world).read(DAEMON, path)?.to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        Ok(lock(&self.world).list(DAEMON, path)?)
    }

    fn simulated(&self) -> bool {
        true
    }
}
