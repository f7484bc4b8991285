//! The side of a copy that is this machine's: what is at a path, files as a tar, a tar as files.

use super::copy::Place;
use super::paths::{base, clean, dir, has_slash, join, rebase_name, split};
use super::rebase::Rename;
use crate::cli::Failure;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use std::fs::{self, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tar::{Archive, Builder, EntryType, Header};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Links followed before a destination counts as a loop.
const MOST_LINKS: usize = 10;

/// Bytes of a tar sent at once.
const STRETCH: usize = 64 * 1024;

/// Go's words for what the system says.
fn said(verb: &str, path: &str, error: &io::Error) -> String {
    let reason = match error.raw_os_error() {
        Some(errno) => nix::errno::Errno::from_raw(errno).desc().to_lowercase(),
        None => error.to_string(),
    };
    format!("{verb} {path}: {reason}")
}

/// Checks that something can be written at a path.
///
/// # Errors
/// Docker's words.
pub(super) fn check_output(path: &str) -> Result<(), String> {
    let directory = dir(&clean(path));
    if directory != "."
        && fs::metadata(&directory).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    {
        return Err(format!("invalid output path: directory {directory:?} does not exist"));
    }
    match fs::metadata(path) {
        Ok(found) if found.file_type().is_char_device() || found.file_type().is_block_device() => {
            Err(format!("invalid output path: {path:?} must be a directory or a regular file: got a device"))
        }
        _ => Ok(()),
    }
}

/// What a copy would write to; links at its end are followed, also broken ones.
pub(super) fn destination(path: &str) -> Result<Place, String> {
    let mut at = path.to_owned();
    for _ in 0..=MOST_LINKS {
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&at).map_err(|error| said("readlink", &at, &error))?;
                let target = target.to_string_lossy().into_owned();
                at = if target.starts_with('/') { target } else { join(&split(&at).0, &target) };
            }
            Ok(found) => {
                return Ok(Place { path: at, exists: true, is_directory: found.is_dir(), name: None });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = split(&at).0;
                let found = fs::metadata(&parent).map_err(|error| said("stat", &parent, &error))?;
                if !found.is_dir() {
                    return Err("not a directory".into());
                }
                return Ok(Place { path: at, ..Place::default() });
            }
            Err(error) => return Err(said("lstat", &at, &error)),
        }
    }
    Err(format!("too many symlinks in {path}"))
}

/// What is to be copied; a link at its end is followed only with `-L`.
pub(super) fn source(path: &str, follow: bool) -> Result<Place, String> {
    let real = |path: &str| {
        let found = fs::canonicalize(path).map_err(|error| said("lstat", path, &error))?;
        Ok::<String, String>(found.to_string_lossy().into_owned())
    };
    let (resolved, name) = if follow {
        rebase_name(path, &real(path)?)
    } else {
        // Go's Split: what is after the last slash, which may be nothing.
        let (above, last) = path.rsplit_once('/').unwrap_or((".", path));
        let above = real(if above.is_empty() { "/" } else { above })?;
        let resolved = format!("{}/{last}", above.trim_end_matches('/'));
        let name = (has_slash(path) && base(path) != base(&resolved)).then(|| base(path));
        (resolved, name)
    };
    let found = fs::symlink_metadata(&resolved).map_err(|error| said("lstat", &resolved, &error))?;
    Ok(Place { path: resolved, exists: true, is_directory: found.is_dir(), name })
}

/// A tar on its way to the daemon.
pub(super) struct Piped {
    pub stream: BoxStream<'static, io::Result<Bytes>>,
    /// Bytes so far.
    pub count: Arc<AtomicU64>,
    /// Why a file could not be read.
    pub failed: Arc<Mutex<Option<String>>>,
}

