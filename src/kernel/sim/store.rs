//! The daemon's image store on the modelled machine: blobs, layers, digests.

use super::host::SimHost;
use super::jail::fault;
use super::layer;
use super::world::{DAEMON, lock};
use crate::error::{Hint, Kind};
use crate::kernel::{ByteStream, Fault, Outcome, Payload, Progress, Value};
use crate::op::{FsOp, StoreOp};
use crate::trace::facts;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use nix::errno::Errno;

impl SimHost {
    pub(super) async fn store(&self, op: &StoreOp, payload: Payload) -> Result<Outcome, Fault> {
        match (op, payload) {
            (StoreOp::PutBlob { digest, path, .. }, Payload::Bytes(bytes)) => {
                verify("blob", digest, &layer::digest(&bytes))?;
                lock(&self.world).write(DAEMON, path, bytes).map_err(fault)?;
                Ok(Outcome::done())
            }
            (StoreOp::PutBlob { .. }, _) => {
                Err(Fault::new(Kind::Internal, "store.put-blob came without its bytes"))
            }
            (StoreOp::UnpackLayer { blob, .. }, Payload::Stream { offset, bytes, progress }) => {
                let whole = self.take_in(blob, offset, bytes, progress).await?;
                self.unpack(op, &whole)
            }
            (StoreOp::UnpackLayer { .. }, _) => {
                Err(Fault::new(Kind::Internal, "store.unpack-layer came without its stream"))
            }
            (StoreOp::PackLayer { directory, blob }, payload) => self.pack_layer(directory, blob, payload),
            (StoreOp::VerifyDigest { subject, expected, actual }, _) => verify(subject, expected, actual),
        }
    }

    fn unpack(&self, op: &StoreOp, whole: &Bytes) -> Result<Outcome, Fault> {
        let StoreOp::UnpackLayer { digest, blob, media_type, directory, limit } = op else {
            return Err(Fault::new(Kind::Internal, "only layers are unpacked"));
        };
        let mut world = lock(&self.world);
        let layer = world.unpack(DAEMON, whole, media_type, directory, *limit);
        let correct = layer.unpacked.digest == *digest;
        match layer.failure {
            Some(failure @ layer::Unfit::Other(_)) => return Err(failure.into()),
            // Of no use to anyone: neither to go on from nor to keep. Where the bytes are not what
            // was promised, their digest is the better reason.
            failure if failure.is_some() || !correct => {
                world.file_op(DAEMON, &FsOp::RemoveFile { path: blob.clone() }, None).map_err(fault)?;
                if let (true, Some(failure)) = (correct, failure) {
                    return Err(failure.into());
                }
            }
            _ => {}
        }
        let unpacked = layer.unpacked;
        let mut facts = facts([
            ("digest", &unpacked.digest),
            ("size", &unpacked.size),
            ("diff-id", &unpacked.diff_id),
            ("inflated", &unpacked.inflated),
            ("entries", &unpacked.entries),
        ]);
        if layer.skipped_devices > 0 {
            facts.insert("skipped-devices".into(), layer.skipped_devices.to_string());
        }
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
}

/// Compares what was computed with what was promised.
fn verify(subject: &str, expected: &str, actual: &str) -> Result<Outcome, Fault> {
    if expected == actual {
        return Ok(Outcome::done());
    }
    let message = format!("{subject} digest mismatch: expected {expected}, got {actual}");
    Err(Fault::new(Kind::Unavailable, message).hint(Hint::PullAgain))
}
