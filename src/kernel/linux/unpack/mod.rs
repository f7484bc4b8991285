//! One layer: compressed bytes in, a tree and two digests out, in one pass and bounded memory.
//!
//! ```text
//!  registry ─▶ async task ─▶ thread "inflate"             ─▶ thread "tree"
//!              progress      sha256, append to the blob,     sha256 (diff id), read the tar,
//!                            inflate                         write the tree
//! ```
//!
//! Two threads because inflating and hashing-with-writing take about as long as each other, and
//! both block. Whoever stops first closes its channel, and the others follow.
//!
//! Bytes that make no layer are read on to their end all the same: if their digest differs from
//! the promised one, that is the better reason, and `store.verify-digest` gives it.

mod archive;
mod compression;
mod error;
mod intake;
mod name;
pub mod over;
mod pax;
mod pipe;
mod place;
mod sparse;
mod tree;

use super::super::{ByteStream, Fault, Outcome, Payload, Progress, Unpacked, Value};
use crate::error::Kind;
use crate::trace::facts;
use archive::Archive;
use compression::Compression;
use error::UnpackError;
use futures_util::StreamExt;
use intake::{Feed, Intake};
use pipe::{Inflated, Inflow, Poured};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use tree::{Skipped, Tree};

/// Most entries of a layer; the largest images known have a few hundred thousand.
const MOST_ENTRIES: u64 = 2_000_000;
/// Stretches of compressed bytes that may wait for the inflater.
const WAITING: usize = 16;

/// The fields of `store.unpack-layer`.
#[derive(Clone, Debug)]
pub struct Order {
    /// `sha256:<hex>` the compressed bytes must have.
    pub digest: String,
    /// File the compressed bytes are kept in.
    pub blob: String,
    /// Media type, which names the compression.
    pub media_type: String,
    /// Where the tree is built; made when missing, and empty.
    pub directory: String,
    /// Most bytes the layer may unpack to.
    pub limit: u64,
}

/// Performs `store.unpack-layer`. When the bytes do not have the promised digest the blob is
/// removed and the true digest returned; everything else that fails keeps what arrived, to go on
/// from. The tree is the caller's to remove. Dropping the future stops the work and waits until
/// nothing writes any more.
///
/// # Errors
/// [`Kind::Invalid`] for a malformed layer or one beyond the limit, [`Kind::Unavailable`] for a
/// broken connection or a full disk, otherwise the kernel's refusal.
pub async fn unpack_layer(order: Order, payload: Payload) -> Result<Outcome, Fault> {
    let Payload::Stream { offset, bytes, progress } = payload else {
        return Err(Fault::new(Kind::Internal, "store.unpack-layer came without its stream"));
    };
    let (feed, fed) = mpsc::channel(WAITING);
    let (answer, mut answered) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("inflate".into())
        .spawn(move || {
            // Nobody listens after the future was dropped; then there is nothing to say either.
            let _ = answer.send(unpack(&order, offset, fed));
        })
        .map_err(Fault::from)?;
    // Declared before the pump, which holds the feed: on drop the feed closes first.
    let worker = Worker(Some(thread));
    let result = tokio::select! {
        // A failure is told at once, not when a slow registry sends its next bytes.
        result = &mut answered => result,
        () = pump(bytes, offset, progress, feed) => answered.await,
    };
    drop(worker);
    let (unpacked, skipped) =
        result.map_err(|_| Fault::new(Kind::Internal, "the unpacking thread ended without an answer"))??;
    let mut found = facts([
        ("digest", &unpacked.digest),
        ("size", &unpacked.size),
        ("diff-id", &unpacked.diff_id),
        ("inflated", &unpacked.inflated),
        ("entries", &unpacked.entries),
    ]);
    for (name, count) in [("skipped-devices", skipped.devices), ("skipped-xattrs", skipped.xattrs)] {
        if count > 0 {
            found.insert(name.into(), count.to_string());
        }
    }
    Ok(Outcome { facts: found, value: Value::Unpacked(unpacked) })
}