impl Piped {
    fn new(write: impl FnOnce(&mut Pipe) -> Result<(), String> + Send + 'static) -> Piped {
        let (sender, receiver) = mpsc::channel(4);
        let (count, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
        let mut pipe = Pipe { sender, buffer: Vec::with_capacity(STRETCH), count: count.clone() };
        let reason = failed.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) =
                write(&mut pipe).and_then(|()| pipe.flush().map_err(|error| error.to_string()))
            {
                *reason.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(error.clone());
                // Whoever listened may be gone; that is also what ended it then.
                let _ = pipe.sender.blocking_send(Err(io::Error::other(error)));
            }
        });
        Piped { stream: ReceiverStream::new(receiver).boxed(), count, failed }
    }

    /// Standard input as it is.
    pub(super) fn from_stdin() -> Piped {
        Piped::new(|pipe| {
            io::copy(&mut io::stdin().lock(), pipe).map(drop).map_err(|error| error.to_string())
        })
    }

    /// A file or a directory as a tar.
    pub(super) fn from_files(source: &Place, rename: Option<Rename>) -> Result<Piped, Failure> {
        let (_, name) = split(&source.path);
        let source = source.clone();
        Ok(Piped::new(move |pipe| {
            let shown =
                |name: &str| rename.as_ref().map_or_else(|| name.to_owned(), |rename| rename.apply(name));
            let mut builder = Builder::new(pipe);
            pack(&mut builder, Path::new(&source.path), &name, &shown)?;
            builder.finish().map_err(|error| error.to_string())
        }))
    }
}

/// A writer whose bytes go to the asynchronous side.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
    count: Arc<AtomicU64>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= STRETCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(STRETCH));
        if full.is_empty() {
            return Ok(());
        }
        self.count.fetch_add(full.len() as u64, Ordering::Relaxed);
        self.sender.blocking_send(Ok(full.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn pack<W: Write>(
    builder: &mut Builder<W>,
    path: &Path,
    name: &str,
    shown: &impl Fn(&str) -> String,
) -> Result<(), String> {
    let failed = |verb: &str, error: io::Error| said(verb, &path.display().to_string(), &error);
    let found = fs::symlink_metadata(path).map_err(|error| failed("lstat", error))?;
    let kind = found.file_type();
    let mut header = header(&found);
    let called = shown(name);
    let added = if kind.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        let target = fs::read_link(path).map_err(|error| failed("readlink", error))?;
        builder.append_link(&mut header, &called, target)
    } else if kind.is_dir() {
        header.set_entry_type(EntryType::Directory);
        builder.append_data(&mut header, format!("{}/", called.trim_end_matches('/')), io::empty())
    } else if kind.is_file() {
        let file = fs::File::open(path).map_err(|error| failed("open", error))?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(found.len());
        builder.append_data(&mut header, &called, file.take(found.len()))
    } else if kind.is_fifo() {
        header.set_entry_type(EntryType::Fifo);
        builder.append_data(&mut header, &called, io::empty())
    } else {
        // Sockets and devices of this machine mean nothing in a container.
        return Ok(());
    };
    added.map_err(|error| failed("read", error))?;
    if kind.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| failed("open", error))?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for below in names {
            let inside = format!("{}/{}", name.trim_end_matches('/'), below.to_string_lossy());
            pack(builder, &path.join(&below), &inside, shown)?;
        }
    }
    Ok(())
}

fn header(found: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(found.mode() & 0o7777);
    header.set_uid(found.uid().into());
    header.set_gid(found.gid().into());
    header.set_mtime(u64::try_from(found.mtime()).unwrap_or_default());
    header.set_size(0);
    header
}

/// Unpacks a tar from a container below a directory of this machine's. Nothing lands outside of it,
/// whatever the entries are called and wherever links lead.
pub(super) fn extract(tar: impl Read, directory: &str, rename: Option<&Rename>) -> Result<(), String> {
    let broken = |error: io::Error| error.to_string();
    let mut archive = Archive::new(tar);
    let mut directories = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let written = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = rename.map_or(written, |rename| rename.apply(&raw));
        let inside = clean(&format!("/{name}"));
        if inside == "/" {
            continue;
        }
        let target = join(directory, &inside);
        local_entry(&mut entry, directory, &target, rename)?;
        if entry.header().entry_type() == EntryType::Directory {
            directories.push((target, entry.header().mtime().unwrap_or_default()));
        }
    }
    // Last, for their entries changed them.
    for (target, mtime) in directories.into_iter().rev() {
        set_time(&target, mtime);
    }
    Ok(())
}

