//! Entries out of the files of a log, in the order they were written, as they come.

use crate::runtime::log_format::{FRAME, LogFormat};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Reads a log from a place on, over the borders of its files. Of what is read only one chunk and
/// one entry are kept, however long the log is.
#[derive(Debug)]
pub struct Reader {
    path: String,
    format: LogFormat,
    file: File,
    /// Files after this one, oldest first.
    newer: VecDeque<File>,
    /// Bytes of this file taken in so far.
    position: u64,
    /// An entry whose end has not been written yet.
    partial: Vec<u8>,
}

impl Reader {
    /// Begins with the last `tail` entries; `None` is from the oldest file's start. No reader when
    /// there is no log yet.
    ///
    /// # Errors
    /// As open(2), lseek(2) and read(2).
    pub fn open(path: &str, format: LogFormat, tail: Option<usize>) -> io::Result<Option<Reader>> {
        let mut newer: VecDeque<File> = files(path)?.into();
        let mut start = 0;
        if let Some(wanted) = tail {
            // Counted from the end; what is older than the last so many is let go.
            let mut missing = wanted;
            let mut at = newer.len();
            while at > 0 {
                at -= 1;
                let (offset, found) = tail_offset(&newer[at], missing, format)?;
                start = offset;
                missing -= found;
                if missing == 0 {
                    break;
                }
            }
            newer.drain(..at);
        }
        let Some(mut file) = newer.pop_front() else { return Ok(None) };
        file.seek(SeekFrom::Start(start))?;
        let path = path.to_owned();
        Ok(Some(Reader { path, format, file, newer, position: start, partial: Vec::new() }))
    }

    /// The next whole entries, without newline or frame; `None` at what is the end for now.
    ///
    /// # Errors
    /// As read(2).
    pub fn entries(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = self.file.read(&mut chunk)?;
            if length > 0 {
                self.position += length as u64;
                self.partial.extend_from_slice(&chunk[..length]);
                return Ok(Some(self.split()));
            }
            if let Some(next) = self.newer.pop_front() {
                (self.file, self.position) = (next, 0);
                self.partial.clear();
            } else if !self.look_for_newer()? {
                return Ok(None);
            }
            // Files that are newer were begun after the last write to this one; the read that found
            // its end may have been before that. So it is read once more.
        }
    }

    fn split(&mut self) -> Vec<Vec<u8>> {
        let mut entries = Vec::new();
        let mut rest = self.partial.as_slice();
        match self.format {
            LogFormat::Json => {
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    entries.push(rest[..end].to_vec());
                    rest = &rest[end + 1..];
                }
            }
            LogFormat::Local => {
                while let Some((entry, after)) = framed(rest) {
                    entries.push(entry.to_vec());
                    rest = after;
                }
            }
        }
        let kept = rest.len();
        let all = self.partial.len();
        self.partial.drain(..all - kept);
        entries
    }

    /// Whether there is more elsewhere: the file was put aside, or emptied where only one is kept.
    fn look_for_newer(&mut self) -> io::Result<bool> {
        let own = self.file.metadata()?;
        if own.len() < self.position {
            self.file.seek(SeekFrom::Start(0))?;
            self.position = 0;
            self.partial.clear();
            return Ok(true);
        }
        let all = files(&self.path)?;
        let mut after = all.len();
        for (at, file) in all.iter().enumerate() {
            let other = file.metadata()?;
            if (other.dev(), other.ino()) == (own.dev(), own.ino()) {
                after = at + 1;
            }
        }
        // Not among them any more: it was put aside so often that it is gone. All there are, then.
        let gone = after == all.len() && own.nlink() == 0;
        self.newer = all.into_iter().skip(if gone { 0 } else { after }).collect();
        Ok(!self.newer.is_empty())
    }
}

/// The files of a log, oldest first: `<path>.2`, `<path>.1`, `<path>`. Open ones stay what they are
/// when they are renamed.
fn files(path: &str) -> io::Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    let mut number = 0;
    loop {
        let name = if number == 0 { path.to_owned() } else { format!("{path}.{number}") };
        match File::open(name) {
            Ok(file) => {
                // Renamed between two looks, a file would be met twice.
                let inode = file.metadata()?.ino();
                if files.iter().all(|other| other.metadata().is_ok_and(|other| other.ino() != inode)) {
                    files.push(file);
                }
            }
            // The newest is missing for a moment when it has just been put aside.
            Err(error) if error.kind() == io::ErrorKind::NotFound && number == 0 => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
        number += 1;
    }
    files.reverse();
    Ok(files)
}

