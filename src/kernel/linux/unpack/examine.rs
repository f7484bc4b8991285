//! Whether an unpacked layer is still what its blob says: after a crash of the machine files may
//! be there by name and empty inside, for nothing was synced one by one.

use super::archive::{Archive, Kind};
use super::compression::Compression;
use super::error::UnpackError;
use super::name::{Mark, Name, mark};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Bytes read at once.
const STRETCH: usize = 256 * 1024;
/// Differences told; more of them say nothing new.
const MOST_TOLD: usize = 20;

/// What an entry promises of its path.
enum Promise {
    File([u8; 32]),
    Directory,
    Symlink(Vec<u8>),
    /// Something is there; what exactly depends on privilege.
    Anything,
}

/// Compares a layer's tree with its blob, entry by entry: the paths that are missing or another
/// thing than they should be.
///
/// # Errors
/// A blob or a tree that cannot be read.
pub fn compare(blob: &str, media_type: &str, directory: &str) -> io::Result<Vec<String>> {
    let mut different = Vec::new();
    for (path, promise) in promises(blob, media_type).map_err(io::Error::from)? {
        let relative = Path::new(std::ffi::OsStr::from_bytes(&path));
        if different.len() < MOST_TOLD && !holds(&Path::new(directory).join(relative), &promise)? {
            different.push(relative.display().to_string());
        }
    }
    Ok(different)
}

/// What the layer says in the end: later entries count more than earlier ones.
fn promises(blob: &str, media_type: &str) -> Result<BTreeMap<Vec<u8>, Promise>, UnpackError> {
    let file = File::open(blob).map_err(|error| UnpackError::write(blob, error))?;
    let mut file = BufReader::with_capacity(STRETCH, file);
    let compression = Compression::choose(media_type, io::BufRead::fill_buf(&mut file)?)?;
    let inflated = BufReader::with_capacity(STRETCH, compression.reader(file)?);
    let mut archive = Archive::new(inflated);
    let mut all: BTreeMap<Vec<u8>, Promise> = BTreeMap::new();
    while let Some(entry) = archive.next_entry()? {
        let name = Name::clean(&entry.path)?;
        let (_, leaf) = name.split();
        if name.is_root() || !matches!(mark(leaf)?, Mark::None) {
            continue;
        }
        let promise = match entry.kind {
            Kind::File if entry.pieces.is_none() => {
                let mut hash = Sha256::new();
                loop {
                    let data = archive.data()?;
                    let count = data.len();
                    if count == 0 {
                        break Promise::File(hash.finalize().into());
                    }
                    hash.update(data);
                    archive.consume(count);
                }
            }
            Kind::Directory => Promise::Directory,
            Kind::Symlink => Promise::Symlink(entry.link.clone()),
            // Devices are left out without privilege; sparse files and links to them are there.
            Kind::CharDevice | Kind::BlockDevice => continue,
            _ => Promise::Anything,
        };
        // What an earlier entry had below this name is gone, unless both are directories.
        if !matches!(promise, Promise::Directory) {
            let below = [name.bytes(), b"/"].concat();
            all.retain(|path, _| !path.starts_with(&below));
        }
        all.insert(name.bytes().to_vec(), promise);
    }
    Ok(all)
}

fn holds(path: &PathBuf, promise: &Promise) -> io::Result<bool> {
    let Ok(there) = std::fs::symlink_metadata(path) else { return Ok(false) };
    Ok(match promise {
        Promise::Anything => true,
        Promise::Directory => there.is_dir(),
        Promise::Symlink(link) => {
            std::fs::read_link(path).is_ok_and(|found| found.as_os_str().as_bytes() == link)
        }
        Promise::File(expected) => there.is_file() && hash_of(path)? == *expected,
    })
}

fn hash_of(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; STRETCH];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            count => hash.update(&buffer[..count]),
        }
    }
}
