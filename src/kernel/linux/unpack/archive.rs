//! Reads a tar as a stream: one entry, its data, the next entry.
//!
//! The crate `tar` decodes the 512-byte blocks. What lies around them is read here, because
//! extended headers come from strangers: their length is bounded, and their values are binary.

use super::error::UnpackError;
use super::pax::Pax;
use super::sparse::{self, Piece};
use rustix::fs::Timespec;
use std::io::{self, BufRead};
use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

const BLOCK: usize = 512;

/// The longest extended header taken, as Go's archive/tar.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink,
    HardLink,
    Fifo,
    CharDevice,
    BlockDevice,
}

/// One entry; a file's data is read from the [`Archive`] afterwards.
#[derive(Debug)]
pub(super) struct Entry {
    /// As it is written, not to be trusted.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Timespec,
    /// What a symbolic link says, or the path of a hard link's other name.
    pub(super) link: Vec<u8>,
    /// Major and minor number of a device.
    pub(super) device: (u32, u32),
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Length of a file, holes included.
    pub(super) size: u64,
    /// Where the data goes; `None` when it is the file from first to last byte.
    pub(super) pieces: Option<Vec<Piece>>,
}

/// A tar being read.
pub(super) struct Archive<R> {
    input: R,
    /// Bytes of the current entry's data not read yet.
    remaining: u64,
    /// Bytes after the data up to the next block.
    padding: u64,
    ended: bool,
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(input: R) -> Archive<R> {
        Archive { input, remaining: 0, padding: 0, ended: false }
    }

    /// The next entry; what was left of the one before is skipped. `None` at the end, whatever
    /// follows it: the digest covers that, the tree does not.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, UnpackError> {
        let mut long_path = None;
        let mut long_link = None;
        let mut pax = None;
        while let Some(header) = self.next_header()? {
            match header.entry_type() {
                EntryType::GNULongName => long_path = Some(c_string(self.extension()?)),
                EntryType::GNULongLink => long_link = Some(c_string(self.extension()?)),
                EntryType::XHeader => pax = Some(Pax::parse(&self.extension()?)?),
                // Global records describe the archive, not its entries: git's commit, for one.
                EntryType::XGlobalHeader => {}
                _ => {
                    let pax = pax.unwrap_or_default();
                    return self.entry(&header, long_path, long_link, pax).map(Some);
                }
            }
        }
        match (long_path, long_link, pax) {
            (None, None, None) => Ok(None),
            _ => Err(UnpackError::Malformed("the tar ends after an extended header".into())),
        }
    }

    /// A stretch of the current entry's data; empty at its end.
    pub(super) fn data(&mut self) -> Result<&[u8], UnpackError> {
        if self.remaining == 0 {
            return Ok(&[]);
        }
        let available = self.input.fill_buf()?;
        if available.is_empty() {
            return Err(UnpackError::Malformed("the tar ends within a file".into()));
        }
        let most = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        Ok(&available[..available.len().min(most)])
    }

    /// Marks the first `count` bytes of [`Archive::data`] as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.remaining -= count as u64;
    }

    /// Reads what follows the end, so that all of it is hashed.
    pub(super) fn drain(mut self) -> Result<(), UnpackError> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(())
    }

    fn next_header(&mut self) -> Result<Option<Header>, UnpackError> {
        self.remaining += self.padding;
        self.padding = 0;
        while self.remaining > 0 {
            let count = self.data()?.len();
            self.consume(count);
        }
        let mut header = Header::new_old();
        if self.ended || !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            self.ended = true;
            return Ok(None);
        }
        check_sum(&header)?;
        self.body(number(header.entry_size(), &header.as_old().size)?)?;
        Ok(Some(header))
    }

    /// Sets the length of the data that follows.
    fn body(&mut self, size: u64) -> Result<(), UnpackError> {
        if i64::try_from(size).is_err() {
            return Err(UnpackError::Malformed(format!("an entry of {size} bytes")));
        }
        self.remaining = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    /// Reads one block; `false` at the end of the input.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, UnpackError> {
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(UnpackError::Malformed("the tar ends within a header".into())),
                count => filled += count,
            }
        }
        Ok(true)
    }

    /// The whole data of an extended header.
    fn extension(&mut self) -> Result<Vec<u8>, UnpackError> {
        if self.remaining > LONGEST_EXTENSION {
            return Err(UnpackError::Malformed(format!(
                "an extended header of {} bytes; at most {LONGEST_EXTENSION} are taken",
                self.remaining
            )));
        }
        let mut bytes = Vec::new();
        while self.remaining > 0 {
            let stretch = self.data()?;
            bytes.extend_from_slice(stretch);
            let count = stretch.len();
            self.consume(count);
        }
        Ok(bytes)
    }

    fn entry(
        &mut self,
        header: &Header,
        long_path: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
        pax: Pax,
    ) -> Result<Entry, UnpackError> {
        if let Some(size) = pax.size {
            self.body(size)?;
        }
        let raw = header.as_old();
        let sparse_name = pax.sparse.name.clone();
        let path = long_path.or(sparse_name).or(pax.path).unwrap_or_else(|| header.path_bytes().into_owned());
        let link = long_link
            .or(pax.link)
            .or_else(|| header.link_name_bytes().map(|link| link.into_owned()))
            .unwrap_or_default();
        let kind = kind(header.entry_type(), &path)?;
        if kind != Kind::File {
            // As Go reads it: only files have data, whatever the size field says.
            self.body(0)?;
        }
        let (size, pieces) = match (header.entry_type(), pax.sparse.is_sparse()) {
            (EntryType::GNUSparse, _) => self.gnu_sparse(header)?,
            (_, true) if kind == Kind::File => self.pax_sparse(pax.sparse)?,
            _ => (self.remaining, None),
        };
        Ok(Entry {
            path,
            kind,
            mode: number(header.mode(), &raw.mode)? & 0o7777,
            uid: pax.uid.map_or_else(|| id(number(header.uid(), &raw.uid)?), Ok)?,
            gid: pax.gid.map_or_else(|| id(number(header.gid(), &raw.gid)?), Ok)?,
            mtime: match pax.mtime {
                Some(mtime) => mtime,
                None => Timespec { tv_sec: number(header.mtime(), &raw.mtime)?.cast_signed(), tv_nsec: 0 },
            },
            link,
            device: (device(header.device_major()), device(header.device_minor())),
            xattrs: pax.xattrs,
            size,
            pieces,
        })
    }

    /// The old GNU format: four pieces in the header, more in blocks after it.
    fn gnu_sparse(&mut self, header: &Header) -> Result<(u64, Option<Vec<Piece>>), UnpackError> {
        let gnu = header
            .as_gnu()
            .ok_or_else(|| UnpackError::Malformed("a sparse file without a GNU header".into()))?;
        let mut pieces = Vec::new();
        take_pieces(&gnu.sparse, &mut pieces)?;
        let mut more = gnu.is_extended();
        while more {
            let mut next = GnuExtSparseHeader::new();
            if !self.block(next.as_mut_bytes())? || pieces.len() > sparse::MOST_PIECES {
                return Err(UnpackError::Malformed("a sparse file with too long a map".into()));
            }
            take_pieces(next.sparse(), &mut pieces)?;
            more = next.is_extended();
        }
        let size = gnu.real_size().map_err(bad_field)?;
        sparse::check(&pieces, size, self.remaining)?;
        Ok((size, Some(pieces)))
    }

    fn pax_sparse(&mut self, sparse: sparse::PaxSparse) -> Result<(u64, Option<Vec<Piece>>), UnpackError> {
        let size = sparse
            .real_size
            .ok_or_else(|| UnpackError::Malformed("a sparse file without its real size".into()))?;
        let pieces = if sparse.map_in_body() {
            sparse::map_from_body(|| {
                let mut block = [0; BLOCK];
                let ends = || UnpackError::Malformed("a sparse file whose map ends early".into());
                self.remaining = self.remaining.checked_sub(BLOCK as u64).ok_or_else(ends)?;
                if self.block(&mut block)? { Ok(block) } else { Err(ends()) }
            })?
        } else {
            sparse.into_pieces()
        };
        sparse::check(&pieces, size, self.remaining)?;
        Ok((size, Some(pieces)))
    }
}

