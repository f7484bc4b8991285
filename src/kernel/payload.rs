//! What an operation is given besides what it says.

use super::{ByteStream, Progress, tree};
use bytes::Bytes;
use std::fmt;
use std::os::fd::OwnedFd;

/// What travels beside an operation: bulk bytes, true secrets, descriptors.
#[derive(Default)]
pub enum Payload {
    /// Nothing; the operation says it all.
    #[default]
    Empty,
    /// The whole text or document of `fs.write-file` and `store.put-blob`.
    Bytes(Bytes),
    /// For `http.request`: the true URL and headers, and a body.
    Request {
        /// With its secrets.
        url: String,
        /// With their secrets.
        headers: Vec<(String, String)>,
        /// For `POST`.
        body: Option<Bytes>,
    },
    /// For `store.unpack-layer`: the compressed bytes from `offset` on (what is before is in the
    /// partial blob already), and who wants to know how far it is.
    Stream {
        /// First byte of the stream within the blob.
        offset: u64,
        /// The bytes.
        bytes: ByteStream,
        /// Compressed bytes taken in, the partial blob's included.
        progress: Progress,
    },
    /// For `process.spawn-shim` and `process.spawn-proxy`: the other process's end of the control
    /// socket (its standard input).
    Control(OwnedFd),
    /// For `cgroup.attach-device-filter`: eBPF instructions (code, registers with the destination
    /// in the low half, jump offset, constant).
    DeviceFilter(Vec<(u8, u8, i16, i32)>),
    /// For `process.exec`: the true environment, and the seccomp program (4 numbers a line:
    /// code, jt, jf, k).
    Exec {
        /// `NAME=value`.
        env: Vec<String>,
        /// BPF instructions.
        filter: Vec<(u16, u8, u8, u32)>,
    },
    /// For operations on a container's files.
    Tree(tree::TreeWork),
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payload::Empty => "Empty",
            Payload::Bytes(_) => "Bytes",
            Payload::Request { .. } => "Request",
            Payload::Stream { .. } => "Stream",
            Payload::Control(_) => "Control",
            Payload::DeviceFilter(_) => "DeviceFilter",
            Payload::Exec { .. } => "Exec",
            Payload::Tree(_) => "Tree",
        })
    }
}
