//! Where a peer puts its containers' cgroups.

use std::fs;
use std::path::{Path, PathBuf};

/// A cgroup's name. Peers make it in every hierarchy and leave it behind, with empty ones in it;
/// dropping this removes them.
#[derive(Debug)]
pub struct CgroupParent {
    name: String,
}

impl CgroupParent {
    /// A name that no other process takes.
    pub fn new(prefix: &str) -> CgroupParent {
        CgroupParent { name: format!("{prefix}-{}", std::process::id()) }
    }

    /// Without a slash.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for CgroupParent {
    fn drop(&mut self) {
        let root = Path::new("/sys/fs/cgroup");
        // v2 alone has no hierarchies below the root; there this finds nothing to remove.
        for hierarchy in directories(root) {
            remove(&hierarchy.join(&self.name));
        }
        remove(&root.join(&self.name));
    }
}

/// Removes a cgroup and those in it; the files in them go by themselves.
fn remove(cgroup: &Path) {
    for inner in directories(cgroup) {
        remove(&inner);
    }
    let _ = fs::remove_dir(cgroup);
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
