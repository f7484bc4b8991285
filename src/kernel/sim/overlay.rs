//! overlayfs: lower directories seen through a writable upper one. Reading goes to the merged
//! view made when it is mounted; every change is copied up and written through, with whiteouts
//! for what a lower layer still holds. Kernel documentation, `filesystems/overlayfs.rst`.

use super::filesystem::{FileSystem, FileSystems, FsId};
use super::tree::{Content, Ino, Node, ROOT, Tree};
use bytes::Bytes;
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};

/// A directory of some file system.
pub type Place = (FsId, Ino);

/// What the merged view remembers of where its nodes come from.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// The writable layer; without one the mount is read-only.
    pub upper: Option<Place>,
    origins: BTreeMap<Ino, Origin>,
}

#[derive(Clone, Debug)]
struct Origin {
    /// Its twin in the upper layer, once there is one.
    upper: Option<Ino>,
    /// Merged directory and name.
    place: (Ino, String),
    /// A lower layer holds the name too: removing it takes a whiteout.
    in_lower: bool,
}

/// Layers of one merged directory, topmost first; the flag marks the upper one.
type Stack = Vec<(Place, bool)>;

/// Merges `lowers` (topmost first) and `upper` into a new file system.
///
/// # Errors
/// ENOTDIR when a layer is no directory.
pub fn merge(
    filesystems: &FileSystems,
    lowers: &[Place],
    upper: Option<Place>,
) -> Result<(Tree, Overlay), Errno> {
    let top = upper.or(lowers.first().copied()).ok_or(Errno::EINVAL)?;
    let top_node = filesystems.get(top.0).tree.node(top.1)?;
    let mut tree = Tree::new(top_node.mode);
    let root = tree.node_mut(ROOT)?;
    (root.uid, root.gid) = (top_node.uid, top_node.gid);
    let origin = Origin { upper: upper.map(|place| place.1), place: (ROOT, String::new()), in_lower: true };
    let mut overlay = Overlay { upper, origins: BTreeMap::from([(ROOT, origin)]) };
    let stack = upper
        .map(|place| (place, true))
        .into_iter()
        .chain(lowers.iter().map(|place| (*place, false)))
        .collect();
    let mut merging = Merging { filesystems, tree: &mut tree, overlay: &mut overlay, seen: BTreeMap::new() };
    merging.directory(ROOT, stack)?;
    Ok((tree, overlay))
}

struct Merging<'a> {
    filesystems: &'a FileSystems,
    tree: &'a mut Tree,
    overlay: &'a mut Overlay,
    /// Hard links of a layer stay hard links in the view.
    seen: BTreeMap<Place, Ino>,
}

impl Merging<'_> {
    fn directory(&mut self, merged: Ino, stack: Stack) -> Result<(), Errno> {
        let mut names = BTreeSet::new();
        for ((fs, ino), _) in &stack {
            names.extend(self.filesystems.get(*fs).tree.entries(*ino)?.keys().cloned());
        }
        for name in names {
            self.entry(merged, &name, &stack)?;
        }
        Ok(())
    }

    fn entry(&mut self, merged: Ino, name: &str, stack: &Stack) -> Result<(), Errno> {
        let mut found: Stack = Vec::new();
        let mut in_lower = false;
        let mut hidden = false;
        for ((fs, directory), is_upper) in stack {
            let tree = &self.filesystems.get(*fs).tree;
            let Ok(ino) = tree.lookup(*directory, name) else { continue };
            let node = tree.node(ino)?;
            in_lower |= !is_upper && !node.is_whiteout();
            if hidden {
                continue;
            }
            if node.is_whiteout() {
                hidden = true;
            } else if node.is_directory() {
                found.push(((*fs, ino), *is_upper));
                hidden = is_opaque(node);
            } else {
                // A file below a directory is hidden by it; a file on top is all there is.
                if found.is_empty() {
                    found.push(((*fs, ino), *is_upper));
                }
                hidden = true;
            }
        }
        let Some((top, is_upper)) = found.first().copied() else { return Ok(()) };
        if let Some(ino) = self.seen.get(&top) {
            return self.tree.link(merged, name, *ino);
        }
        let mut node = self.filesystems.get(top.0).tree.node(top.1)?.clone();
        let is_directory = node.is_directory();
        if let Content::Directory { entries, .. } = &mut node.content {
            entries.clear();
        }
        let ino = self.tree.add(merged, name, node)?;
        let origin = Origin { upper: is_upper.then_some(top.1), place: (merged, name.to_owned()), in_lower };
        self.overlay.origins.insert(ino, origin);
        if is_directory {
            return self.directory(ino, found);
        }
        self.seen.insert(top, ino);
        Ok(())
    }
}

const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/// Whether a directory hides what lower layers have in it.
pub fn is_opaque(node: &Node) -> bool {
    OPAQUE.iter().any(|name| node.xattrs.get(*name).is_some_and(|value| value == "y"))
}

/// Changes to one mounted overlay. The view is taken out of the collection meanwhile, so that
/// the upper layer's own file system can be written to.
pub struct Writer<'a> {
    view: &'a mut FileSystem,
    others: &'a mut FileSystems,
}

