//! The image store: OCI image specification, layers and descriptors.

use super::{FsOp, Op, quote};
use serde::{Deserialize, Serialize};

/// An act on images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum StoreOp {
    /// Keeps a small document (manifest, configuration) under its digest.
    PutBlob {
        /// `sha256:<hex>` of the bytes, which travel beside the `Op`.
        digest: String,
        /// File it is kept in.
        path: String,
        /// Length in bytes.
        size: u64,
    },
    /// Streams one layer: compressed bytes in, kept under `blob`, inflated and unpacked into
    /// `directory`, both hashes computed on the way.
    UnpackLayer {
        /// `sha256:<hex>` the compressed bytes must have.
        digest: String,
        /// File the compressed bytes are kept in; a partial one is continued.
        blob: String,
        /// Media type, which names the compression.
        media_type: String,
        /// Where the tree is built.
        directory: String,
        /// Most bytes the layer may unpack to.
        limit: u64,
    },
    /// Packs a container's writable layer into a compressed layer: what overlayfs marks as removed
    /// becomes a whiteout. Both hashes are computed on the way.
    PackLayer {
        /// The writable layer.
        directory: String,
        /// File the compressed bytes are written to.
        blob: String,
    },
    /// Compares what was computed with what was promised.
    VerifyDigest {
        /// What the digest is of: `manifest`, `config`, `layer`, `diff-id`.
        subject: String,
        /// Promised.
        expected: String,
        /// Computed.
        actual: String,
    },
}

impl StoreOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            StoreOp::PutBlob { path, size, .. } => format!("write(\"{path}\", …, {size}); fsync(); rename()"),
            StoreOp::UnpackLayer { directory, .. } => {
                format!("openat2(\"{directory}\", …, RESOLVE_IN_ROOT), write(), fchown(), … per file")
            }
            StoreOp::PackLayer { directory, blob } => {
                format!("read(\"{directory}/…\"), … per file; write(\"{blob}\", …); fsync()")
            }
            StoreOp::VerifyDigest { .. } => "memcmp(expected, actual, 32)".into(),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            StoreOp::PutBlob { path, .. } => format!("sha256sum {}", quote(path)),
            StoreOp::UnpackLayer { blob, directory, .. } => {
                format!("tar -x -f {} -C {}", quote(blob), quote(directory))
            }
            StoreOp::PackLayer { directory, blob } => {
                format!("tar -c -z -f {} -C {} .", quote(blob), quote(directory))
            }
            StoreOp::VerifyDigest { expected, actual, .. } => {
                format!("test {} = {}", quote(expected), quote(actual))
            }
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        match self {
            StoreOp::PutBlob { path, .. } => Some(FsOp::RemoveFile { path: path.clone() }.into()),
            StoreOp::UnpackLayer { directory, .. } => {
                Some(FsOp::RemoveTree { path: directory.clone() }.into())
            }
            StoreOp::PackLayer { blob, .. } => Some(FsOp::RemoveFile { path: blob.clone() }.into()),
            StoreOp::VerifyDigest { .. } => None,
        }
    }
}
