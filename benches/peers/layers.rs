//! An image as large as those of real life, made of this machine's own files.

use crate::hashing::Hashing;
use crate::peer::DockerRegistry;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

/// Where the files come from.
const SOURCE: &str = "/usr";

/// Layers of the image.
const LAYERS: u64 = 5;

/// The image the budget speaks of. Gzip makes about 560 MB of it.
const FULL: Size = Size { files: 33_000, bytes: 1_550_000_000 };

/// What a look in passing needs.
const QUICK: Size = Size { files: FULL.files / 5, bytes: FULL.bytes / 5 };

/// Larger files are left out: one of them would be half a layer.
const LARGEST: u64 = 32 << 20;

struct Size {
    files: usize,
    bytes: u64,
}

/// One layer, as a gzip file.
pub struct Layer {
    /// Where it is.
    pub file: PathBuf,
    /// `sha256:<hex>` of the file.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// `sha256:<hex>` of the tar inside.
    pub diff_id: String,
    /// The tar's bytes.
    pub inflated: u64,
}

/// The image's layers, lowest first.
pub struct Image {
    /// The layers.
    pub layers: Vec<Layer>,
    /// Files in all of them.
    pub files: usize,
}

impl Image {
    /// Makes the image below `directory`. Takes a minute or two when `full`.
    ///
    /// # Errors
    /// As read(2) and write(2).
    pub fn make(directory: &Path, full: bool) -> io::Result<Image> {
        let size = if full { FULL } else { QUICK };
        let mut all = Vec::new();
        list(Path::new(SOURCE), &mut all)?;
        let files = choose(all, &size);
        let shares = shares(&files);
        let layers: io::Result<Vec<Layer>> = thread::scope(|scope| {
            let layer = |(index, share)| {
                let file = directory.join(format!("layer-{index}.tar.gz"));
                scope.spawn(move || compress(file, share))
            };
            let threads: Vec<_> = shares.into_iter().enumerate().map(layer).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a layer panicked"))))
                .collect()
        });
        Ok(Image { layers: layers?, files: files.len() })
    }

    /// Stores it in a registry as `repository:latest`.
    ///
    /// # Errors
    /// The registry's refusal.
    pub fn push(&self, registry: &DockerRegistry, repository: &str) -> io::Result<()> {
        for layer in &self.layers {
            registry.push_blob(repository, &layer.digest, layer.size, &mut File::open(&layer.file)?)?;
        }
        let config = self.config();
        let mut hashing = Hashing::new(io::sink());
        hashing.write_all(config.as_bytes())?;
        let (_, digest, size) = hashing.finish();
        registry.push_blob(repository, &digest, size, &mut config.as_bytes())?;
        let manifest = self.manifest(&digest, size);
        registry.push_manifest(repository, "latest", "application/vnd.oci.image.manifest.v1+json", &manifest)
    }

    /// Bytes of all layers: as they travel, and unpacked.
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.layers.iter().map(|layer| layer.size).sum(),
            self.layers.iter().map(|layer| layer.inflated).sum(),
        )
    }

    fn config(&self) -> String {
        let diff_ids: Vec<&str> = self.layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Cmd": ["/bin/sh"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })
        .to_string()
    }

    fn manifest(&self, config: &str, size: u64) -> String {
        let layers = self.layers.iter().map(|layer| {
            let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
            json!({ "mediaType": media_type, "digest": layer.digest, "size": layer.size })
        });
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size,
            },
            "layers": layers.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

/// Picks files until there are as many, and as many bytes, as wanted: every so manieth of all there
/// are, then large ones that make up for what those lack. In the order of their names.
fn choose(all: Vec<(PathBuf, u64)>, size: &Size) -> Vec<(PathBuf, u64)> {
    let stride = (all.len() / size.files).max(1);
    let mut chosen = vec![false; all.len()];
    let mut bytes = 0;
    let large = |index: &usize| all[*index].1 > size.bytes / size.files as u64;
    let sample = (0..all.len()).step_by(stride).take(size.files);
    for index in sample.chain((0..all.len()).filter(large)) {
        if !chosen[index] && bytes + all[index].1 <= size.bytes {
            chosen[index] = true;
            bytes += all[index].1;
        }
    }
    all.into_iter().zip(chosen).filter_map(|(file, chosen)| chosen.then_some(file)).collect()
}

/// Regular files below a directory with their sizes, in the order of their names.
fn list(directory: &Path, files: &mut Vec<(PathBuf, u64)>) -> io::Result<()> {
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            list(&entry.path(), files)?;
        } else if metadata.is_file() && metadata.len() <= LARGEST {
            files.push((entry.path(), metadata.len()));
        }
    }
    Ok(())
}

/// Cuts the files into layers of about the same size.
fn shares(files: &[(PathBuf, u64)]) -> Vec<&[(PathBuf, u64)]> {
    let whole: u64 = files.iter().map(|(_, size)| size).sum();
    let (mut shares, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, (_, size)) in files.iter().enumerate() {
        bytes += size;
        if bytes >= whole / LAYERS && (shares.len() as u64) < LAYERS - 1 {
            shares.push(&files[start..=index]);
            (start, bytes) = (index + 1, 0);
        }
    }
    shares.push(&files[start..]);
    shares
}

fn compress(target: PathBuf, files: &[(PathBuf, u64)]) -> io::Result<Layer> {
    let packed = Hashing::new(BufWriter::new(File::create(&target)?));
    let tar = Hashing::new(GzEncoder::new(packed, Compression::default()));
    let mut builder = tar::Builder::new(tar);
    for (path, _) in files {
        append(&mut builder, path)?;
    }
    let (packer, diff_id, inflated) = builder.into_inner()?.finish();
    let (mut file, digest, size) = packer.finish()?.finish();
    file.flush()?;
    Ok(Layer { file: target, digest, size, diff_id, inflated })
}

fn append(builder: &mut tar::Builder<impl Write>, path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_size(metadata.len());
    header.set_mode(metadata.permissions().mode() & 0o777);
    header.set_mtime(1_600_000_000);
    builder.append_data(&mut header, path.strip_prefix("/").unwrap_or(path), file)
}
