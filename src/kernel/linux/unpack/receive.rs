//! What a client sends, taken in as it comes: hashed on the way, and no byte of it held in memory
//! longer than it takes to write it.

use super::archive::{Archive, Entry, Kind as EntryKind};
use super::compression::Compression;
use super::error::UnpackError;
use super::intake::sha256;
use crate::error::Kind;
use crate::kernel::{ByteStream, Fault, Outcome, Payload, Received, Value};
use crate::trace::facts;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Most files of one archive of images.
const MOST_FILES: usize = 100_000;
/// Bytes handled at once.
const STRETCH: usize = 256 * 1024;

/// Performs `store.receive-blob`.
///
/// # Errors
/// [`Kind::Invalid`] beyond the limit, [`Kind::Unavailable`] when the sender goes away, otherwise
/// the kernel's refusal. The file is the caller's to remove.
pub async fn blob(path: String, limit: u64, payload: Payload) -> Result<Outcome, Fault> {
    let received = on_thread(payload, move |reader| {
        let mut keeper = Keeper::new(&path, limit)?;
        keeper.take_all(reader)?;
        Ok(vec![keeper.end(String::new(), path)])
    });
    done(received.await?)
}

/// Performs `store.receive-archive`.
///
/// # Errors
/// As [`blob`]; [`Kind::Invalid`] for what is no tar. The directory is the caller's to remove.
pub async fn archive(directory: String, limit: u64, payload: Payload) -> Result<Outcome, Fault> {
    let received = on_thread(payload, move |reader| {
        let mut builder = DirBuilder::new();
        builder.mode(0o700).create(&directory).map_err(|error| UnpackError::write(&*directory, error))?;
        take_apart(reader, &directory, limit)
    });
    done(received.await?)
}

fn done(received: Vec<Received>) -> Result<Outcome, Fault> {
    let bytes: u64 = received.iter().map(|one| one.size).sum();
    let mut found = facts([("files", &received.len()), ("bytes", &bytes)]);
    if let [only] = &received[..] {
        found.insert("digest".into(), only.digest.clone());
    }
    Ok(Outcome { facts: found, value: Value::Received(received) })
}

/// Runs the work on a thread that may block; dropping the future closes its input, which ends it.
async fn on_thread(
    payload: Payload,
    work: impl FnOnce(&mut dyn Read) -> Result<Vec<Received>, UnpackError> + Send + 'static,
) -> Result<Vec<Received>, Fault> {
    let Payload::Incoming(bytes) = payload else {
        return Err(Fault::new(Kind::Internal, "the operation came without what it is to take in"));
    };
    let bridge = bridge(bytes);
    let done = tokio::task::spawn_blocking(move || {
        let mut bridge = bridge;
        work(&mut bridge)
    });
    let result = done.await.map_err(|error| Fault::new(Kind::Internal, error.to_string()))?;
    Ok(result?)
}

fn bridge(bytes: ByteStream) -> impl Read + Send {
    use futures_util::TryStreamExt;
    // Told apart from what the bytes themselves are blamed for.
    let bytes = bytes.map_err(|error| io::Error::from(UnpackError::Interrupted(error.to_string())));
    SyncIoBridge::new(StreamReader::new(bytes))
}

/// One file being kept.
struct Keeper {
    file: File,
    path: String,
    hash: Sha256,
    size: u64,
    limit: u64,
}

impl Keeper {
    fn new(path: &str, limit: u64) -> Result<Keeper, UnpackError> {
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = opened.map_err(|error| UnpackError::write(path, error))?;
        Ok(Keeper { file, path: path.to_owned(), hash: Sha256::new(), size: 0, limit })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(UnpackError::TooLarge { limit: self.limit });
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| UnpackError::write(&*self.path, error))
    }

    fn take_all(&mut self, reader: &mut dyn Read) -> Result<(), UnpackError> {
        let mut buffer = vec![0; STRETCH];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.take(&buffer[..count])?,
            }
        }
    }

    fn end(self, name: String, file: String) -> Received {
        Received { name, file, digest: sha256(&self.hash), size: self.size, link: None }
    }
}

fn take_apart(reader: &mut dyn Read, directory: &str, limit: u64) -> Result<Vec<Received>, UnpackError> {
    let mut outer = BufReader::with_capacity(STRETCH, reader);
    let compression = Compression::found(outer.fill_buf()?);
    let inflated = compression.reader(outer)?;
    let mut archive = Archive::new(BufReader::with_capacity(STRETCH, inflated));
    let mut received: Vec<Received> = Vec::new();
    let mut left = limit;
    while let Some(entry) = archive.next_entry()? {
        if received.len() >= MOST_FILES {
            return Err(UnpackError::TooMany { limit: MOST_FILES as u64 });
        }
        match entry.kind {
            EntryKind::File => {
                let file = format!("{directory}/{}", received.len());
                let kept = keep(&mut archive, &entry, file, left, limit)?;
                left -= kept.size;
                received.push(kept);
            }
            EntryKind::Symlink | EntryKind::HardLink => received.push(Received {
                name: clean(&entry.path),
                file: String::new(),
                digest: String::new(),
                size: 0,
                link: Some(clean(&entry.link)),
            }),
            // Directories and anything stranger hold nothing of an image.
            _ => {}
        }
    }
    archive.drain()?;
    Ok(received)
}

fn keep<R: BufRead>(
    archive: &mut Archive<R>,
    entry: &Entry,
    file: String,
    left: u64,
    limit: u64,
) -> Result<Received, UnpackError> {
    if entry.pieces.is_some() {
        return Err(UnpackError::Malformed("an archive of images with a sparse file".into()));
    }
    if entry.size > left {
        return Err(UnpackError::TooLarge { limit });
    }
    let mut keeper = Keeper::new(&file, entry.size)?;
    loop {
        let data = archive.data()?;
        let count = data.len();
        if count == 0 {
            return Ok(keeper.end(clean(&entry.path), file));
        }
        keeper.take(data)?;
        archive.consume(count);
    }
}

fn clean(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.trim_start_matches("./").trim_end_matches('/').to_owned()
}
