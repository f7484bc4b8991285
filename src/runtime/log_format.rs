//! How output is kept: one entry a line, in Docker's two formats.
//!
//! `json-file`: a JSON object and a newline. `local`: what Docker's driver of that name writes, a
//! protobuf message between two copies of its length (four bytes, big endian), so that a file can be
//! read from either end:
//!
//! ```text
//! message LogEntry { string source = 1; int64 time_nano = 2; bytes line = 3; bool partial = 4; }
//! ```

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes around a message of the `local` format.
pub const FRAME: usize = 8;

/// How output is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// `json-file`.
    #[default]
    Json,
    /// `local`.
    Local,
}

/// Where and how the shim keeps output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogPlan {
    /// The file that is written to; older ones beside it are `<path>.1`, `<path>.2`, …. Empty when
    /// nothing is kept.
    pub path: String,
    /// How.
    pub format: LogFormat,
    /// Bytes after which another file is begun; 0 for never.
    pub max_size: u64,
    /// Files kept, the one written to included; at least 1.
    pub max_files: u32,
    /// Written beside every line: chosen labels and variables.
    pub attributes: BTreeMap<String, String>,
}

/// One line of output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalEntry {
    /// `stdout` or `stderr`.
    pub source: String,
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Without its newline.
    pub line: Vec<u8>,
    /// The line goes on in the next entry.
    pub partial: bool,
}

impl LocalEntry {
    /// Appends the framed message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut message = Vec::with_capacity(self.line.len() + 32);
        bytes_field(&mut message, 1, self.source.as_bytes());
        message.push(2 << 3);
        varint(&mut message, self.time.cast_unsigned());
        bytes_field(&mut message, 3, &self.line);
        if self.partial {
            message.extend([4 << 3, 1]);
        }
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        out.extend(length);
        out.extend(message);
        out.extend(length);
    }

    /// Reads a message without its frame; `None` when it is damaged. Fields nobody here writes are
    /// passed over.
    pub fn decode(mut message: &[u8]) -> Option<LocalEntry> {
        let mut entry = LocalEntry::default();
        while !message.is_empty() {
            let key = take_varint(&mut message)?;
            match (key >> 3, key & 7) {
                (1, 2) => entry.source = String::from_utf8(take_bytes(&mut message)?.to_vec()).ok()?,
                (2, 0) => entry.time = take_varint(&mut message)?.cast_signed(),
                (3, 2) => entry.line = take_bytes(&mut message)?.to_vec(),
                (4, 0) => entry.partial = take_varint(&mut message)? != 0,
                (_, 0) => drop(take_varint(&mut message)?),
                (_, 2) => drop(take_bytes(&mut message)?),
                _ => return None,
            }
        }
        Some(entry)
    }
}

fn bytes_field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take_bytes<'a>(message: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_varint(message)?).ok()?;
    let (bytes, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_and_can_be_read_from_either_end() {
        let entry = LocalEntry {
            source: "stderr".into(),
            time: 1_767_225_600_000_000_007,
            line: vec![b'x'; 300],
            partial: true,
        };
        let mut out = Vec::new();
        entry.encode(&mut out);
        let length = u32::try_from(out.len() - FRAME).unwrap().to_be_bytes();
        assert!(out.starts_with(&length) && out.ends_with(&length));
        assert_eq!(LocalEntry::decode(&out[4..out.len() - 4]), Some(entry));
        assert_eq!(LocalEntry::decode(&out[4..40]), None, "cut short");
    }

    #[test]
    fn the_bytes_are_those_protobuf_prescribes() {
        let entry = LocalEntry { source: "stdout".into(), time: 300, line: b"hi".to_vec(), partial: false };
        let mut out = Vec::new();
        entry.encode(&mut out);
        let message = b"\x0a\x06stdout\x10\xac\x02\x1a\x02hi";
        assert_eq!(out[4..out.len() - 4], message[..]);
    }
}
