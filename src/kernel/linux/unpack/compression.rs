//! Which way a layer is compressed: what its media type says, and what its first bytes are.

use super::error::UnpackError;
use std::fmt;
use std::io::{BufRead, Read};

/// The compressions of layers: OCI image specification, media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// A tar as it is.
    Plain,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Plain => "an uncompressed tar",
        })
    }
}

impl Compression {
    /// What a media type promises; `None` for one that is silent about it.
    fn promised(media_type: &str) -> Option<Compression> {
        let name = media_type.split(';').next().unwrap_or_default().trim();
        if name.ends_with("+gzip") || name.ends_with(".tar.gzip") {
            Some(Compression::Gzip)
        } else if name.ends_with("+zstd") || name.ends_with(".tar.zstd") {
            Some(Compression::Zstd)
        } else if name.ends_with(".tar") {
            Some(Compression::Plain)
        } else {
            None
        }
    }

    /// What the first bytes are.
    pub(super) fn found(magic: &[u8]) -> Compression {
        match magic {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            // A zstd frame, or one of its sixteen skippable frames.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::Plain,
        }
    }

    /// Both must agree: a mislabelled layer would have other digests elsewhere.
    pub(super) fn choose(media_type: &str, magic: &[u8]) -> Result<Compression, UnpackError> {
        let found = Compression::found(magic);
        match Compression::promised(media_type) {
            Some(promised) if promised != found => Err(UnpackError::Malformed(format!(
                "{media_type} promises {promised}, but the bytes begin as {found}"
            ))),
            _ => Ok(found),
        }
    }

    /// Inflates `input` to its end, all members and frames of it.
    pub(super) fn reader<'a, R: BufRead + 'a>(self, input: R) -> Result<Box<dyn Read + 'a>, UnpackError> {
        Ok(match self {
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
            Compression::Plain => Box::new(input),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_and_first_bytes_must_agree() {
        let gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        assert_eq!(Compression::choose(gzip, &[0x1f, 0x8b, 8, 0]).unwrap(), Compression::Gzip);
        let error = Compression::choose(gzip, &[0x28, 0xb5, 0x2f, 0xfd]).unwrap_err().to_string();
        assert!(error.contains("promises gzip") && error.contains("begin as zstd"), "{error}");
        assert_eq!(Compression::choose("x/unknown", b"etc/").unwrap(), Compression::Plain);
    }
}
