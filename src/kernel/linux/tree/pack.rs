//! A part of a tree as a tar: names in the order of the alphabet, parents before children, hard
//! links kept, extended attributes in PAX records (`SCHILY.xattr.`), as Docker writes them.

use super::LinuxTree;
use crate::kernel::tarball::append;
use crate::kernel::tree::Reading;
use rustix::fs::{
    AtFlags, Dir, FileType, OFlags, Stat, StatxAttributes, StatxFlags, fgetxattr, flistxattr, fstat, major,
    minor, readlinkat, statat, statx,
};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use tar::{Builder, EntryType, Header};

/// Longest value of an extended attribute: XATTR_SIZE_MAX.
const LONGEST_VALUE: usize = 64 * 1024;

/// A tar being written.
pub(super) struct Packer<W: Write> {
    builder: Builder<W>,
    /// Device and inode → the first name of a file that has several.
    linked: HashMap<(u64, u64), String>,
    /// Entries so far.
    pub(super) entries: u64,
}

impl<W: Write> Packer<W> {
    pub(super) fn new(output: W) -> Packer<W> {
        Packer { builder: Builder::new(output), linked: HashMap::new(), entries: 0 }
    }

    /// Ends the tar: two blocks of zeroes.
    pub(super) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }

    /// Adds one entry. `file` is opened when the data of a regular file is wanted.
    pub(super) fn add(
        &mut self,
        name: &str,
        stat: &Stat,
        target: Option<&[u8]>,
        file: Option<File>,
    ) -> io::Result<()> {
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut header = header(stat);
        if kind != FileType::Directory && stat.st_nlink > 1 {
            let key = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.linked.get(&key) {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                let first = first.clone();
                self.entries += 1;
                return append(
                    &mut self.builder,
                    &mut header,
                    name.as_bytes(),
                    Some(first.as_bytes()),
                    io::empty(),
                );
            }
            self.linked.insert(key, name.to_owned());
        }
        self.entries += 1;
        match kind {
            FileType::Directory => {
                let name = if name.ends_with('/') { name.to_owned() } else { format!("{name}/") };
                self.attributes(file.as_ref())?;
                header.set_entry_type(EntryType::Directory);
                append(&mut self.builder, &mut header, name.as_bytes(), None, io::empty())
            }
            FileType::Symlink => {
                header.set_entry_type(EntryType::Symlink);
                append(&mut self.builder, &mut header, name.as_bytes(), target, io::empty())
            }
            FileType::RegularFile => {
                self.attributes(file.as_ref())?;
                header.set_entry_type(EntryType::Regular);
                let size = u64::try_from(stat.st_size).unwrap_or_default();
                header.set_size(if file.is_some() { size } else { 0 });
                match file {
                    // A file that grows or shrinks meanwhile has the length its header says.
                    Some(file) => {
                        let data = Exactly::new(file, size);
                        append(&mut self.builder, &mut header, name.as_bytes(), None, data)
                    }
                    None => append(&mut self.builder, &mut header, name.as_bytes(), None, io::empty()),
                }
            }
            FileType::Fifo => self.node(header, EntryType::Fifo, name),
            FileType::BlockDevice | FileType::CharacterDevice => {
                header.set_device_major(major(stat.st_rdev))?;
                header.set_device_minor(minor(stat.st_rdev))?;
                let kind = if kind == FileType::BlockDevice { EntryType::Block } else { EntryType::Char };
                self.node(header, kind, name)
            }
            // A tar knows no sockets; Docker leaves them out as well.
            _ => {
                self.entries -= 1;
                Ok(())
            }
        }
    }

    /// An empty file of this name, such as a whiteout.
    pub(super) fn mark(&mut self, name: &str) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0);
        header.set_size(0);
        self.entries += 1;
        append(&mut self.builder, &mut header, name.as_bytes(), None, io::empty())
    }

    fn node(&mut self, mut header: Header, kind: EntryType, name: &str) -> io::Result<()> {
        header.set_entry_type(kind);
        append(&mut self.builder, &mut header, name.as_bytes(), None, io::empty())
    }

    /// Everything but overlayfs's own marks.
    fn attributes(&mut self, file: Option<&File>) -> io::Result<()> {
        let Some(file) = file else { return Ok(()) };
        let mut list = vec![0; LONGEST_VALUE];
        let length = match flistxattr(file, &mut list[..]) {
            Err(Errno::OPNOTSUPP) => return Ok(()),
            found => found?,
        };
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        for name in list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
                continue;
            }
            let mut value = vec![0; LONGEST_VALUE];
            let length = fgetxattr(file, name, &mut value[..])?;
            value.truncate(length);
            found.push((format!("SCHILY.xattr.{}", String::from_utf8_lossy(name)), value));
        }
        if found.is_empty() {
            return Ok(());
        }
        self.builder
            .append_pax_extensions(found.iter().map(|(name, value)| (name.as_str(), value.as_slice())))
    }
}

