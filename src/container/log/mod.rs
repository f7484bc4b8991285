//! A container's log as clients get it: entries of its files, chosen and rendered.

mod options;
mod reader;

pub use options::{check, plan};
pub use reader::Reader;

use crate::runtime::log_format::{LocalEntry, LogFormat};
use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One entry, of either format.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Line {
    log: String,
    stream: Stream,
    time: String,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
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
    /// The attributes before each line.
    pub details: bool,
    /// Docker's 8-byte frame headers; off for a container with a terminal.
    pub frames: bool,
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// The client gets this.
    Wanted(Bytes),
    /// Not asked for, or not whole: a crash may leave half an entry.
    Passed,
    /// Newer than what was asked for, and so is all that follows.
    Over,
}

impl Filter {
    /// Turns one entry of a file into what the client gets.
    pub fn render(&self, entry: &[u8], format: LogFormat) -> Rendered {
        let Some(line) = parse(entry, format) else { return Rendered::Passed };
        let wanted = match line.stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        let time: Option<Timestamp> = line.time.parse().ok();
        if time.zip(self.until).is_some_and(|(time, until)| time > until) {
            return Rendered::Over;
        }
        let early = time.zip(self.since).is_some_and(|(time, since)| time < since);
        if !wanted || early {
            return Rendered::Passed;
        }
        let mut prefix = if self.timestamps { format!("{} ", line.time) } else { String::new() };
        if self.details {
            let pairs: Vec<String> =
                line.attrs.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
            prefix.push_str(&pairs.join(","));
            prefix.push(' ');
        }
        let mut out = BytesMut::with_capacity(8 + prefix.len() + line.log.len());
        if self.frames {
            out.put_u32(match line.stream {
                Stream::Stdout => 1 << 24,
                Stream::Stderr => 2 << 24,
            });
            out.put_u32(u32::try_from(prefix.len() + line.log.len()).unwrap_or(u32::MAX));
        }
        out.put_slice(prefix.as_bytes());
        out.put_slice(line.log.as_bytes());
        Rendered::Wanted(out.freeze())
    }
}

/// As Go's `url.QueryEscape`: what stands before a line must not look like a line.
fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

fn parse(entry: &[u8], format: LogFormat) -> Option<Line> {
    match format {
        LogFormat::Json => serde_json::from_slice(entry).ok(),
        LogFormat::Local => {
            let LocalEntry { source, time, line, partial } = LocalEntry::decode(entry)?;
            let mut log = String::from_utf8_lossy(&line).into_owned();
            if !partial {
                log.push('\n');
            }
            let stream = if source == "stderr" { Stream::Stderr } else { Stream::Stdout };
            let time = Timestamp::from_nanosecond(i128::from(time)).ok()?;
            Some(Line { log, stream, time: format!("{time:.9}"), attrs: BTreeMap::new() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::Path;
    use tempfile::NamedTempFile;

    fn line(text: &str, stream: &str, second: u32) -> String {
        format!(
            "{{\"log\":\"{text}\\n\",\"stream\":\"{stream}\",\"time\":\"2026-01-01T00:00:{second:02}Z\"}}\n"
        )
    }

    fn log(lines: &[String]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        file
    }

    fn read_all(file: NamedTempFile, tail: Option<usize>, filter: &Filter) -> Vec<u8> {
        read(file.path(), LogFormat::Json, tail, filter)
    }

    fn read(path: &Path, format: LogFormat, tail: Option<usize>, filter: &Filter) -> Vec<u8> {
        let mut reader = Reader::open(path.to_str().unwrap(), format, tail).unwrap().unwrap();
        let mut out = Vec::new();
        while let Some(entries) = reader.entries().unwrap() {
            for entry in entries {
                match filter.render(&entry, format) {
                    Rendered::Wanted(bytes) => out.extend(bytes),
                    Rendered::Passed => {}
                    Rendered::Over => return out,
                }
            }
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
    fn attributes_stand_before_each_line_when_they_are_asked_for() {
        let text = "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"attrs\":{\"b\":\"x y\",\"a\":\"1\"},\"time\":\"2026-01-01T00:00:00Z\"}\n";
        let filter = Filter { details: true, ..both() };
        assert_eq!(read_all(log(&[text.to_owned()]), None, &filter), b"a=1,b=x+y a\n");
        assert_eq!(read_all(log(&[line("a", "stdout", 1)]), None, &filter), b" a\n");
    }

    #[test]
    fn both_formats_read_alike_from_either_end() {
        let mut file = NamedTempFile::new().unwrap();
        let mut bytes = Vec::new();
        for number in 0..3000_i64 {
            let line = format!("line {number}").into_bytes();
            let time = 1_767_225_600_000_000_000 + number;
            LocalEntry { source: "stdout".into(), time, line, partial: false }.encode(&mut bytes);
        }
        LocalEntry {
            source: "stderr".into(),
            time: 1_767_225_700_000_000_000,
            line: b"half".to_vec(),
            partial: true,
        }
        .encode(&mut bytes);
        file.write_all(&bytes).unwrap();
        let local = |tail, filter: &Filter| read(file.path(), LogFormat::Local, tail, filter);
        assert_eq!(local(Some(2), &both()), b"line 2999\nhalf");
        assert_eq!(local(Some(0), &both()), b"");
        assert_eq!(local(None, &both()), local(Some(9000), &both()));
        let first = Filter { timestamps: true, until: "2026-01-01T00:00:00Z".parse().ok(), ..both() };
        assert_eq!(local(None, &first), b"2026-01-01T00:00:00.000000000Z line 0\n");
    }
}
