//! The json-file log: one JSON document a line, written by the shim.
//!
//! ```json
//! {"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Line {
    log: String,
    stream: Stream,
    time: String,
}

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stream {
    Stdout,
    Stderr,
}

/// What a reader wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Lines of standard output.
    pub stdout: bool,
    /// Lines of standard error.
    pub stderr: bool,
    /// Only what is not older.
    pub since: Option<Timestamp>,
    /// Only what is not newer.
    pub until: Option<Timestamp>,
    /// The time before each line.
    pub timestamps: bool,
    /// Docker's 8-byte frame headers; off for a container with a terminal.
    pub frames: bool,
}

impl Filter {
    /// Turns one line of the file into what the client gets: `None` when it is not wanted or not
    /// whole (a crash may leave half a line).
    pub fn render(&self, line: &[u8]) -> Option<Bytes> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let wanted = match line.stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        let time: Option<Timestamp> = line.time.parse().ok();
        let early = time.zip(self.since).is_some_and(|(time, since)| time < since);
        if !wanted || early || self.is_past(time) {
            return None;
        }
        let prefix = if self.timestamps { format!("{} ", line.time) } else { String::new() };
        let mut out = BytesMut::with_capacity(8 + prefix.len() + line.log.len());
        if self.frames {
            out.put_u32(match line.stream {
                Stream::Stdout => 1 << 24,
                Stream::Stderr => 2 << 24,
            });
            out.put_u32(u32::try_from(prefix.len() + line.log.len()).ok()?);
        }
        out.put_slice(prefix.as_bytes());
        out.put_slice(line.log.as_bytes());
        Some(out.freeze())
    }

    fn is_past(&self, time: Option<Timestamp>) -> bool {
        time.zip(self.until).is_some_and(|(time, until)| time > until)
    }
}

/// Reads a log from a place on, as it grows.
#[derive(Debug)]
pub struct Reader {
    file: File,
    /// A line whose end has not been written yet.
    partial: Vec<u8>,
}

impl Reader {
    /// Begins with the last `tail` lines; `None` is from the start.
    ///
    /// # Errors
    /// As lseek(2) and read(2).
    pub fn new(mut file: File, tail: Option<usize>) -> io::Result<Reader> {
        let start = match tail {
            Some(lines) => tail_offset(&mut file, lines)?,
            None => 0,
        };
        file.seek(SeekFrom::Start(start))?;
        Ok(Reader { file, partial: Vec::new() })
    }

    /// The next whole lines, without their newlines; `None` at what is the end for now.
    ///
    /// # Errors
    /// As read(2).
    pub fn lines(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut chunk = vec![0; CHUNK];
        let length = self.file.read(&mut chunk)?;
        if length == 0 {
            return Ok(None);
        }
        self.partial.extend_from_slice(&chunk[..length]);
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Some(Vec::new()));
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        Ok(Some(whole[..end].split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()))
    }
}

/// Where the last `lines` lines begin: newlines counted from the end, a chunk at a time.
fn tail_offset(file: &mut File, lines: usize) -> io::Result<u64> {
    let end = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(end);
    }
    let mut position = end;
    let mut newlines = 0;
    let mut chunk = vec![0; CHUNK];
    while position > 0 {
        let length = position.min(CHUNK as u64);
        position -= length;
        file.seek(SeekFrom::Start(position))?;
        let chunk = &mut chunk[..usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact(chunk)?;
        for (at, _) in chunk.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            // The newline that ends the last line opens no line after it.
            if newlines == lines && position + at as u64 + 1 < end {
                return Ok(position + at as u64 + 1);
            }
            newlines += 1;
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(text: &str, stream: &str, second: u32) -> String {
        format!(
            "{{\"log\":\"{text}\\n\",\"stream\":\"{stream}\",\"time\":\"2026-01-01T00:00:{second:02}Z\"}}\n"
        )
    }

    fn log(lines: &[String]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        file
    }

    fn read_all(file: File, tail: Option<usize>, filter: &Filter) -> Vec<u8> {
        let mut reader = Reader::new(file, tail).unwrap();
        let mut out = Vec::new();
        while let Some(lines) = reader.lines().unwrap() {
            out.extend(lines.iter().filter_map(|line| filter.render(line)).flatten());
        }
        out
    }

    fn both() -> Filter {
        Filter { stdout: true, stderr: true, ..Filter::default() }
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let lines: Vec<String> = (0..3000).map(|n| line(&format!("line {n}"), "stdout", 1)).collect();
        assert_eq!(read_all(log(&lines), Some(2), &both()), b"line 2998\nline 2999\n");
        assert_eq!(read_all(log(&lines), Some(0), &both()), b"");
        assert_eq!(read_all(log(&lines[..2]), Some(9), &both()), b"line 0\nline 1\n");
        assert_eq!(
            read_all(log(&lines), None, &both()).len(),
            read_all(log(&lines), Some(3000), &both()).len()
        );
    }

    #[test]
    fn frames_tell_the_streams_apart() {
        let filter = Filter { frames: true, ..both() };
        let lines = [line("a", "stdout", 1), line("b", "stderr", 2)];
        assert_eq!(read_all(log(&lines), None, &filter), b"\x01\0\0\0\0\0\0\x02a\n\x02\0\0\0\0\0\0\x02b\n");
    }

    #[test]
    fn times_choose_lines_and_stand_before_them() {
        let since = "2026-01-01T00:00:02Z".parse().ok();
        let until = "2026-01-01T00:00:03Z".parse().ok();
        let filter = Filter { since, until, timestamps: true, ..both() };
        let lines: Vec<String> = (1..=4).map(|n| line(&n.to_string(), "stdout", n)).collect();
        assert_eq!(read_all(log(&lines), None, &filter), b"2026-01-01T00:00:02Z 2\n2026-01-01T00:00:03Z 3\n");
    }

    #[test]
    fn a_half_written_line_waits_for_its_end() {
        let mut writer = tempfile::NamedTempFile::new().unwrap();
        let whole = line("later", "stdout", 1);
        let (first, second) = whole.split_at(10);
        writer.write_all(first.as_bytes()).unwrap();
        let mut reader = Reader::new(writer.reopen().unwrap(), None).unwrap();
        assert_eq!(reader.lines().unwrap(), Some(vec![]));
        writer.write_all(second.as_bytes()).unwrap();
        assert_eq!(reader.lines().unwrap().unwrap().len(), 1);
    }
}
