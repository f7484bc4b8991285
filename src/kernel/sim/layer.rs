//! A layer's bytes into the modelled tree: inflated, parsed, both digests computed. OCI image
//! specification, layer.md; whiteouts become overlayfs's own.

use super::mounts::Location;
use super::processes::Pid;
use super::tree::{Content, Node};
use super::world::World;
use crate::error::{Hint, Kind};
use crate::kernel::{Fault, Unpacked};
use bytes::Bytes;
use nix::errno::Errno;
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// The name that hides what lower layers have under `x`.
const WHITEOUT: &str = ".wh.";
/// The name that hides all that lower layers have in its directory.
const OPAQUE: &str = ".wh..wh..opq";

/// The store's refusal, naming what was being written.
fn refused(what: &str) -> impl Fn(Errno) -> Unfit + '_ {
    move |errno| {
        let fault = Fault::errno(errno as i32);
        Unfit::Other(Fault { message: format!("cannot write {what}: {}", fault.message), ..fault })
    }
}

/// `sha256:<hex>` of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// What a failed layer is blamed on.
pub(super) enum Unfit {
    /// The bytes: their digest may say more.
    Content(String),
    /// A limit or the store.
    Other(Fault),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Unfit {
        Unfit::Content(error.to_string())
    }
}

impl From<Unfit> for Fault {
    fn from(unfit: Unfit) -> Fault {
        match unfit {
            Unfit::Content(why) => Fault::new(Kind::Invalid, format!("malformed layer: {why}")),
            Unfit::Other(fault) => fault,
        }
    }
}

/// How a layer is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    Gzip,
    Zstd,
    Plain,
}

impl Compression {
    /// Media type and first bytes must agree where the media type says anything.
    fn choose(media_type: &str, bytes: &[u8]) -> Result<Compression, Unfit> {
        let found = match bytes {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::Plain,
        };
        let promised = match media_type.rsplit(['+', '.']).next() {
            Some("gzip") => found_or(Compression::Gzip, found),
            Some("zstd") => found_or(Compression::Zstd, found),
            Some("tar") => found_or(Compression::Plain, found),
            _ => Ok(found),
        };
        promised.map_err(|promised| {
            let (promised, found) = (promised.name(), found.name());
            Unfit::Content(format!("{media_type} promises {promised}, but the bytes begin as {found}"))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Plain => "an uncompressed tar",
        }
    }
}

fn found_or(promised: Compression, found: Compression) -> Result<Compression, Compression> {
    if promised == found { Ok(found) } else { Err(promised) }
}

/// Inflates a layer as far as it goes: what came out, and what stopped it.
fn inflate(bytes: &[u8], media_type: &str, limit: u64) -> (Vec<u8>, Option<Unfit>) {
    let mut tar = Vec::new();
    let read = Compression::choose(media_type, bytes).and_then(|compression| {
        let reader: Box<dyn Read> = match compression {
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes)?),
            Compression::Plain => Box::new(bytes),
        };
        Ok(reader.take(limit.saturating_add(1)).read_to_end(&mut tar)?)
    });
    if tar.len() as u64 > limit {
        let message = format!("the layer unpacks to more than the limit of {limit} bytes");
        return (tar, Some(Unfit::Other(Fault::new(Kind::Invalid, message).hint(Hint::RaiseUnpackLimit))));
    }
    (tar, read.err())
}

