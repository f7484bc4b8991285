//! The least a pull can do: inflate, hash and write the layers, with nothing around it.

use crate::hashing::Hashing;
use crate::layers::{Image, Layer};
use flate2::read::GzDecoder;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Bytes read from a layer at a time.
const CHUNK: usize = 256 * 1024;

/// Unpacks every layer into a directory of its own below `target`, one thread a core.
///
/// # Errors
/// When a layer is not what its digests say, and as write(2).
pub fn unpack(image: &Image, target: &Path) -> io::Result<Duration> {
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    thread::scope(|scope| {
        let work = || -> io::Result<()> {
            while let Some(layer) = image.layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                unpack_layer(layer, &target.join(layer.diff_id.replace(':', "-")))?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        })
    })?;
    Ok(start.elapsed())
}

fn unpack_layer(layer: &Layer, target: &Path) -> io::Result<()> {
    let packed = io::BufReader::with_capacity(CHUNK, Hashing::new(File::open(&layer.file)?));
    let mut archive = tar::Archive::new(Hashing::new(GzDecoder::new(packed)));
    let mut last = PathBuf::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = target.join(entry.path()?);
        // Files come directory by directory.
        if let Some(directory) = path.parent()
            && directory != last
        {
            fs::create_dir_all(directory)?;
            directory.clone_into(&mut last);
        }
        let mode = entry.header().mode()?;
        let mut file = File::options().write(true).create_new(true).mode(mode).open(&path)?;
        io::copy(&mut entry, &mut file)?;
        file.set_modified(UNIX_EPOCH + Duration::from_secs(entry.header().mtime()?))?;
    }
    let mut tar = archive.into_inner();
    io::copy(&mut tar, &mut io::sink())?;
    let (inflater, diff_id, _) = tar.finish();
    let mut packed = inflater.into_inner();
    packed.read_to_end(&mut Vec::new())?;
    let (_, digest, _) = packed.into_inner().finish();
    if digest == layer.digest && diff_id == layer.diff_id {
        Ok(())
    } else {
        Err(io::Error::other(format!("{} is damaged", layer.file.display())))
    }
}