impl<'a> Writer<'a> {
    /// A writer for the view `view`, whose layers are in `others`.
    pub fn new(view: &'a mut FileSystem, others: &'a mut FileSystems) -> Writer<'a> {
        Writer { view, others }
    }

    fn overlay(&mut self) -> &mut Overlay {
        self.view.overlay_mut().expect("a writer is only made for an overlay")
    }

    fn upper(&mut self) -> Result<FsId, Errno> {
        self.overlay().upper.map(|place| place.0).ok_or(Errno::EROFS)
    }

    fn origin(&mut self, ino: Ino) -> Result<Origin, Errno> {
        self.overlay().origins.get(&ino).cloned().ok_or(Errno::ESTALE)
    }

    /// The node's twin in the upper layer, copied up with its parents where it is missing.
    fn copy_up(&mut self, ino: Ino) -> Result<Ino, Errno> {
        let fs = self.upper()?;
        let origin = self.origin(ino)?;
        if let Some(twin) = origin.upper {
            return Ok(twin);
        }
        let (parent, name) = origin.place;
        let directory = self.copy_up(parent)?;
        let mut node = self.view.tree.node(ino)?.clone();
        if let Content::Directory { entries, .. } = &mut node.content {
            entries.clear();
        }
        let twin = self.others.get_mut(fs).tree.add(directory, &name, node)?;
        self.overlay().origins.entry(ino).and_modify(|origin| origin.upper = Some(twin));
        Ok(twin)
    }

    /// Makes a node.
    ///
    /// # Errors
    /// As [`Tree::add`]; EROFS without an upper layer.
    pub fn add(&mut self, directory: Ino, name: &str, mut node: Node) -> Result<Ino, Errno> {
        let fs = self.upper()?;
        let ino = self.view.tree.add(directory, name, node.clone())?;
        let above = self.copy_up(directory)?;
        let upper = &mut self.others.get_mut(fs).tree;
        // Over a whiteout: the lower name stays hidden, and a new directory must not show what
        // the removed one held.
        let covered = upper.lookup(above, name).is_ok();
        if covered {
            upper.unlink(above, name)?;
            if node.is_directory() {
                node.xattrs.insert(OPAQUE[0].to_owned(), Bytes::from_static(b"y"));
            }
        }
        let twin = upper.add(above, name, node)?;
        let origin = Origin { upper: Some(twin), place: (directory, name.to_owned()), in_lower: covered };
        self.overlay().origins.insert(ino, origin);
        Ok(ino)
    }

    /// Takes a name away: an empty directory's or anything else's.
    ///
    /// # Errors
    /// As [`Tree::unlink`] and [`Tree::rmdir`]; EROFS without an upper layer.
    pub fn remove(&mut self, directory: Ino, name: &str, is_directory: bool) -> Result<(), Errno> {
        let fs = self.upper()?;
        let ino = self.view.tree.lookup(directory, name)?;
        let in_lower = self.origin(ino)?.in_lower;
        match is_directory {
            true => self.view.tree.rmdir(directory, name)?,
            false => self.view.tree.unlink(directory, name)?,
        }
        let above = self.copy_up(directory)?;
        let upper = &mut self.others.get_mut(fs).tree;
        if upper.lookup(above, name).is_ok() {
            upper.remove_all(above, name)?;
        }
        if in_lower {
            upper.add(above, name, Node::device(0, 0, 0))?;
        }
        if self.view.tree.node(ino).is_err() {
            self.overlay().origins.remove(&ino);
        }
        Ok(())
    }

    /// Changes a node in the view and in the upper layer.
    ///
    /// # Errors
    /// EROFS without an upper layer.
    pub fn change(&mut self, ino: Ino, change: impl Fn(&mut Node)) -> Result<(), Errno> {
        let fs = self.upper()?;
        let twin = self.copy_up(ino)?;
        change(self.view.tree.node_mut(ino)?);
        change(self.others.get_mut(fs).tree.node_mut(twin)?);
        Ok(())
    }

    /// Moves a name. A directory that a lower layer holds does not move (`redirect_dir=off`).
    ///
    /// # Errors
    /// EXDEV for such a directory; else as [`Tree::rename`].
    pub fn rename(&mut self, from: (Ino, &str), to: (Ino, &str)) -> Result<(), Errno> {
        let fs = self.upper()?;
        let moved = self.view.tree.lookup(from.0, from.1)?;
        let origin = self.origin(moved)?;
        if origin.in_lower && self.view.tree.node(moved)?.is_directory() {
            return Err(Errno::EXDEV);
        }
        let covers_lower = match self.view.tree.lookup(to.0, to.1) {
            Ok(ino) => self.origin(ino)?.in_lower,
            Err(_) => false,
        };
        self.copy_up(moved)?;
        let (above, beside) = (self.copy_up(from.0)?, self.copy_up(to.0)?);
        self.view.tree.rename(from, to)?;
        let upper = &mut self.others.get_mut(fs).tree;
        let whited_out =
            upper.lookup(beside, to.1).and_then(|ino| upper.node(ino)).is_ok_and(Node::is_whiteout);
        if whited_out {
            upper.unlink(beside, to.1)?;
        }
        upper.rename((above, from.1), (beside, to.1))?;
        if origin.in_lower {
            upper.add(above, from.1, Node::device(0, 0, 0))?;
        }
        let place = (to.0, to.1.to_owned());
        self.overlay().origins.entry(moved).and_modify(|origin| {
            origin.place = place;
            origin.in_lower = covers_lower || whited_out;
        });
        Ok(())
    }
}
