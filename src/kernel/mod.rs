//! The kernel: whoever performs an [`Op`].
//!
//! Two doors to one vocabulary. [`Host`] is asynchronous and open to the daemon: store, registry,
//! spawning. [`Jail`] is blocking and open to the single-threaded shim and init: namespaces,
//! mounts, privileges, exec. Each door has two implementations, [`linux`] (the machine) and
//! [`sim`] (a deterministic model), and one decorator, [`traced`], which announces every
//! operation, waits at the gate, performs and reports. Engine and runtime only ever hold the
//! decorated doors, so nothing happens unannounced.

mod child;
mod fault;
pub mod linux;
pub mod machine;
mod payload;
pub mod sim;
pub mod taken;
mod tarball;
pub mod traced;
pub mod tree;

pub use child::{Child, ExitStatus, LogFile, Stdio};
pub use fault::{Fault, OpError};
pub use machine::Machine;
pub use payload::Payload;
pub use taken::{Received, Unpacked};
pub use traced::{Report, TracedHost, TracedJail};

use crate::op::Op;
use crate::trace::Facts;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

/// A stream of bytes from a registry.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// Called with the number of bytes that arrived since the last call.
pub type Progress = Box<dyn FnMut(u64) + Send>;

/// A registry's answer. Redirects are answers too: the client follows them itself.
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, not read yet.
    pub body: ByteStream,
}

impl Response {
    /// The first value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What an operation gives back.
#[derive(Default)]
pub enum Value {
    /// Nothing.
    #[default]
    None,
    /// A program's resolved path, from `process.lookup-program`.
    Program(String),
    /// From `http.request`.
    Response(Response),
    /// From `store.unpack-layer`.
    Unpacked(Unpacked),
    /// From `store.receive-blob` (one) and `store.receive-archive`.
    Received(Vec<Received>),
    /// A process id on the host.
    Pid(u32),
    /// The inner end's path, from `terminal.open`: `/dev/pts/0`.
    Terminal(String),
    /// From operations on a container's files.
    Tree(tree::TreeAnswer),
    /// From `network.create-sandbox`: a path under which others can join the namespace.
    Sandbox(String),
    /// From `network.listen`: the bound socket, and the port it got.
    Listener(OwnedFd, u16),
    /// From a simulated `process.exec`: the caller is the program now. The real kernel never
    /// returns from there, so nothing more may be said from here either.
    Became,
}

/// A success: facts for the trace, a value for the caller.
#[derive(Default)]
pub struct Outcome {
    /// Evidence, shown to the learner.
    pub facts: Facts,
    /// Result, used by the caller.
    pub value: Value,
}

impl Outcome {
    /// Nothing to say.
    pub fn done() -> Outcome {
        Outcome::default()
    }

    /// Only evidence.
    pub fn facts(facts: Facts) -> Outcome {
        Outcome { facts, ..Outcome::default() }
    }
}

/// The daemon's door: asynchronous, shared by all requests.
pub trait Host: Send + Sync + fmt::Debug {
    /// Performs one operation.
    ///
    /// # Errors
    /// The kernel's or the network's refusal. Nothing half-done is left by a single operation.
    fn perform<'a>(&'a self, op: &'a Op, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>>;

    /// Reads a file of the engine's own; reading is no act, so it is not an operation.
    ///
    /// # Errors
    /// As read(2).
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Opens a file of the engine's own, to read it bit by bit.
    ///
    /// # Errors
    /// As open(2).
    fn open(&self, path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.read(path)?)))
    }

    /// Paths of an unpacked layer that are not what its blob says; empty when all are.
    ///
    /// # Errors
    /// A blob or a tree that cannot be read.
    fn compare_layer(&self, _blob: &str, _media_type: &str, _directory: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Length in bytes of a file of the engine's own.
    ///
    /// # Errors
    /// As stat(2).
    fn size(&self, path: &str) -> io::Result<u64> {
        Ok(self.read(path)?.len() as u64)
    }

    /// Names in a directory of the engine's own, sorted.
    ///
    /// # Errors
    /// As getdents(2).
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// What the machine's own ps(1) prints with these arguments; looking is no act. An error is its
    /// complaint, or that there is none.
    fn processes<'a>(&'a self, arguments: &'a [String]) -> BoxFuture<'a, io::Result<String>>;
    /// What is at a path; a link at its end is not followed.
    ///
    /// # Errors
    /// As lstat(2).
    fn look(&self, path: &str) -> io::Result<tree::Inode>;

    /// Whether what it does is only modelled.
    fn simulated(&self) -> bool {
        false
    }

    /// Sockets of a resolver at port 53 of `address` in the network namespace of a container (by
    /// its short id): one for datagrams, one for streams. Names are bulk, so this is no operation.
    ///
    /// # Errors
    /// As bind(2); Unsupported on a machine that is only modelled.
    fn resolver(&self, sandbox: &str, address: Ipv4Addr) -> io::Result<(UdpSocket, TcpListener)>;
}

/// What init does; it ends with `process.exec` and then never returns on the real kernel.
pub type Init = Box<dyn FnOnce(&mut dyn Jail) -> Result<(), OpError> + Send>;

/// The door of shim and init: blocking, single-threaded.
pub trait Jail: Send {
    /// Performs one operation in the calling process.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn perform(&mut self, op: &Op, payload: Payload) -> Result<Outcome, Fault>;

    /// `namespace.clone` or `process.fork`: the child waits for [`Child::proceed`], then runs `init`.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn clone_init(&mut self, op: &Op, stdio: Stdio, init: Init) -> Result<Box<dyn Child>, Fault>;

    /// Performs `process.fork-inside` in a helper: the new process takes its place in the shim's
    /// hands, waits to be let go and runs `init`.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn clone_sibling(&mut self, op: &Op, init: Init) -> Result<Outcome, Fault>;

    /// From now on, paths at or below `root` are resolved as the container would resolve them: no
    /// symbolic link in an image leads out. Ends with `mount.pivot-root`.
    ///
    /// # Errors
    /// As open(2).
    fn confine(&mut self, root: &str) -> io::Result<()>;

    /// Reads a small file, such as `/proc/<pid>/status`; no operation, it changes nothing.
    ///
    /// # Errors
    /// As read(2).
    fn read(&self, path: &str) -> io::Result<String>;

    /// What a link says, such as `/proc/self/ns/net`.
    ///
    /// # Errors
    /// As readlink(2).
    fn read_link(&self, path: &str) -> io::Result<String>;

    /// Whether the path exists, links followed.
    fn exists(&self, path: &str) -> bool;

    /// The work is done and a long wait begins: memory that is not needed for it may go.
    fn rest(&mut self) {}

    /// Opens a container's log for appending; output is bulk, so it is no operation.
    ///
    /// # Errors
    /// As open(2).
    fn open_log(&mut self, file: &LogFile) -> io::Result<Box<dyn io::Write + Send>>;
}