fn local_entry<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    directory: &str,
    target: &str,
    rename: Option<&Rename>,
) -> Result<(), String> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let failed = |verb: &str, error: io::Error| said(verb, target, &error);
    let kind = entry.header().entry_type();
    let mode = entry.header().mode().unwrap_or(0o644) & 0o7777;
    let mtime = entry.header().mtime().unwrap_or_default();
    stays_inside(directory, target)?;
    clear_way(directory, target, kind == EntryType::Directory)?;
    match kind {
        EntryType::Directory => {
            fs::create_dir_all(target).map_err(|error| failed("mkdir", error))?;
            fs::set_permissions(target, fs::Permissions::from_mode(mode))
                .map_err(|error| failed("chmod", error))
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(target)
                .map_err(|error| failed("open", error))?;
            io::copy(entry, &mut file).map_err(|error| failed("write", error))?;
            file.set_permissions(fs::Permissions::from_mode(mode)).map_err(|error| failed("chmod", error))?;
            set_time(target, mtime);
            Ok(())
        }
        EntryType::Symlink => {
            let link = entry.link_name().ok().flatten().unwrap_or_default();
            symlink(link, target).map_err(|error| failed("symlink", error))
        }
        EntryType::Link => {
            let link = entry.link_name_bytes().unwrap_or_default();
            let link = String::from_utf8_lossy(&link).into_owned();
            let link = rename.map_or(link.clone(), |rename| rename.apply(&link));
            let existing = join(directory, &clean(&format!("/{link}")));
            stays_inside(directory, &existing)?;
            fs::hard_link(existing, target).map_err(|error| failed("link", error))
        }
        EntryType::Fifo => nix::unistd::mkfifo(target, nix::sys::stat::Mode::from_bits_truncate(mode))
            .map_err(|errno| failed("mkfifo", errno.into())),
        // A device would need root, and Docker's client leaves it out likewise.
        _ => Ok(()),
    }
}

/// No directory between the destination and an entry may be a link out of it: an archive from a
/// container may hold a link and then an entry below it.
fn stays_inside(directory: &str, target: &str) -> Result<(), String> {
    let root = fs::canonicalize(directory).map_err(|error| said("lstat", directory, &error))?;
    let mut above = Path::new(target).parent();
    while let Some(path) = above {
        if let Ok(real) = fs::canonicalize(path) {
            return match real.starts_with(&root) {
                true => Ok(()),
                false => Err(format!("invalid symlink {:?} leads out of {directory:?}", path.display())),
            };
        }
        above = path.parent();
    }
    Ok(())
}

/// Docker's rule: a directory stays one, and what is none does not become one; anything else is
/// replaced.
fn clear_way(directory: &str, target: &str, by_directory: bool) -> Result<(), String> {
    let Ok(found) = fs::symlink_metadata(target) else {
        let parent = dir(target);
        return fs::create_dir_all(&parent).map_err(|error| said("mkdir", &parent, &error));
    };
    match (found.is_dir(), by_directory) {
        (true, false) => {
            Err(format!("cannot overwrite directory {target:?} with non-directory {directory:?}"))
        }
        (false, true) => {
            Err(format!("cannot overwrite non-directory {target:?} with directory {directory:?}"))
        }
        (true, true) => Ok(()),
        (false, false) => fs::remove_file(target).map_err(|error| said("remove", target, &error)),
    }
}

/// A time that cannot be set is no reason to fail.
fn set_time(path: &str, mtime: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(mtime);
    let _ = fs::File::open(path).and_then(|file| file.set_modified(time));
}