/// Joins the threads when the future is dropped midway: whoever removes the tree next must be the
/// only one in it. They end within one buffer's work.
struct Worker(Option<JoinHandle<()>>);

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic in there has been reported by the missing answer.
            let _ = thread.join();
        }
    }
}

/// Hands the stream over until it ends, fails, or nobody takes any more.
async fn pump(mut bytes: ByteStream, offset: u64, mut progress: Progress, feed: mpsc::Sender<Feed>) {
    if offset > 0 {
        progress(offset);
    }
    loop {
        let next = match bytes.next().await {
            Some(Ok(stretch)) => {
                progress(stretch.len() as u64);
                Feed::Bytes(stretch)
            }
            Some(Err(error)) => Feed::Failed(error.to_string()),
            None => Feed::End,
        };
        let last = !matches!(next, Feed::Bytes(_));
        if feed.send(next).await.is_err() || last {
            return;
        }
    }
}

/// The whole work, on the inflating thread.
fn unpack(
    order: &Order,
    offset: u64,
    feed: mpsc::Receiver<Feed>,
) -> Result<(Unpacked, Skipped), UnpackError> {
    let mut intake = Intake::open(&order.blob, offset, order.limit, feed)?;
    let (inflow, inflated) = pipe::pipe();
    let (poured, built) = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new()
            .name("tree".into())
            .spawn_scoped(scope, || build(order, inflated))
            .map_err(|error| UnpackError::write(&order.directory, error))?;
        let poured = inflate(&mut intake, &order.media_type, order.limit, inflow);
        let built = builder.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, UnpackError>((poured, built))
    })?;
    let failure = match poured {
        Err(error) => Some(error),
        Ok(Poured::All | Poured::HungUp) => built.failure,
    };
    match failure {
        Some(error) if !error.is_content() => return Err(error),
        _ => intake.drain()?,
    }
    let (digest, size) = intake.digest();
    let correct = digest == order.digest;
    if !correct || failure.is_some() {
        // Of no use to anyone: neither to go on from nor to keep.
        std::fs::remove_file(&order.blob).map_err(|error| UnpackError::write(&order.blob, error))?;
    }
    if let (true, Some(error)) = (correct, failure) {
        return Err(error);
    }
    let unpacked =
        Unpacked { digest, size, diff_id: built.diff_id, inflated: built.inflated, entries: built.entries };
    Ok((unpacked, built.skipped))
}

/// Inflates everything into the pipe, which it closes.
fn inflate(intake: &mut Intake, media_type: &str, limit: u64, inflow: Inflow) -> Result<Poured, UnpackError> {
    let compression = Compression::choose(media_type, intake.magic()?)?;
    inflow.fill_from(compression.reader(intake)?, limit)
}

/// What the tree's thread brings back, also when it failed.
struct Built {
    diff_id: String,
    inflated: u64,
    entries: u64,
    skipped: Skipped,
    failure: Option<UnpackError>,
}

fn build(order: &Order, mut inflated: Inflated) -> Built {
    let mut entries = 0;
    let mut skipped = Skipped::default();
    let failure = build_tree(order, &mut inflated, &mut entries, &mut skipped).err();
    let (diff_id, total) = inflated.digest();
    Built { diff_id, inflated: total, entries, skipped, failure }
}

fn build_tree(
    order: &Order,
    inflated: &mut Inflated,
    entries: &mut u64,
    skipped: &mut Skipped,
) -> Result<(), UnpackError> {
    let mut tree = Tree::open(&order.directory, order.limit)?;
    let mut archive = Archive::new(inflated);
    while let Some(entry) = archive.next_entry()? {
        *entries += 1;
        if *entries > MOST_ENTRIES {
            return Err(UnpackError::TooMany { limit: MOST_ENTRIES });
        }
        tree.place(entry, &mut archive)?;
    }
    archive.drain()?;
    *skipped = tree.finish()?;
    Ok(())
}
