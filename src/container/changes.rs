//! What a container changed: its writable layer held against the layers below. As Docker's
//! `diff` tells it: a directory whose entries changed is changed itself.

use crate::kernel::Host;
use crate::kernel::tree::{Inode, Sort};
use crate::wire::Change;
use std::collections::BTreeSet;
use std::io;

const CHANGED: u8 = 0;
const ADDED: u8 = 1;
const DELETED: u8 = 2;

/// What a runtime makes in a container's root so that it can mount something there; Docker keeps
/// it in a layer of its own. Nothing of it was changed by the container's program.
pub const MOUNT_POINTS: [&str; 14] = [
    "/.dockerenv",
    "/dev/console",
    "/dev/mqueue",
    "/dev/pts",
    "/dev/shm",
    "/dev",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/sys/fs/cgroup",
    "/sys",
    "/etc",
];

/// Changes, sorted by path. `lower` are the layers below `upper`, topmost first.
///
/// # Errors
/// As lstat(2) and getdents(2).
pub fn of(host: &dyn Host, upper: &str, lower: &[String]) -> io::Result<Vec<Change>> {
    let mut changes = Survey { host, upper, lower, changes: Vec::new() };
    changes.directory("", true)?;
    let mut changes = changes.changes;
    changes.sort();
    Ok(changes)
}

struct Survey<'a> {
    host: &'a dyn Host,
    upper: &'a str,
    lower: &'a [String],
    changes: Vec<Change>,
}

impl Survey<'_> {
    /// One directory of the writable layer; `merged` says that a lower directory shows through.
    /// Whether anything in it is a change.
    fn directory(&mut self, path: &str, merged: bool) -> io::Result<bool> {
        let mut any = false;
        for name in self.host.list(&format!("{}{path}", self.upper))? {
            let whole = format!("{path}/{name}");
            let inode = self.host.look(&format!("{}{whole}", self.upper))?;
            let below = if merged { self.below(&whole)? } else { None };
            any |= self.entry(&whole, &inode, below)?;
        }
        Ok(any)
    }

    fn entry(&mut self, path: &str, inode: &Inode, below: Option<Inode>) -> io::Result<bool> {
        let Some(below) = below else {
            if inode.sort == Sort::Whiteout {
                return Ok(false);
            }
            return self.added(path, inode);
        };
        if inode.sort == Sort::Whiteout {
            self.tell(path, DELETED);
            return Ok(true);
        }
        let at = self.changes.len();
        let both = inode.is_directory() && below.is_directory();
        let mut changed = differs(inode, &below);
        if both && inode.opaque {
            changed |= self.replaced(path)?;
        }
        if inode.is_directory() {
            changed |= self.directory(path, both)?;
        }
        if changed {
            self.changes.insert(at, Change { path: path.to_owned(), kind: CHANGED });
        }
        Ok(changed)
    }

    /// A new entry, and all that is in it.
    fn added(&mut self, path: &str, inode: &Inode) -> io::Result<bool> {
        let at = self.changes.len();
        let inside = inode.is_directory() && self.directory(path, false)?;
        let point = MOUNT_POINTS.contains(&path);
        let nothing =
            if inode.is_directory() { !inside } else { inode.size == 0 || inode.sort == Sort::Symlink };
        if point && nothing {
            return Ok(false);
        }
        self.changes.insert(at, Change { path: path.to_owned(), kind: ADDED });
        Ok(true)
    }

    /// A directory that was removed and made again: what lower layers had in it is gone.
    fn replaced(&mut self, path: &str) -> io::Result<bool> {
        let mut had = BTreeSet::new();
        for layer in self.lower {
            had.extend(self.host.list(&format!("{layer}{path}")).unwrap_or_default());
        }
        let mut any = false;
        for name in had {
            let whole = format!("{path}/{name}");
            let gone = self.host.look(&format!("{}{whole}", self.upper)).is_err();
            if gone && self.below(&whole)?.is_some() {
                self.tell(&whole, DELETED);
                any = true;
            }
        }
        Ok(any)
    }

    /// What the layers below show at a path.
    fn below(&self, path: &str) -> io::Result<Option<Inode>> {
        for layer in self.lower {
            let mut cut_off = false;
            let mut found = None;
            for (end, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
                match self.host.look(&format!("{layer}{}", &path[..end])) {
                    Ok(inode) if inode.sort == Sort::Whiteout => return Ok(None),
                    Ok(inode) if end == path.len() => found = Some(inode),
                    Ok(inode) if inode.is_directory() => cut_off |= inode.opaque,
                    // A file where lower layers have a directory hides the directory.
                    Ok(_) => return Ok(None),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                    Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => return Ok(None),
                    Err(error) => return Err(error),
                }
            }
            if found.is_some() || cut_off {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn tell(&mut self, path: &str, kind: u8) {
        self.changes.push(Change { path: path.to_owned(), kind });
    }
}

/// A directory's size and time say nothing: they change with its entries.
fn differs(one: &Inode, other: &Inode) -> bool {
    let described = |inode: &Inode| (inode.sort, inode.mode, inode.uid, inode.gid);
    described(one) != described(other)
        || (!one.is_directory() && (one.size, one.mtime) != (other.size, other.mtime))
}
