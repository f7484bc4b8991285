//! A tar written over a tree that is in use: `cp` into a container. The names, links and owners of
//! strangers are handled by the same code as those of layers; what differs is said here.
//!
//! Whiteouts mean nothing, what is there is merged or replaced, mount points may be crossed, and
//! the root is the container's, so that its absolute links lead where its programs would go.

use super::archive::Archive;
use super::compression::Compression;
use super::error::UnpackError;
use super::name::Name;
use super::tree::{Over, Tree};
use crate::error::Kind;
use crate::kernel::Fault;
use crate::kernel::tree::Writing;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;

/// Bytes read at once.
const STRETCH: usize = 128 * 1024;

/// Writes the entries of `input` below `writing.into`; gives their number.
///
/// # Errors
/// [`Kind::Invalid`] for what is no tar; otherwise the kernel's refusal, naming the entry.
pub fn write(root: OwnedFd, writing: &Writing, input: impl Read) -> Result<u64, Fault> {
    let mut input = BufReader::with_capacity(STRETCH, input);
    let magic = input.fill_buf().map_err(broken)?;
    let compression = Compression::choose("", magic).map_err(Fault::from)?;
    let inflated = BufReader::with_capacity(STRETCH, compression.reader(input).map_err(Fault::from)?);
    place_all(root, writing, inflated).map_err(|error| match error {
        UnpackError::Refused(message) => Fault::new(Kind::Internal, message),
        error => Fault::from(error),
    })
}

fn broken(error: io::Error) -> Fault {
    Fault::new(Kind::Invalid, error.to_string())
}

fn place_all(root: OwnedFd, writing: &Writing, input: impl BufRead) -> Result<u64, UnpackError> {
    let over = Over { keep_sorts: writing.keep_sorts, into: writing.into.clone() };
    let mut tree = Tree::over(root, over);
    let mut archive = Archive::new(input);
    let mut entries = 0;
    let into = Name::clean(writing.into.as_bytes())?;
    while let Some(mut entry) = archive.next_entry()? {
        let name = Name::clean(&entry.path)?;
        if name.is_root() {
            // The directory that is written into stays what it is.
            continue;
        }
        entries += 1;
        entry.path = [into.bytes(), b"/", name.bytes()].concat();
        if entry.kind == super::archive::Kind::HardLink {
            entry.link = [into.bytes(), b"/", Name::clean(&entry.link)?.bytes()].concat();
        }
        if let Some((uid, gid)) = writing.owner {
            (entry.uid, entry.gid) = (uid, gid);
        }
        tree.place(entry, &mut archive)?;
    }
    archive.drain()?;
    tree.finish()?;
    Ok(entries)
}