/// Inflates an archive of images, whichever way it is compressed.
pub(super) fn inflate_any(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Fault> {
    match inflate(bytes, "", limit) {
        (tar, None) => Ok(tar),
        (_, Some(unfit)) => Err(unfit.into()),
    }
}

/// What a layer turned out to be, also when it turned out unfit.
pub(super) struct Layer {
    /// Digests and sizes, as far as they are known.
    pub unpacked: Unpacked,
    /// Device nodes left out, as without privilege they must be.
    pub skipped_devices: u64,
    /// What stopped it.
    pub failure: Option<Unfit>,
}

impl World {
    /// Unpacks `bytes` below `directory`, made when it is missing. The digest of the compressed
    /// bytes is the caller's to compare.
    pub(super) fn unpack(
        &mut self,
        who: Pid,
        bytes: &[u8],
        media_type: &str,
        directory: &str,
        limit: u64,
    ) -> Layer {
        let (tar, stopped) = inflate(bytes, media_type, limit);
        let unpacked = Unpacked {
            digest: digest(bytes),
            size: bytes.len() as u64,
            diff_id: digest(&tar),
            inflated: tar.len() as u64,
            content: 0,
            entries: 0,
        };
        let mut layer = Layer { unpacked, skipped_devices: 0, failure: None };
        let built = self.build(who, &tar, directory, &mut layer);
        layer.failure = stopped.or(built.err());
        layer
    }

    fn build(&mut self, who: Pid, tar: &[u8], directory: &str, layer: &mut Layer) -> Result<(), Unfit> {
        let root = self.empty_directory(who, directory).map_err(refused(directory))?;
        for entry in tar::Archive::new(tar).entries()? {
            let entry = entry?;
            layer.unpacked.entries += 1;
            let kind = entry.header().entry_type();
            let is_device = matches!(kind, tar::EntryType::Char | tar::EntryType::Block);
            if is_device && self.machine.unprivileged() {
                layer.skipped_devices += 1;
                continue;
            }
            layer.unpacked.content += match kind {
                tar::EntryType::Symlink => entry.link_name_bytes().map_or(0, |link| link.len() as u64),
                tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                    entry.size()
                }
                _ => 0,
            };
            self.unpack_entry(who, root, entry)?;
        }
        Ok(())
    }

    /// What an earlier attempt left would become part of the layer without being in it.
    fn empty_directory(&mut self, who: Pid, path: &str) -> Result<Location, Errno> {
        match self.create(who, path, Node::directory(0o755)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
        let root = self.directory(who, path)?;
        match self.fs_at(root)?.tree.entries(root.ino)?.is_empty() {
            true => Ok(root),
            false => Err(Errno::ENOTEMPTY),
        }
    }

    fn unpack_entry(
        &mut self,
        who: Pid,
        root: Location,
        mut entry: tar::Entry<'_, &[u8]>,
    ) -> Result<(), Unfit> {
        let path = entry.path()?.to_string_lossy().into_owned();
        let names = components(&path)?;
        let Some((name, above)) = names.split_last() else { return self.change_root(root, &entry) };
        let header = entry.header().clone();
        let mode = header.mode()? & 0o7777;
        let link = entry.link_name()?.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let kind = header.entry_type();
        let node = match kind {
            tar::EntryType::Directory => Node::directory(mode),
            tar::EntryType::Symlink => Node::symlink(&link),
            tar::EntryType::Fifo => Node::new(Content::Fifo, mode),
            tar::EntryType::Char | tar::EntryType::Block => {
                let (major, minor) =
                    (header.device_major()?.unwrap_or(0), header.device_minor()?.unwrap_or(0));
                Node::new(Content::Device { block: kind == tar::EntryType::Block, major, minor }, mode)
            }
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Node::file(content, mode)
            }
            tar::EntryType::Link => Node::file(Bytes::new(), mode),
            other => {
                return Err(Unfit::Content(format!(
                    "{path}: entries of type {other:?} do not belong in a layer"
                )));
            }
        };
        let node =
            self.owned_as(who, node, header.uid().unwrap_or(0) as u32, header.gid().unwrap_or(0) as u32);
        let directory = self.directories_in(root, above).map_err(refused(&path))?;
        if kind == tar::EntryType::Link {
            let existing = self.place_in(root, &components(&link)?).map_err(refused(&path))?;
            return self.link_over(who, existing, directory, name).map_err(refused(&path));
        }
        self.put(directory, name, node).map_err(refused(&path))
    }

    /// Without privilege every file is the caller's.
    fn owned_as(&self, who: Pid, node: Node, uid: u32, gid: u32) -> Node {
        match self.processes.get(who) {
            Ok(process) if process.uid != 0 => node.owned(process.uid, process.gid),
            _ => node.owned(uid, gid),
        }
    }

    fn change_root(&mut self, root: Location, entry: &tar::Entry<'_, &[u8]>) -> Result<(), Unfit> {
        let mode = entry.header().mode()? & 0o7777;
        let changed = self
            .mount_at(root)
            .map(|mount| mount.fs)
            .and_then(|fs| self.change(fs, root.ino, |node| node.mode = mode));
        changed.map_err(|errno| Unfit::Other(Fault::errno(errno as i32)))
    }

    /// Walks down from `root` without following links, making directories on the way.
    fn directories_in(&mut self, root: Location, names: &[&str]) -> Result<Location, Errno> {
        let fs = self.mount_at(root)?.fs;
        let tree = &mut self.filesystems.get_mut(fs).tree;
        let mut at = root.ino;
        for name in names {
            at = match tree.lookup(at, name) {
                Ok(ino) if tree.node(ino)?.is_directory() => ino,
                Ok(_) => return Err(Errno::ENOTDIR),
                Err(Errno::ENOENT) => tree.add(at, name, Node::directory(0o755))?,
                Err(errno) => return Err(errno),
            };
        }
        Ok(Location { ino: at, ..root })
    }

    fn place_in(&self, root: Location, names: &[&str]) -> Result<Location, Errno> {
        let tree = &self.fs_at(root)?.tree;
        let found = names.iter().try_fold(root.ino, |at, name| tree.lookup(at, name))?;
        Ok(Location { ino: found, ..root })
    }

    fn link_over(&mut self, who: Pid, existing: Location, at: Location, name: &str) -> Result<(), Errno> {
        let fs = self.mount_at(at)?.fs;
        match self.filesystems.get_mut(fs).tree.unlink(at.ino, name) {
            Ok(()) | Err(Errno::ENOENT) => self.hard_link(who, existing, at, name),
            Err(errno) => Err(errno),
        }
    }

    /// Puts one entry, over an earlier one of the same layer.
    fn put(&mut self, at: Location, name: &str, node: Node) -> Result<(), Errno> {
        let fs = self.mount_at(at)?.fs;
        let tree = &mut self.filesystems.get_mut(fs).tree;
        if name == OPAQUE {
            let mark = Bytes::from_static(b"y");
            tree.node_mut(at.ino)?.xattrs.insert("trusted.overlay.opaque".to_owned(), mark);
            return Ok(());
        }
        let (name, mut node) = match name.strip_prefix(WHITEOUT) {
            Some(hidden) => (hidden, Node::device(0, 0, 0)),
            None => (name, node),
        };
        match tree.lookup(at.ino, name) {
            Ok(existing) if node.is_directory() && tree.node(existing)?.is_directory() => {
                let kept = tree.node_mut(existing)?;
                (kept.mode, kept.uid, kept.gid) = (node.mode, node.uid, node.gid);
                return Ok(());
            }
            Ok(existing) => {
                // A whiteout before the directory of its name: both are meant.
                if node.is_directory() && tree.node(existing)?.is_whiteout() {
                    node.xattrs.insert("trusted.overlay.opaque".to_owned(), Bytes::from_static(b"y"));
                }
                tree.remove_all(at.ino, name)?;
            }
            Err(_) => {}
        }
        tree.add(at.ino, name, node).map(|_| ())
    }
}

/// The names of a path inside a layer; `..` is refused, a leading `/` means the layer's root.
fn components(path: &str) -> Result<Vec<&str>, Unfit> {
    let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    match names.contains(&"..") {
        true => Err(Unfit::Content(format!("{path}: leads out of the layer"))),
        false => Ok(names),
    }
}
