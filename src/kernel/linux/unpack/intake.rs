//! The compressed bytes: kept in the blob's file and hashed as they come in.

use super::error::UnpackError;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use tokio::sync::mpsc::Receiver;

/// Bytes read at once from a partial blob.
const STRETCH: u64 = 256 * 1024;

/// What the asynchronous side hands over.
pub(super) enum Feed {
    /// The next bytes.
    Bytes(Bytes),
    /// There are no more.
    End,
    /// The connection failed.
    Failed(String),
}

/// A blob on its way in.
pub(super) struct Intake {
    feed: Receiver<Feed>,
    blob: File,
    path: String,
    /// What an earlier attempt left, to be hashed and inflated again.
    replay: io::Take<File>,
    current: Bytes,
    ended: bool,
    hash: Sha256,
    size: u64,
    limit: u64,
}

impl Intake {
    /// Opens the blob's file, keeping its first `offset` bytes.
    pub(super) fn open(
        path: &str,
        offset: u64,
        limit: u64,
        feed: Receiver<Feed>,
    ) -> Result<Intake, UnpackError> {
        let refused = |error| UnpackError::write(path, error);
        let blob = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)
            .map_err(refused)?;
        let there = blob.metadata().map_err(refused)?.len();
        if there < offset {
            return Err(UnpackError::write(
                path,
                io::Error::other(format!("{there} bytes are there, not the {offset} to go on from")),
            ));
        }
        blob.set_len(offset).map_err(refused)?;
        let replay = File::open(path).map_err(refused)?.take(offset);
        Ok(Intake {
            feed,
            blob,
            path: path.to_owned(),
            replay,
            current: Bytes::new(),
            ended: false,
            hash: Sha256::new(),
            size: 0,
            limit,
        })
    }

    /// The first bytes, four of them unless there are fewer.
    pub(super) fn magic(&mut self) -> Result<&[u8], UnpackError> {
        self.fill_buf()?;
        while self.current.len() < 4 && !self.ended {
            let first = std::mem::take(&mut self.current);
            let joined = [&*first, self.fill_buf()?].concat();
            self.current = joined.into();
        }
        Ok(&self.current)
    }

    /// Reads to the end, for the digest.
    pub(super) fn drain(&mut self) -> Result<(), UnpackError> {
        loop {
            self.current = Bytes::new();
            if self.fill_buf()?.is_empty() {
                return Ok(());
            }
        }
    }

    /// `sha256:<hex>` of everything read so far, and its length.
    pub(super) fn digest(&self) -> (String, u64) {
        (sha256(&self.hash), self.size)
    }

    fn next(&mut self) -> Result<Bytes, UnpackError> {
        if self.replay.limit() > 0 {
            let mut stretch = Vec::new();
            let count = (&mut self.replay)
                .take(STRETCH)
                .read_to_end(&mut stretch)
                .map_err(|error| UnpackError::write(&self.path, error))?;
            if count == 0 {
                return Err(UnpackError::Interrupted(format!("{} became shorter meanwhile", self.path)));
            }
            return Ok(stretch.into());
        }
        loop {
            match self.feed.blocking_recv() {
                // An empty stretch is not the end.
                Some(Feed::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Feed::Bytes(bytes)) => {
                    self.blob.write_all(&bytes).map_err(|error| UnpackError::write(&self.path, error))?;
                    return Ok(bytes);
                }
                Some(Feed::End) => return Ok(Bytes::new()),
                Some(Feed::Failed(reason)) => return Err(UnpackError::Interrupted(reason)),
                None => return Err(UnpackError::Interrupted("the pull was given up".into())),
            }
        }
    }
}

impl BufRead for Intake {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() && !self.ended {
            self.current = self.next()?;
            self.ended = self.current.is_empty();
            self.hash.update(&self.current);
            self.size += self.current.len() as u64;
            // Empty gzip members and skippable frames inflate to nothing: they are bounded here.
            if self.size > self.limit {
                return Err(UnpackError::TooLarge { limit: self.limit }.into());
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        let _ = self.current.split_to(count);
    }
}

impl Read for Intake {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// A hash as digests are written: `sha256:<hex>`.
pub(super) fn sha256(hash: &Sha256) -> String {
    format!("sha256:{}", hex::encode(hash.clone().finalize()))
}
