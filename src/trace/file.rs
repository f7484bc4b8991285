//! Finished traces on disk: one JSONL file each, the newest few hundred kept.
//!
//! The first line is a [`TraceInfo`], every further line a [`Record`]. `learn trace replay`
//! feeds such a file to the renderer; no engine is needed.

use super::{Record, TraceInfo};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Files kept; the oldest go first.
pub const KEEP: usize = 300;

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("read trace {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: expected {expected}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What belongs there.
        expected: &'static str,
        /// The parser's word.
        source: serde_json::Error,
    },
    /// The file has no line at all.
    #[error("{}: empty trace file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Bytes held back before they are written.
const BUFFER: usize = 32 * 1024;

/// Appends records, in whole lines. A full disk ends the file, never the work.
#[derive(Debug)]
pub struct Writer {
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Writer {
    /// Starts `<directory>/<id>.jsonl`; `None` when the disk does not let us.
    pub fn create(directory: &Path, info: &TraceInfo) -> Option<Writer> {
        let mut file = File::create_new(directory.join(format!("{}.jsonl", info.id))).ok()?;
        let mut line = serde_json::to_vec(info).ok()?;
        line.push(b'\n');
        file.write_all(&line).ok()?;
        Some(Writer { file: Some(file), buffer: Vec::new() })
    }

    /// Takes one record; it reaches the file with the next [`Writer::flush`] at the latest.
    pub fn write(&mut self, record: &Record) {
        if serde_json::to_writer(&mut self.buffer, record).is_ok() {
            self.buffer.push(b'\n');
        }
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Writes what was held back, as one write: a kill leaves whole lines.
    pub fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && file.write_all(&self.buffer).is_err()
        {
            self.file = None;
        }
        self.buffer.clear();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Reads a whole trace. A last line cut short by a crash is left out.
///
/// # Errors
/// When the file cannot be read, or a line other than the last is malformed.
pub fn read(path: &Path) -> Result<(TraceInfo, Vec<Record>), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut lines = BufReader::new(File::open(path).map_err(io)?).lines().enumerate().peekable();
    let (_, first) = lines.next().ok_or_else(|| Error::Empty { path: path.to_owned() })?;
    let malformed =
        |line, expected, source| Error::Malformed { path: path.to_owned(), line, expected, source };
    let info = serde_json::from_str(&first.map_err(io)?)
        .map_err(|source| malformed(1, "a trace header (id, title, began)", source))?;
    let mut records = Vec::new();
    while let Some((index, line)) = lines.next() {
        match serde_json::from_str(&line.map_err(io)?) {
            Ok(record) => records.push(record),
            Err(source) if lines.peek().is_none() && source.is_eof() => break,
            Err(source) => return Err(malformed(index + 1, "a record (seq, at, scope, event)", source)),
        }
    }
    Ok((info, records))
}

/// The traces in a directory, newest first. Unreadable files are left out.
pub fn list(directory: &Path) -> Vec<TraceInfo> {
    let mut infos: Vec<TraceInfo> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let mut first = String::new();
            BufReader::new(File::open(entry.path()).ok()?).read_line(&mut first).ok()?;
            serde_json::from_str(&first).ok()
        })
        .collect();
    infos.sort_by(|a, b| b.began.cmp(&a.began));
    infos
}

/// Removes all but the newest [`KEEP`] files.
pub fn prune(directory: &Path) {
    for info in list(directory).iter().skip(KEEP) {
        let _ = fs::remove_file(directory.join(format!("{}.jsonl", info.id)));
    }
}