/// A framed message at the head of `bytes`, and what follows it.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let entry = rest.get(..length)?;
    Some((entry, rest.get(length + 4..)?))
}

/// Where the last `wanted` entries of a file begin, and how many of them there are.
fn tail_offset(file: &File, wanted: usize, format: LogFormat) -> io::Result<(u64, usize)> {
    let end = file.metadata()?.len();
    if wanted == 0 {
        return Ok((end, 0));
    }
    match format {
        LogFormat::Json => lines_from_end(file, end, wanted),
        LogFormat::Local => frames_from_end(file, end, wanted),
    }
}

/// Newlines counted from the end, a chunk at a time.
fn lines_from_end(file: &File, end: u64, wanted: usize) -> io::Result<(u64, usize)> {
    let mut position = end;
    let mut lines = 0;
    let mut chunk = vec![0; CHUNK];
    while position > 0 {
        let length = position.min(CHUNK as u64);
        position -= length;
        let chunk = &mut chunk[..usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact_at(chunk, position)?;
        for (at, _) in chunk.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let after = position + at as u64 + 1;
            // The newline that ends the last line opens no line after it.
            if after < end {
                lines += 1;
                if lines == wanted {
                    return Ok((after, lines));
                }
            }
        }
    }
    Ok((0, if end > 0 { lines + 1 } else { 0 }))
}

/// Each frame ends with its length.
fn frames_from_end(file: &File, end: u64, wanted: usize) -> io::Result<(u64, usize)> {
    let mut position = end;
    let mut found = 0;
    while position >= FRAME as u64 && found < wanted {
        let mut length = [0; 4];
        file.read_exact_at(&mut length, position - 4)?;
        let frame = u64::from(u32::from_be_bytes(length)) + FRAME as u64;
        let Some(before) = position.checked_sub(frame) else { break };
        position = before;
        found += 1;
    }
    Ok((position, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn all(reader: &mut Reader) -> String {
        let mut out = String::new();
        while let Some(entries) = reader.entries().unwrap() {
            entries.iter().for_each(|entry| out.push_str(&format!("{} ", String::from_utf8_lossy(entry))));
        }
        out
    }

    #[test]
    fn a_half_written_entry_waits_for_its_end() {
        let mut writer = tempfile::NamedTempFile::new().unwrap();
        writer.write_all(b"one\ntw").unwrap();
        let path = writer.path().to_str().unwrap().to_owned();
        let mut reader = Reader::open(&path, LogFormat::Json, None).unwrap().unwrap();
        assert_eq!(all(&mut reader), "one ");
        writer.write_all(b"o\n").unwrap();
        assert_eq!(all(&mut reader), "two ");
    }

    #[test]
    fn files_put_aside_are_read_first_and_followed_over_the_border() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").to_str().unwrap().to_owned();
        let write = |name: &str, text: &str| {
            let mut file = File::options().create(true).append(true).open(name).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        write(&format!("{path}.2"), "a\nb\n");
        write(&format!("{path}.1"), "c\nd\n");
        write(&path, "e\n");
        let open = |tail| Reader::open(&path, LogFormat::Json, tail).unwrap().unwrap();
        assert_eq!(all(&mut open(None)), "a b c d e ");
        assert_eq!(all(&mut open(Some(2))), "d e ");
        assert_eq!(all(&mut open(Some(4))), "b c d e ");
        assert_eq!(all(&mut open(Some(40))), "a b c d e ");
        assert_eq!(all(&mut open(Some(0))), "");
        let mut follower = open(Some(1));
        assert_eq!(all(&mut follower), "e ");
        for text in ["f\n", "g\n"] {
            write(&path, "still in the old\n");
            fs::rename(format!("{path}.1"), format!("{path}.2")).unwrap();
            fs::rename(&path, format!("{path}.1")).unwrap();
            write(&path, text);
        }
        assert_eq!(all(&mut follower), "still in the old f still in the old g ");
    }

    #[test]
    fn a_file_that_is_emptied_is_read_from_its_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").to_str().unwrap().to_owned();
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut reader = Reader::open(&path, LogFormat::Json, None).unwrap().unwrap();
        assert_eq!(all(&mut reader), "one two ");
        fs::write(&path, "three\n").unwrap();
        assert_eq!(all(&mut reader), "three ");
        assert!(Reader::open("/nonexistent/log", LogFormat::Json, None).unwrap().is_none());
    }
}
