//! A container's writable layer as an image's layer: OCI image specification, layer.md.

use super::pack::{Packer, names};
use super::{LinuxTree, is_opaque};
use crate::kernel::{Fault, Outcome, Unpacked, Value};
use crate::trace::facts;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{AtFlags, FileType, OFlags, Stat, readlinkat, statat};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Packs `directory` into `blob`. `empty` are paths left out when nothing is in them: the mount
/// points a container needs are not what its program changed.
///
/// # Errors
/// The kernel's refusal.
pub(in super::super) fn pack_layer(directory: &str, blob: &str, empty: &[String]) -> Result<Outcome, Fault> {
    let tree = LinuxTree::at(directory)?;
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(blob)?;
    let compressed = Hashed::new(BufWriter::new(file));
    let plain = Hashed::new(GzEncoder::new(compressed, Compression::fast()));
    let mut packer = Packer::new(plain);
    walk(&tree, empty, &mut packer)?;
    let entries = packer.entries;
    let plain = packer.finish()?;
    let (diff_id, inflated) = plain.digest();
    let compressed = plain.inner.finish()?;
    let (digest, size) = compressed.digest();
    let file: File = compressed.inner.into_inner().map_err(|error| Fault::from(error.into_error()))?;
    file.sync_all()?;
    let packed = Unpacked { digest, size, diff_id, inflated, entries };
    let facts = facts([
        ("digest", &packed.digest),
        ("size", &packed.size),
        ("diff-id", &packed.diff_id),
        ("inflated", &packed.inflated),
        ("entries", &packed.entries),
    ]);
    Ok(Outcome { facts, value: Value::Unpacked(packed) })
}

/// What passes through is hashed and counted.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    count: u64,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Hashed<W> {
        Hashed { inner, hash: Sha256::new(), count: 0 }
    }

    fn digest(&self) -> (String, u64) {
        (format!("sha256:{}", hex::encode(self.hash.clone().finalize())), self.count)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// One directory of the layer on its way into the tar.
struct Pending {
    path: String,
    stat: Stat,
}

fn walk<W: Write>(tree: &LinuxTree, empty: &[String], packer: &mut Packer<W>) -> io::Result<()> {
    let mut waiting = vec![String::new()];
    while let Some(path) = waiting.pop() {
        let directory = tree.open(&path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let shown = path.trim_start_matches('/');
        if !shown.is_empty() && is_opaque(&directory) {
            packer.mark(&format!("{shown}/.wh..wh..opq"))?;
        }
        let mut below = Vec::new();
        for name in names(&directory)? {
            let whole = format!("{path}/{name}");
            let stat = statat(&directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            let pending = Pending { path: whole, stat };
            if is_left_out(tree, &pending, empty)? {
                continue;
            }
            let whole = pending.path;
            let shown = &whole[1..];
            match kind {
                FileType::CharacterDevice if stat.st_rdev == 0 => {
                    let parent = path.trim_start_matches('/');
                    let slash = if parent.is_empty() { "" } else { "/" };
                    packer.mark(&format!("{parent}{slash}.wh.{name}"))?;
                }
                FileType::Symlink => {
                    let target = readlinkat(&directory, name.as_str(), Vec::new())?;
                    packer.add(shown, &stat, Some(target.as_bytes()), None)?;
                }
                FileType::RegularFile | FileType::Directory => {
                    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                    let file = File::from(tree.open(&whole, flags)?);
                    packer.add(shown, &stat, None, Some(file))?;
                }
                _ => packer.add(shown, &stat, None, None)?,
            }
            if kind == FileType::Directory {
                below.push(whole);
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(())
}

/// A mount point with nothing in it, or a directory that holds only such.
fn is_left_out(tree: &LinuxTree, pending: &Pending, empty: &[String]) -> io::Result<bool> {
    let path = &pending.path;
    let is_point = empty.contains(path);
    let leads_to_point = || {
        empty.iter().any(|point| point.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    match FileType::from_raw_mode(pending.stat.st_mode) {
        FileType::RegularFile => Ok(is_point && pending.stat.st_size == 0),
        FileType::Symlink => Ok(is_point),
        FileType::Directory if is_point || leads_to_point() => {
            let directory = tree.open(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
            for name in names(&directory)? {
                let below = statat(&directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW)?;
                let below = Pending { path: format!("{path}/{name}"), stat: below };
                if !is_left_out(tree, &below, empty)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}
