//! A log that is put aside when it is full.

use crate::kernel::LogFile;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

/// The file that is written to now.
pub(super) struct Appending {
    plan: LogFile,
    file: File,
    size: u64,
}

impl Appending {
    /// Goes on where an earlier run left off.
    pub(super) fn open(plan: &LogFile) -> io::Result<Appending> {
        let file = open(&plan.path)?;
        let size = file.metadata()?.len();
        Ok(Appending { plan: plan.clone(), file, size })
    }

    /// The newest becomes `.1`, `.1` becomes `.2`; the oldest is overwritten. Readers hold what they
    /// read, whatever it is called.
    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.plan.path;
        if self.plan.max_files > 1 {
            for number in (1..self.plan.max_files - 1).rev() {
                put_aside(&format!("{path}.{number}"), &format!("{path}.{}", number + 1))?;
            }
            put_aside(path, &format!("{path}.1"))?;
            self.file = open(path)?;
        } else {
            self.file.set_len(0)?;
        }
        self.size = 0;
        Ok(())
    }
}

impl Write for Appending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.plan.max_size > 0 && self.size >= self.plan.max_size {
            self.rotate()?;
        }
        // An entry is never split over two files.
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

fn put_aside(from: &str, to: &str) -> io::Result<()> {
    match fs::rename(from, to) {
        // Not so many yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_are_kept_as_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").to_str().unwrap().to_owned();
        let plan = LogFile { path: path.clone(), max_size: 4, max_files: 3 };
        let mut log = Appending::open(&plan).unwrap();
        for text in ["aaa\n", "bbb\n", "ccc\n", "ddd\n"] {
            log.write_all(text.as_bytes()).unwrap();
        }
        let read = |name: String| fs::read_to_string(name).ok();
        assert_eq!(read(path.clone()).as_deref(), Some("ddd\n"));
        assert_eq!(read(format!("{path}.1")).as_deref(), Some("ccc\n"));
        assert_eq!(read(format!("{path}.2")).as_deref(), Some("bbb\n"));
        assert_eq!(read(format!("{path}.3")), None);
    }

    #[test]
    fn the_only_file_is_emptied() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log").to_str().unwrap().to_owned();
        let mut log = Appending::open(&LogFile { path: path.clone(), max_size: 4, max_files: 1 }).unwrap();
        log.write_all(b"aaaa\n").unwrap();
        log.write_all(b"bb\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "bb\n");
    }
}
