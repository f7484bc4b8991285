//! Tars as no well-behaved tool would write them: every field is settable.

use std::io::Write;
use tar::{EntryType, Header};

/// A tar being made.
#[derive(Default)]
pub struct Tarball(Vec<u8>);

/// A header to be filled in.
pub struct Entry {
    header: Header,
    data: Vec<u8>,
    before: Vec<u8>,
}

pub fn file(path: &str, data: impl AsRef<[u8]>) -> Entry {
    Entry::new(EntryType::Regular, path, data.as_ref())
}

pub fn directory(path: &str) -> Entry {
    Entry::new(EntryType::Directory, path, b"").mode(0o755)
}

pub fn symlink(path: &str, target: &str) -> Entry {
    Entry::new(EntryType::Symlink, path, b"").link(target)
}

pub fn hard_link(path: &str, target: &str) -> Entry {
    Entry::new(EntryType::Link, path, b"").link(target)
}

pub fn device(path: &str, major: u32, minor: u32) -> Entry {
    let mut entry = Entry::new(EntryType::Char, path, b"");
    entry.header.set_device_major(major).unwrap();
    entry.header.set_device_minor(minor).unwrap();
    entry
}

impl Entry {
    pub fn new(kind: EntryType, path: &str, data: &[u8]) -> Entry {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_600_000_000);
        header.set_size(data.len() as u64);
        let name = path.as_bytes();
        let mut before = Vec::new();
        match header.as_old_mut().name.get_mut(..name.len()) {
            Some(field) => field.copy_from_slice(name),
            None => before = extension(EntryType::GNULongName, &[name, b"\0"].concat()),
        }
        Entry { header, data: data.to_vec(), before }
    }

    pub fn mode(mut self, mode: u32) -> Entry {
        self.header.set_mode(mode);
        self
    }

    pub fn owner(mut self, uid: u64, gid: u64) -> Entry {
        self.header.set_uid(uid);
        self.header.set_gid(gid);
        self
    }

    pub fn mtime(mut self, mtime: u64) -> Entry {
        self.header.set_mtime(mtime);
        self
    }

    /// What the header says, whatever follows.
    pub fn size(mut self, size: u64) -> Entry {
        self.header.set_size(size);
        self
    }

    pub fn link(mut self, target: &str) -> Entry {
        match self.header.as_old_mut().linkname.get_mut(..target.len()) {
            Some(field) => field.copy_from_slice(target.as_bytes()),
            None => {
                let long = extension(EntryType::GNULongLink, &[target.as_bytes(), b"\0"].concat());
                self.before.extend(long);
            }
        }
        self
    }

    pub fn pax(mut self, records: &[(&str, &[u8])]) -> Entry {
        let mut text = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length = (rest + 1..).find(|total| rest + total.to_string().len() == *total).unwrap();
            write!(text, "{length} {key}=").unwrap();
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        self.before.extend(extension(EntryType::XHeader, &text));
        self
    }

    fn bytes(mut self) -> Vec<u8> {
        self.header.set_cksum();
        let padded = self.data.len().next_multiple_of(512);
        self.data.resize(padded, 0);
        [self.before, self.header.as_bytes().to_vec(), self.data].concat()
    }
}

/// An extended header with its data.
pub fn extension(kind: EntryType, data: &[u8]) -> Vec<u8> {
    Entry::new(kind, "././@LongLink", data).bytes()
}

impl Tarball {
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Vec<u8> {
        entries.into_iter().fold(Tarball::default(), Tarball::add).end()
    }

    pub fn add(mut self, entry: Entry) -> Tarball {
        self.0.extend(entry.bytes());
        self
    }

    pub fn raw(mut self, bytes: &[u8]) -> Tarball {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The two empty blocks that end a tar.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    /// A tar that just stops.
    pub fn cut(self) -> Vec<u8> {
        self.0
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
