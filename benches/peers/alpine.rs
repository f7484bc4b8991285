//! The built-in hub's alpine for everybody, so that all run the same program on the same files.

use learn::hub::Catalog;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The image's only layer, twice.
pub struct Alpine {
    /// As a tar file, to import.
    pub tar: PathBuf,
    /// As a directory, for a bundle.
    pub tree: PathBuf,
}

impl Alpine {
    /// Makes both below `directory`.
    ///
    /// # Errors
    /// When this machine has nothing to make alpine of.
    pub fn make(directory: &Path) -> io::Result<Alpine> {
        let image = Catalog::builtin().image("library/alpine").map_err(io::Error::other)?;
        let image = image.ok_or_else(|| io::Error::other("the built-in hub has no alpine"))?;
        let alpine = Alpine { tar: directory.join("alpine.tar"), tree: directory.join("bundle/rootfs") };
        let mut inflated = flate2::read::GzDecoder::new(&*image.layer.bytes);
        io::copy(&mut inflated, &mut fs::File::create(&alpine.tar)?)?;
        fs::create_dir_all(&alpine.tree)?;
        let mut archive = tar::Archive::new(fs::File::open(&alpine.tar)?);
        archive.set_preserve_permissions(true);
        archive.unpack(&alpine.tree)?;
        Ok(alpine)
    }
}