fn header(stat: &Stat) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(u64::from(stat.st_uid));
    header.set_gid(u64::from(stat.st_gid));
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or_default());
    header.set_size(0);
    header
}

/// As many bytes as were promised: fewer are filled up with zeroes, more are left out.
struct Exactly {
    file: File,
    left: u64,
}

impl Exactly {
    fn new(file: File, length: u64) -> Exactly {
        Exactly { file, left: length }
    }
}

impl Read for Exactly {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let mut count = self.file.read(&mut into[..most])?;
        if count == 0 {
            into[..most].fill(0);
            count = most;
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Writes what `reading` names.
pub(super) fn pack(tree: &LinuxTree, reading: &Reading, output: impl Write) -> io::Result<()> {
    let mut packer = Packer::new(output);
    let mut walk = Walk { tree, reading, packer: &mut packer };
    walk.top().map_err(|error| named(&reading.path, error))?;
    packer.finish()?.flush()
}

/// The kernel's refusal with the path it was about.
fn named(path: &str, error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(errno) => io::Error::other(format!(
            "read {path}: {}",
            nix::errno::Errno::from_raw(errno).desc().to_lowercase()
        )),
        None => error,
    }
}

struct Walk<'a, W: Write> {
    tree: &'a LinuxTree,
    reading: &'a Reading,
    packer: &'a mut Packer<W>,
}

impl<W: Write> Walk<'_, W> {
    fn top(&mut self) -> io::Result<()> {
        let path = self.reading.path.trim_end_matches('/').to_owned();
        let fd = self.tree.open(&path, OFlags::PATH | OFlags::NOFOLLOW);
        let stat = match fd {
            Ok(fd) => fstat(&fd)?,
            // A link itself: what was found was the link.
            Err(Errno::LOOP) => {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", &path));
                let directory = self.tree.open(above, OFlags::PATH | OFlags::DIRECTORY)?;
                statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?
            }
            Err(errno) => return Err(errno.into()),
        };
        let name = self.reading.name.clone();
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !name.is_empty() {
            self.entry(&path, &name, &stat)?;
        }
        if is_directory {
            let mut waiting = vec![(path, name)];
            while let Some((path, name)) = waiting.pop() {
                self.directory(&path, &name, &mut waiting)?;
            }
        }
        Ok(())
    }

    /// Adds a directory's entries; its directories wait, the first of them on top.
    fn directory(&mut self, path: &str, name: &str, waiting: &mut Vec<(String, String)>) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let directory = match self.tree.open(path, flags) {
            Ok(directory) => directory,
            // Gone meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(named(path, errno.into())),
        };
        let mut below = Vec::new();
        for entry in names(&directory)? {
            let whole = format!("{path}/{entry}");
            let shown = if name.is_empty() {
                entry.clone()
            } else {
                format!("{}/{entry}", name.trim_end_matches('/'))
            };
            let stat = match statat(&directory, entry.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(named(&whole, errno.into())),
            };
            let hidden = is_mount_point(&directory, &entry) && !self.reading.through.contains(&whole);
            if hidden {
                self.packer.add(&shown, &stat, None, None)?;
                continue;
            }
            self.entry(&whole, &shown, &stat).map_err(|error| named(&whole, error))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                below.push((whole, shown));
            }
        }
        waiting.extend(below.into_iter().rev());
        Ok(())
    }

    fn entry(&mut self, path: &str, shown: &str, stat: &Stat) -> io::Result<()> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let directory = self.tree.open(above, OFlags::PATH | OFlags::DIRECTORY)?;
                let target = readlinkat(&directory, name, Vec::new())?;
                self.packer.add(shown, stat, Some(target.as_bytes()), None)
            }
            FileType::RegularFile | FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                let file = match self.tree.open(path, flags) {
                    Ok(fd) => File::from(fd),
                    Err(Errno::NOENT) => return Ok(()),
                    Err(errno) => return Err(errno.into()),
                };
                // What is described is what was opened.
                let stat = fstat(&file)?;
                self.packer.add(shown, &stat, None, Some(file))
            }
            _ => self.packer.add(shown, stat, None, None),
        }
    }
}

/// statx(2): the root of a mount other than the one around it.
fn is_mount_point(directory: &OwnedFd, name: &str) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    statx(directory, name, flags, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Sorted, so that two tars of the same tree are the same.
pub(super) fn names(directory: &OwnedFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !matches!(name.as_str(), "." | "..") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