fn kind(kind: EntryType, path: &[u8]) -> Result<Kind, UnpackError> {
    Ok(match kind {
        // Before POSIX a directory was a file whose name ends with a slash.
        EntryType::Regular if path.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char => Kind::CharDevice,
        EntryType::Block => Kind::BlockDevice,
        other => {
            return Err(UnpackError::Malformed(format!(
                "the entry {:?} is of the unknown type {:?}",
                String::from_utf8_lossy(path),
                char::from(other.as_byte())
            )));
        }
    })
}

/// The sum of the header's bytes with its own field as spaces; old tars summed signed bytes.
fn check_sum(header: &Header) -> Result<(), UnpackError> {
    let bytes = header.as_bytes();
    let summed = || bytes[..148].iter().chain(&bytes[156..]);
    let unsigned: u32 = summed().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
    let signed: i32 = summed().map(|byte| i32::from(byte.cast_signed())).sum::<i32>() + 8 * 32;
    let stated = header.cksum().map_err(bad_field)?;
    if stated == unsigned || i64::from(stated) == i64::from(signed) {
        return Ok(());
    }
    Err(UnpackError::Malformed(format!("a header's checksum is {unsigned}, not {stated} as it says")))
}

fn take_pieces(from: &[GnuSparseHeader], pieces: &mut Vec<Piece>) -> Result<(), UnpackError> {
    for piece in from.iter().filter(|piece| !piece.is_empty()) {
        pieces.push((piece.offset().map_err(bad_field)?, piece.length().map_err(bad_field)?));
    }
    Ok(())
}

/// A numeric field; a blank one is 0, as Go reads it.
fn number<T: From<u8>>(value: io::Result<T>, raw: &[u8]) -> Result<T, UnpackError> {
    match value {
        Err(_) if raw.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(T::from(0)),
        value => value.map_err(bad_field),
    }
}

fn id(id: u64) -> Result<u32, UnpackError> {
    u32::try_from(id).map_err(|_| UnpackError::Malformed(format!("the id {id} is beyond 32 bits")))
}

/// Tools leave garbage in these fields where they mean nothing.
fn device(field: io::Result<Option<u32>>) -> u32 {
    field.ok().flatten().unwrap_or(0)
}

fn bad_field(error: io::Error) -> UnpackError {
    UnpackError::Malformed(format!("a header field is not a number: {error}"))
}

/// Up to the first NUL.
fn c_string(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}
