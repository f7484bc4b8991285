//! A blob, a directory, and the door that unpacks one into the other.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use learn::kernel::linux::host::{LinuxHost, Transport};
use learn::kernel::linux::seal::SealedExe;
use learn::kernel::{Fault, Host, Outcome, Payload, Unpacked, Value};
use learn::op::{HttpOp, Op, StoreOp};
use learn::trace::Facts;
use rustix::process::{Gid, Uid};
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub const PLENTY: u64 = 1 << 30;

/// What one unpacking brought.
#[derive(Debug)]
pub struct Result {
    pub unpacked: Unpacked,
    pub facts: Facts,
    /// Compressed bytes reported as taken in.
    pub progress: u64,
}

/// How a layer is handed over; only what a test is about is named.
pub struct Hand {
    pub media_type: &'static str,
    pub digest: Option<String>,
    pub limit: u64,
    pub offset: u64,
    /// Bytes per stretch of the stream.
    pub stretch: usize,
    /// The stream fails at its end.
    pub breaks: bool,
}

impl Default for Hand {
    fn default() -> Hand {
        Hand { media_type: TAR, digest: None, limit: PLENTY, offset: 0, stretch: 1000, breaks: false }
    }
}

pub struct Bench {
    pub temp: TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("outside"), "untouched").unwrap();
        Bench { temp }
    }

    pub fn root(&self) -> PathBuf {
        self.temp.path().join("layer")
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn blob(&self) -> PathBuf {
        self.temp.path().join("blob.partial")
    }

    pub fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Unpacks an uncompressed tar.
    pub fn unpack(&self, tar: &[u8]) -> std::result::Result<Result, Fault> {
        self.hand(tar, Hand::default())
    }

    pub fn hand(&self, layer: &[u8], hand: Hand) -> std::result::Result<Result, Fault> {
        let digest = hand.digest.unwrap_or_else(|| digest(layer));
        let op: Op = StoreOp::UnpackLayer {
            digest,
            blob: text(&self.blob()),
            media_type: hand.media_type.into(),
            directory: text(&self.root()),
            limit: hand.limit,
        }
        .into();
        let sent = &layer[usize::try_from(hand.offset).unwrap()..];
        let mut stretches: Vec<io::Result<Bytes>> =
            sent.chunks(hand.stretch).map(|bytes| Ok(Bytes::copy_from_slice(bytes))).collect();
        if hand.breaks {
            stretches.push(Err(io::Error::other("connection reset by peer")));
        }
        let progress = Arc::new(Mutex::new(0));
        let counted = progress.clone();
        let payload = Payload::Stream {
            offset: hand.offset,
            bytes: stream::iter(stretches).boxed(),
            progress: Box::new(move |count| *counted.lock().unwrap() += count),
        };
        let outcome = runtime().block_on(host().perform(&op, payload))?;
        let Value::Unpacked(unpacked) = outcome.value else { panic!("no layer in the outcome") };
        let progress = *progress.lock().unwrap();
        Ok(Result { unpacked, facts: outcome.facts, progress })
    }

    /// What lies beside the layer is as it was.
    pub fn assert_nothing_escaped(&self) {
        let mut names: Vec<_> = std::fs::read_dir(self.temp.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "blob.partial")
            .collect();
        names.sort();
        assert_eq!(names, ["layer", "outside"]);
        assert_eq!(std::fs::read_to_string(self.temp.path().join("outside")).unwrap(), "untouched");
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn host() -> LinuxHost {
    LinuxHost::new(SealedExe::of(Path::new("/proc/self/exe")).unwrap(), Box::new(Silent))
}

/// No registry is asked here.
#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn request<'a>(
        &'a self,
        op: &'a HttpOp,
        _: Payload,
    ) -> BoxFuture<'a, std::result::Result<Outcome, Fault>> {
        panic!("asked for {op:?}")
    }
}

pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says why a test that needs root is skipped; where root is required, fails.
pub fn needs_root(what: &str) -> bool {
    if is_root() {
        return false;
    }
    assert!(std::env::var_os("LEARN_REQUIRE_ROOT").is_none(), "needs root: {what}");
    eprintln!("skipped, needs root: {what}");
    true
}

/// Runs `work` as an ordinary user: on a thread of its own, which gives its privileges up (the
/// kernel's credentials are a thread's, and threads it starts inherit them).
pub fn as_nobody<T: Send>(work: impl FnOnce(&Bench) -> T + Send) -> T {
    let bench = Bench::new();
    if is_root() {
        for path in [bench.temp.path().to_owned(), bench.temp.path().join("outside")] {
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
        }
    }
    let result = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if is_root() {
                let (uid, gid) = (Uid::from_raw(65534), Gid::from_raw(65534));
                rustix::thread::set_thread_groups(&[]).unwrap();
                rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
                rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            }
            assert!(!is_root());
            work(&bench)
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    // A directory without permissions would stay behind for an ordinary user.
    let _ = learn::kernel::linux::remove::remove_tree(&text(&bench.root()));
    result
}
