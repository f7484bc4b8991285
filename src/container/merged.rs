//! Reading one small file out of a stack of layers, as the container would see it: whiteouts hide,
//! opaque directories cut off, symbolic links stay inside.

use std::collections::VecDeque;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// As the kernel: path_resolution(7).
const MOST_LINKS: usize = 40;

/// Most bytes read; a passwd file of more is no passwd file.
const MOST_BYTES: u64 = 4 << 20;

/// Reads `path` from `layers` (topmost first); `None` when no such file can be seen.
///
/// # Errors
/// As open(2) and read(2), a file that is none, and too many symbolic links.
pub fn read(layers: &[PathBuf], path: &str) -> io::Result<Option<Vec<u8>>> {
    let mut rest: VecDeque<String> = components(path).collect();
    let mut walked = PathBuf::new();
    let mut links = 0;
    while let Some(component) = rest.pop_front() {
        if component == ".." {
            walked.pop();
            continue;
        }
        let candidate = walked.join(&component);
        let Some((place, kind)) = find(layers, &candidate)? else { return Ok(None) };
        if kind.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from_raw_os_error(libc::ELOOP));
            }
            let target = fs::read_link(&place)?;
            if target.is_absolute() {
                walked = PathBuf::new();
            }
            let target = target.to_string_lossy().into_owned();
            for part in components(&target).collect::<Vec<_>>().into_iter().rev() {
                rest.push_front(part);
            }
        } else if rest.is_empty() {
            return if kind.is_file() { read_file(&place).map(Some) } else { Ok(None) };
        } else if kind.is_dir() {
            walked = candidate;
        } else {
            return Ok(None);
        }
    }
    Ok(None)
}

fn components(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned)
}

/// Where the topmost entry of this name lies. No part of `path` is a link: the caller has resolved
/// all but the last.
fn find(layers: &[PathBuf], path: &Path) -> io::Result<Option<(PathBuf, FileType)>> {
    for layer in layers {
        let mut cut_off = false;
        let mut place = layer.clone();
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(metadata) if is_whiteout(&metadata) => return Ok(None),
                Ok(metadata) if parts.peek().is_none() => return Ok(Some((place, metadata.file_type()))),
                Ok(metadata) if metadata.is_dir() => cut_off |= is_opaque(&place),
                // A file where lower layers have a directory hides the directory.
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        if cut_off {
            return Ok(None);
        }
    }
    Ok(None)
}

/// overlayfs: a character device 0:0.
fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

/// overlayfs: the attribute says `y`, in the namespace root or an ordinary user may set.
fn is_opaque(directory: &Path) -> bool {
    let mut value = [0_u8; 1];
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        rustix::fs::lgetxattr(directory, *name, &mut value[..])
            .is_ok_and(|length| length == 1 && value[0] == b'y')
    })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn layers() -> (tempfile::TempDir, Vec<PathBuf>) {
        let root = tempfile::tempdir().unwrap();
        let layers: Vec<PathBuf> = ["top", "base"].iter().map(|name| root.path().join(name)).collect();
        for layer in &layers {
            fs::create_dir_all(layer.join("etc")).unwrap();
        }
        (root, layers)
    }

    #[test]
    fn the_topmost_file_is_seen() {
        let (_root, layers) = layers();
        fs::write(layers[1].join("etc/passwd"), "base").unwrap();
        assert_eq!(read(&layers, "/etc/passwd").unwrap().unwrap(), b"base");
        fs::write(layers[0].join("etc/passwd"), "top").unwrap();
        assert_eq!(read(&layers, "/etc/passwd").unwrap().unwrap(), b"top");
        assert_eq!(read(&layers, "/etc/nothing").unwrap(), None);
    }

    #[test]
    fn a_link_out_of_the_image_stays_inside() {
        let (_root, layers) = layers();
        symlink("/etc/real", layers[0].join("etc/passwd")).unwrap();
        assert_eq!(read(&layers, "/etc/passwd").unwrap(), None);
        fs::write(layers[1].join("etc/real"), "inside").unwrap();
        assert_eq!(read(&layers, "/etc/passwd").unwrap().unwrap(), b"inside");
        symlink("../../../../etc/real", layers[0].join("etc/group")).unwrap();
        assert_eq!(read(&layers, "/etc/group").unwrap().unwrap(), b"inside");
    }

    #[test]
    fn links_in_a_circle_end() {
        let (_root, layers) = layers();
        symlink("passwd", layers[0].join("etc/passwd")).unwrap();
        assert_eq!(read(&layers, "/etc/passwd").unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }

    #[test]
    fn an_opaque_directory_cuts_off_what_is_below() {
        let (_root, layers) = layers();
        fs::write(layers[1].join("etc/passwd"), "base").unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::setxattr(layers[0].join("etc"), "user.overlay.opaque", b"y", flags).is_ok() {
            assert_eq!(read(&layers, "/etc/passwd").unwrap(), None);
        }
    }
}
