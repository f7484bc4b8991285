//! Manifests of this engine's own: of images that no registry gave one to.

use super::{DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST, Part};
use serde_json::{Value, json};

/// Docker's media type of a layer that is compressed like this; Docker's format knows no zstd.
const DOCKER_LAYERS: [(&[u8], &str); 1] =
    [(&[0x1f, 0x8b], "application/vnd.docker.image.rootfs.diff.tar.gzip")];
const DOCKER_PLAIN: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// A zstd frame: RFC 8878, "Zstandard Frames".
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const OCI_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// The media type of a layer that begins with these bytes.
pub fn layer_type(magic: &[u8]) -> &'static str {
    if magic.starts_with(&ZSTD) {
        return OCI_ZSTD;
    }
    let known = DOCKER_LAYERS.iter().find(|(head, _)| magic.starts_with(head));
    known.map_or(DOCKER_PLAIN, |(_, name)| name)
}

/// Writes a manifest: Docker's schema 2, or OCI's where a layer needs it. Equal parts give equal
/// bytes.
pub fn write(config: &Part, layers: &[Part]) -> Vec<u8> {
    let oci = layers.iter().any(|layer| layer.media_type.contains(".oci."));
    let part = |part: &Part, media_type: &str| json!({ "mediaType": media_type, "size": part.size, "digest": part.digest });
    let layer = |one: &Part| match oci {
        true => part(one, &as_oci(&one.media_type)),
        false => part(one, &one.media_type),
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": if oci { OCI_MANIFEST } else { DOCKER_MANIFEST },
        "config": part(config, if oci { OCI_CONFIG } else { DOCKER_CONFIG }),
        "layers": layers.iter().map(layer).collect::<Vec<Value>>(),
    });
    serde_json::to_vec(&manifest).unwrap_or_default()
}

/// OCI's name for the same bytes.
fn as_oci(media_type: &str) -> String {
    match media_type {
        DOCKER_PLAIN => "application/vnd.oci.image.layer.v1.tar".into(),
        name if name.starts_with("application/vnd.docker.") => {
            "application/vnd.oci.image.layer.v1.tar+gzip".into()
        }
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    fn layer(media_type: &str) -> Part {
        Part { digest: format!("sha256:{}", "a".repeat(64)), size: 7, media_type: media_type.into() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for magic in [&[0x1f, 0x8b, 8, 0][..], b"etc/", &ZSTD] {
            let bytes = write(&layer(DOCKER_CONFIG), &[layer(layer_type(magic)), layer(DOCKER_PLAIN)]);
            let Ok(Document::Manifest(read)) = Document::parse(&bytes, "", "x:1") else {
                panic!("{magic:?}")
            };
            assert_eq!(read.layers.len(), 2);
            let all_one =
                read.layers.iter().map(|layer| layer.media_type.contains(".oci.")).collect::<Vec<_>>();
            assert_eq!(all_one[0], all_one[1], "one format throughout");
        }
    }
}
