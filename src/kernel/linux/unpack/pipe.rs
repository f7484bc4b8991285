//! From the thread that inflates to the thread that builds the tree: a few buffers going round.

use super::error::UnpackError;
use super::intake::sha256;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes in one buffer: large enough that handing it over costs nothing beside inflating it.
const BUFFER: usize = 256 * 1024;
/// Buffers under way at most, besides the one being filled and the one being read.
const UNDER_WAY: usize = 3;

enum Message {
    /// A buffer, and how many of its bytes count.
    Chunk(Vec<u8>, usize),
    End,
}

/// Both ends.
pub(super) fn pipe() -> (Inflow, Inflated) {
    let (chunks, arriving) = sync_channel(UNDER_WAY);
    let (spare, returned) = channel();
    let outlet = Inflated {
        chunks: arriving,
        spare,
        current: Vec::new(),
        length: 0,
        position: 0,
        ended: false,
        hash: Sha256::new(),
        total: 0,
    };
    (Inflow { chunks, returned }, outlet)
}

/// The end that is written to.
pub(super) struct Inflow {
    chunks: SyncSender<Message>,
    returned: Receiver<Vec<u8>>,
}

/// How pouring ended.
pub(super) enum Poured {
    /// Everything went through.
    All,
    /// The tree's builder has stopped; its own error says why.
    HungUp,
}

impl Inflow {
    /// Moves everything from `reader`, at most `limit` bytes.
    pub(super) fn fill_from(&self, mut reader: impl Read, limit: u64) -> Result<Poured, UnpackError> {
        let mut total = 0u64;
        loop {
            // Always of full length: what is not cleared between two rounds need not be cleared.
            let mut buffer = self.returned.try_recv().unwrap_or_default();
            buffer.resize(BUFFER, 0);
            let count = fill(&mut reader, &mut buffer)?;
            total += count as u64;
            if total > limit {
                return Err(UnpackError::TooLarge { limit });
            }
            let message = if count == 0 { Message::End } else { Message::Chunk(buffer, count) };
            if self.chunks.send(message).is_err() {
                return Ok(Poured::HungUp);
            }
            if count == 0 {
                return Ok(Poured::All);
            }
        }
    }
}

/// Reads until the buffer is full or the reader at its end; the number of bytes.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The end that is read from: the tar, hashed as it passes.
pub(super) struct Inflated {
    chunks: Receiver<Message>,
    spare: Sender<Vec<u8>>,
    current: Vec<u8>,
    /// Bytes of `current` that count.
    length: usize,
    position: usize,
    ended: bool,
    hash: Sha256,
    total: u64,
}

impl Inflated {
    /// `sha256:<hex>` of everything read so far, and its length.
    pub(super) fn digest(&self) -> (String, u64) {
        (sha256(&self.hash), self.total)
    }
}

impl BufRead for Inflated {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.length && !self.ended {
            match self.chunks.recv() {
                Ok(Message::Chunk(chunk, length)) => {
                    self.hash.update(&chunk[..length]);
                    self.total += length as u64;
                    let old = std::mem::replace(&mut self.current, chunk);
                    (self.length, self.position) = (length, 0);
                    // The other side may have finished meanwhile; then nobody needs the buffer.
                    let _ = self.spare.send(old);
                }
                Ok(Message::End) => self.ended = true,
                Err(_) => return Err(UnpackError::Interrupted("the layer's bytes broke off".into()).into()),
            }
        }
        Ok(&self.current[self.position..self.length])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

impl Read for Inflated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
