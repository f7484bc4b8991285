//! The container's root, seen from outside: paths below it are resolved as the container would
//! resolve them, so that a symbolic link in an image never leads a mount onto the host.
//! openat2(2), RESOLVE_IN_ROOT.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, open, openat, openat2, readlinkat};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Never follow a magic link, and never leave the root.
const INSIDE: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// Links followed before a path counts as a loop, as in path_resolution(7).
const MOST_LINKS: usize = 40;

/// A directory that is, or will be, a container's root.
#[derive(Debug)]
pub(super) struct Root {
    path: String,
    directory: OwnedFd,
}

impl Root {
    /// Opens the directory at `path`, which must be the place itself (call it after mounting).
    pub(super) fn open(path: &str) -> io::Result<Root> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(path, flags, Mode::empty())?;
        Ok(Root { path: path.trim_end_matches('/').to_owned(), directory })
    }

    /// Whether `path` lies at or below this root, by name.
    pub(super) fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn inside<'p>(&self, path: &'p str) -> &'p str {
        let rest = path.strip_prefix(&self.path).unwrap_or(path).trim_start_matches('/');
        if rest.is_empty() { "." } else { rest }
    }

    /// An O_PATH descriptor of `path` (a host path below the root), links resolved inside.
    pub(super) fn open_path(&self, path: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        Ok(openat2(&self.directory, self.inside(path), flags, Mode::empty(), INSIDE)?)
    }

    /// The directory that holds `path`, made where missing, and the last component.
    pub(super) fn parent<'p>(&self, path: &'p str, mode: u32) -> io::Result<(OwnedFd, &'p str)> {
        let inside = self.inside(path);
        let (parent, name) = inside.rsplit_once('/').unwrap_or((".", inside));
        Ok((self.make_directory(parent, mode)?, name))
    }

    /// Makes `inside` (relative to the root) and its missing parents.
    pub(super) fn make_directory(&self, inside: &str, mode: u32) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat2(&self.directory, inside, flags, Mode::empty(), INSIDE) {
            Ok(directory) => return Ok(directory),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let (parent, name) = self.settle(inside, mode)?;
        match mkdirat(&parent, name.as_str(), Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(openat(&parent, name.as_str(), flags | OFlags::NOFOLLOW, Mode::empty())?)
    }

    /// Where `inside` ends when links are followed as the container would follow them, even links
    /// to places that are not there yet (images ship `/etc/resolv.conf` as one): the directory
    /// that is to hold the last component, made where missing, and that component, no link. Every
    /// step opens a path without links below the root, so nothing can lead out in between.
    fn settle(&self, inside: &str, mode: u32) -> io::Result<(OwnedFd, String)> {
        let mut ahead: Vec<String> = inside.rsplit('/').map(str::to_owned).collect();
        let mut settled: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(component) = ahead.pop() {
            match component.as_str() {
                "" | "." => continue,
                ".." => {
                    settled.pop();
                    continue;
                }
                _ => {}
            }
            let directory = self.open_settled(&settled)?;
            match readlinkat(&directory, component.as_str(), Vec::new()) {
                Ok(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = target.to_string_lossy();
                    if target.starts_with('/') {
                        settled.clear();
                    }
                    ahead.extend(target.rsplit('/').map(str::to_owned));
                    continue;
                }
                Err(Errno::NOENT) if !ahead.is_empty() => {
                    mkdirat(&directory, component.as_str(), Mode::from_raw_mode(mode))?;
                }
                // Not there, or there and no link.
                Err(Errno::NOENT | Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
            settled.push(component);
        }
        let name = settled.pop().unwrap_or_else(|| ".".to_owned());
        Ok((self.open_settled(&settled)?, name))
    }

    fn open_settled(&self, settled: &[String]) -> io::Result<OwnedFd> {
        let path = if settled.is_empty() { ".".to_owned() } else { settled.join("/") };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = INSIDE | ResolveFlags::NO_SYMLINKS;
        Ok(openat2(&self.directory, path.as_str(), flags, Mode::empty(), resolve)?)
    }

    /// The same for a whole host path below the root.
    pub(super) fn make_directory_at(&self, path: &str, mode: u32) -> io::Result<()> {
        self.make_directory(self.inside(path), mode).map(drop)
    }

    /// Makes an empty file below the root unless something is there.
    pub(super) fn make_file_at(&self, path: &str, mode: u32) -> io::Result<()> {
        if self.open_path(path).is_ok() {
            return Ok(());
        }
        let (parent, name) = self.settle(self.inside(path), 0o755)?;
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&parent, name.as_str(), flags, Mode::from_raw_mode(mode))?;
        Ok(())
    }
}

/// A path by which system calls without an `at` form reach an open descriptor.
pub(super) fn proc_path(descriptor: &impl AsFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_fd().as_raw_fd())
}

/// The place a mount goes to: below the root by descriptor, elsewhere by name.
pub(super) fn target(root: Option<&Root>, path: &str) -> io::Result<OwnedFd> {
    match root {
        Some(root) if root.holds(path) => root.open_path(path),
        _ => Ok(openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?),
    }
}
