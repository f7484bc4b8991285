//! The log: what the program writes, line by line, in the format that was asked for.

use crate::runtime::log_format::{LocalEntry, LogFormat, LogPlan};
use crate::trace::bus::timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Docker splits lines longer than this; a line without its newline is the first part.
const LINE_CAPACITY: usize = 16 * 1024;

/// Which of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }

    /// The first byte of a frame.
    pub(super) fn code(self) -> u8 {
        match self {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        }
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    log: &'a str,
    stream: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attrs: &'a BTreeMap<String, String>,
    time: &'a str,
}

/// Collects whole lines of both streams and appends them.
pub(super) struct Log {
    file: Option<Box<dyn Write + Send>>,
    format: LogFormat,
    attributes: BTreeMap<String, String>,
    /// A file is only ended between two entries, so each is a write of its own.
    rotates: bool,
    partial: [Vec<u8>; 2],
}

impl Log {
    /// A log without a file keeps nothing.
    pub(super) fn new(file: Option<Box<dyn Write + Send>>, plan: &LogPlan) -> Log {
        Log {
            file,
            format: plan.format,
            attributes: plan.attributes.clone(),
            rotates: plan.max_size > 0,
            partial: Default::default(),
        }
    }

    /// Takes output in; whole lines are written as one write where nothing has to come in between.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let mut pending = std::mem::take(&mut self.partial[stream as usize]);
        pending.extend_from_slice(bytes);
        let mut entries = Vec::new();
        let time = timestamp();
        let mut rest = pending.as_slice();
        while let Some(end) = line_end(rest) {
            self.entry(&mut entries, &rest[..end], stream, &time);
            rest = &rest[end..];
            if self.rotates {
                self.append(&entries);
                entries.clear();
            }
        }
        self.partial[stream as usize] = rest.to_vec();
        self.append(&entries);
    }

    /// Writes what is left without a newline.
    pub(super) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(&mut self.partial[stream as usize]);
            if !rest.is_empty() {
                let mut entries = Vec::new();
                self.entry(&mut entries, &rest, stream, &timestamp());
                self.append(&entries);
            }
        }
    }

    fn entry(&self, entries: &mut Vec<u8>, line: &[u8], stream: Stream, time: &str) {
        match self.format {
            LogFormat::Json => {
                let log = String::from_utf8_lossy(line);
                let entry = Entry { log: &log, stream: stream.name(), attrs: &self.attributes, time };
                if serde_json::to_writer(&mut *entries, &entry).is_ok() {
                    entries.push(b'\n');
                }
            }
            LogFormat::Local => {
                let time: Option<jiff::Timestamp> = time.parse().ok();
                let time = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok()).unwrap_or(0);
                let whole = line.strip_suffix(b"\n");
                let partial = whole.is_none();
                let line = whole.unwrap_or(line).to_vec();
                LocalEntry { source: stream.name().to_owned(), time, line, partial }.encode(entries);
            }
        }
    }

    /// A full disk ends the log, not the container.
    fn append(&mut self, entries: &[u8]) {
        if entries.is_empty() {
            return;
        }
        if let Some(file) = &mut self.file
            && file.write_all(entries).is_err()
        {
            self.file = None;
        }
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at < LINE_CAPACITY => Some(at + 1),
        None if bytes.len() < LINE_CAPACITY => None,
        _ => Some(LINE_CAPACITY),
    }
}
