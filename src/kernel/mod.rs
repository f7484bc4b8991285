//! The kernel: whoever performs an [`Op`].
//!
//! Two doors to one vocabulary. [`Host`] is asynchronous and open to the daemon: store, registry,
//! spawning. [`Jail`] is blocking and open to the single-threaded shim and init: namespaces,
//! mounts, privileges, exec. Each door has two implementations, [`linux`] (the machine) and
//! [`sim`] (a deterministic model), and one decorator, [`traced`], which announces every
//! operation, waits at the gate, performs and reports. Engine and runtime only ever hold the
//! decorated doors, so nothing happens unannounced.

pub mod linux;
pub mod machine;
mod payload;
pub mod sim;
mod tarball;
pub mod traced;
pub mod tree;

pub use machine::Machine;
pub use payload::Payload;
pub use traced::{Report, TracedHost, TracedJail};

use crate::error::{Classify, Hint, Kind};
use crate::op::Op;
use crate::trace::Facts;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

/// Why an operation failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// errno(3), where the kernel gave one.
    pub errno: Option<i32>,
    /// One line, lower case, no full stop.
    pub message: String,
    /// Its class.
    pub kind: Kind,
    /// Advice.
    pub hint: Option<Hint>,
    /// Evidence, such as every place a program was looked for in.
    #[serde(default)]
    pub facts: Facts,
}

impl Fault {
    /// A fault of the given class that no system call reported.
    pub fn new(kind: Kind, message: impl Into<String>) -> Fault {
        Fault { errno: None, message: message.into(), kind, hint: None, facts: Facts::new() }
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Fault {
        self.hint = Some(hint);
        self
    }

    /// From an error number, described as strerror(3) does.
    pub fn errno(errno: i32) -> Fault {
        Fault::from(io::Error::from_raw_os_error(errno))
    }

    /// What the gate's [`Decision::Abort`](crate::trace::Decision::Abort) becomes.
    pub fn aborted() -> Fault {
        Fault::new(Kind::Aborted, "aborted")
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        let errno = error.raw_os_error();
        let message = match errno {
            Some(errno) => nix::errno::Errno::from_raw(errno).desc().to_lowercase(),
            None => error.to_string(),
        };
        let (kind, hint) = match error.kind() {
            io::ErrorKind::NotFound => (Kind::NotFound, None),
            io::ErrorKind::PermissionDenied => (Kind::Denied, Some(Hint::RunDoctor)),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (Kind::Unavailable, Some(Hint::FreeDisk))
            }
            _ => (Kind::Internal, None),
        };
        Fault { errno, message, kind, hint, facts: Facts::new() }
    }
}

/// A failed operation: what was being done, and why it did not work.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
pub struct OpError {
    /// The operation.
    pub op: Box<Op>,
    /// The reason.
    pub fault: Fault,
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault.kind {
            Kind::Aborted => f.write_str("aborted"),
            _ => write!(f, "{}: {}", self.op.syscall(), self.fault.message),
        }
    }
}

impl Classify for OpError {
    fn kind(&self) -> Kind {
        self.fault.kind
    }

    fn hint(&self) -> Option<Hint> {
        self.fault.hint
    }
}

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

/// What streaming a layer brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// `sha256:<hex>` of the compressed bytes.
    pub digest: String,
    /// Compressed bytes.
    pub size: u64,
    /// `sha256:<hex>` of the inflated tar.
    pub diff_id: String,
    /// Inflated bytes.
    pub inflated: u64,
    /// Entries unpacked.
    pub entries: u64,
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

/// The container's standard streams, as init inherits them.
#[derive(Debug)]
pub struct Stdio {
    /// Descriptor 0.
    pub stdin: OwnedFd,
    /// Descriptor 1.
    pub stdout: OwnedFd,
    /// Descriptor 2.
    pub stderr: OwnedFd,
}

/// The container's first process, seen from the shim.
pub trait Child {
    /// Process id on the host.
    fn pid(&self) -> u32;
    /// Lets init go on, and returns when it has become the program, or `Err` with what stopped it.
    /// Of a `process.fork` it returns when the process inside has taken the helper's place and waits.
    ///
    /// # Errors
    /// The operation that failed inside.
    fn proceed(&mut self) -> Result<(), OpError>;
    /// The outer end of the terminal, when one was opened inside; once.
    fn terminal(&mut self) -> Option<OwnedFd>;
    /// Readable as soon as the process has ended: a pidfd, pidfd_open(2).
    fn ended(&self) -> std::os::fd::BorrowedFd<'_>;
    /// Takes the exit status: `code` when it exited, `signal` when it was killed.
    ///
    /// # Errors
    /// As waitid(2).
    fn reap(&mut self) -> io::Result<ExitStatus>;
    /// Sends a signal to it.
    ///
    /// # Errors
    /// As pidfd_send_signal(2).
    fn signal(&self, signal: i32) -> io::Result<()>;
}

/// A file that output is appended to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Older ones beside it are `<path>.1`, `<path>.2`, ….
    pub path: String,
    /// Bytes after which another one is begun; 0 for never.
    pub max_size: u64,
    /// Files kept, this one included; of one alone the content goes when it is full.
    pub max_files: u32,
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// Docker's exit code: the program's own, or 128 + signal.
    pub fn code(self) -> i32 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => 128 + signal,
        }
    }
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
