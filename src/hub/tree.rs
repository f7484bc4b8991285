//! A file system tree in memory, and the layer tar it becomes.
//!
//! The same tree always gives the same bytes: entries sorted by path, one fixed time, owner 0:0.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bytes::Bytes;
use tar::EntryType;

/// The time of every file, in seconds since 1970: 2026-01-01T00:00:00Z.
pub const MADE_AT: u64 = 1_767_225_600;

/// What stands at one path of a [`Tree`]. Modes are permission bits, such as `0o755`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u32,
    },
    /// A regular file.
    File {
        /// Permission bits.
        mode: u32,
        /// All of the file.
        content: Bytes,
    },
    /// A symbolic link.
    Symlink {
        /// The link's text, as readlink(2) gives it.
        target: String,
    },
    /// One more name for a file of the same tree.
    Hardlink {
        /// The file's other path, without a leading slash. It must sort before this one, because
        /// whoever unpacks the layer can only link to what is already there.
        target: String,
    },
}

/// Nodes by path. Paths are relative to the root directory and have no leading slash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// Puts a node at `path`, replacing what was there, and adds the directories above it that
    /// are missing (mode 0755). The root directory itself is never part of the tree.
    pub fn insert(&mut self, path: &str, node: Node) {
        for (slash, _) in path.match_indices('/') {
            let parent = path[..slash].to_owned();
            self.nodes.entry(parent).or_insert(Node::Directory { mode: 0o755 });
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// The node at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Every path and its node, a directory before what it contains.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// Writes the tree as a tar archive: an uncompressed OCI layer (image-spec `layer.md`).
    ///
    /// # Errors
    /// Those of `sink`; also a path longer than a tar header can hold, and a hard link whose file
    /// is not in the tree or sorts after it.
    pub fn write_tar<W: Write>(&self, sink: W) -> io::Result<W> {
        let mut archive = tar::Builder::new(sink);
        for (path, node) in &self.nodes {
            self.append(&mut archive, path, node)?;
        }
        archive.into_inner()
    }

    fn append<W: Write>(&self, archive: &mut tar::Builder<W>, path: &str, node: &Node) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_mtime(MADE_AT);
        header.set_uid(0);
        header.set_gid(0);
        let (kind, mode, content): (_, _, &[u8]) = match node {
            Node::Directory { mode } => (EntryType::Directory, *mode, &[]),
            Node::File { mode, content } => (EntryType::Regular, *mode, content),
            Node::Symlink { .. } => (EntryType::Symlink, 0o777, &[]),
            Node::Hardlink { target } => (EntryType::Link, self.mode_of_file(path, target)?, &[]),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        match node {
            // A trailing slash is how tar has marked directories since before it had types.
            Node::Directory { .. } => header.set_path(format!("{path}/"))?,
            _ => header.set_path(path)?,
        }
        if let Node::Symlink { target } | Node::Hardlink { target } = node {
            header.set_link_name(target)?;
        }
        header.set_cksum();
        archive.append(&header, content)
    }

    /// The mode a hard link has to repeat: unpackers set it again, on the file both names share.
    fn mode_of_file(&self, path: &str, target: &str) -> io::Result<u32> {
        match self.nodes.get(target) {
            Some(Node::File { mode, .. }) if target < path => Ok(*mode),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("hard link {path} needs a file {target} earlier in the layer"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tree {
        let mut tree = Tree::default();
        let content = Bytes::from_static(b"hi");
        tree.insert("usr/bin/hi", Node::File { mode: 0o755, content });
        tree.insert("usr/sbin/hi", Node::Hardlink { target: "usr/bin/hi".into() });
        tree.insert("bin", Node::Symlink { target: "/usr/bin".into() });
        tree.insert("tmp", Node::Directory { mode: 0o1777 });
        tree
    }

    #[test]
    fn missing_parents_are_added_and_come_first() {
        let paths: Vec<String> = sample().iter().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(paths, ["bin", "tmp", "usr", "usr/bin", "usr/bin/hi", "usr/sbin", "usr/sbin/hi"]);
    }

    #[test]
    fn an_existing_directory_keeps_its_mode_when_a_child_arrives() {
        let mut tree = sample();
        tree.insert("tmp/x", Node::File { mode: 0o600, content: Bytes::new() });
        assert_eq!(tree.get("tmp"), Some(&Node::Directory { mode: 0o1777 }));
    }

    #[test]
    fn the_archive_carries_modes_links_one_time_and_owner_zero() {
        let bytes = sample().write_tar(Vec::new()).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut listing = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), MADE_AT);
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            let link = entry.link_name().unwrap().map(|name| name.display().to_string());
            listing.push((
                entry.path().unwrap().display().to_string(),
                header.entry_type().as_byte() as char,
                header.mode().unwrap(),
                link.unwrap_or_default(),
            ));
        }
        let expected = [
            ("bin", '2', 0o777, "/usr/bin"),
            ("tmp/", '5', 0o1777, ""),
            ("usr/", '5', 0o755, ""),
            ("usr/bin/", '5', 0o755, ""),
            ("usr/bin/hi", '0', 0o755, ""),
            ("usr/sbin/", '5', 0o755, ""),
            ("usr/sbin/hi", '1', 0o755, "usr/bin/hi"),
        ];
        let expected: Vec<_> =
            expected.map(|(path, kind, mode, link)| (path.to_owned(), kind, mode, link.to_owned())).into();
        assert_eq!(listing, expected);
    }

    #[test]
    fn a_hard_link_to_a_later_file_is_refused() {
        let mut tree = sample();
        tree.insert("a", Node::Hardlink { target: "usr/bin/hi".into() });
        let error = tree.write_tar(Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "hard link a needs a file usr/bin/hi earlier in the layer");
    }
}
