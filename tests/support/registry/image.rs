//! Images made on the spot.

use flate2::Compression;
use flate2::write::GzEncoder;
use learn::image::digest;
use learn::image::manifest::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

/// How a layer travels.
#[derive(Clone, Copy, Debug)]
pub enum Packing {
    Plain,
    Gzip,
    /// Two gzip members one after the other, as parallel compressors write.
    GzipTwice,
    Zstd,
}

/// A layer: its tar, and the bytes that travel.
#[derive(Clone)]
pub struct Layer {
    pub diff_id: String,
    pub digest: String,
    pub bytes: Vec<u8>,
    packing: Packing,
}

impl Layer {
    /// A layer of files, `path` → content.
    pub fn new(files: &[(&str, &[u8])], packing: Packing) -> Layer {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_uid(u64::from(nix::unistd::geteuid().as_raw()));
            header.set_gid(u64::from(nix::unistd::getegid().as_raw()));
            archive.append_data(&mut header, path, *content).expect("tar into memory");
        }
        let tar = archive.into_inner().expect("tar into memory");
        let gzip = |part: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).expect("gzip into memory");
            encoder.finish().expect("gzip into memory")
        };
        let bytes = match packing {
            Packing::Plain => tar.clone(),
            Packing::Gzip => gzip(&tar),
            Packing::GzipTwice => [gzip(&tar[..700]), gzip(&tar[700..])].concat(),
            Packing::Zstd => zstd::encode_all(&tar[..], 1).expect("zstd into memory"),
        };
        Layer { diff_id: digest::of(&tar), digest: digest::of(&bytes), bytes, packing }
    }

    /// A layer of one file that does not compress, so that it travels in many pieces.
    pub fn noise(name: &str, size: usize) -> Layer {
        let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ size as u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(size)
        .collect();
        Layer::new(&[(name, &noise)], Packing::Gzip)
    }

    fn media_type(&self, docker: bool) -> &'static str {
        match (self.packing, docker) {
            (Packing::Plain, false) => "application/vnd.oci.image.layer.v1.tar",
            (Packing::Plain, true) => "application/vnd.docker.image.rootfs.diff.tar",
            (Packing::Gzip | Packing::GzipTwice, false) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Packing::Gzip | Packing::GzipTwice, true) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Packing::Zstd, _) => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// A document in a registry.
#[derive(Clone)]
pub struct Document {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Document {
    pub fn digest(&self) -> String {
        digest::of(&self.bytes)
    }
}

/// An image: blobs, and the manifest that names them.
#[derive(Clone)]
pub struct TestImage {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub manifest: Document,
    pub id: String,
    pub platform: String,
}

impl TestImage {
    /// An image of these layers for `platform`, in OCI's or Docker's formats.
    pub fn new(layers: &[Layer], platform: &str, docker: bool) -> TestImage {
        let parts: Vec<&str> = platform.split('/').collect();
        let mut config = json!({
            "architecture": parts[1], "os": parts[0], "created": "2024-01-02T03:04:05Z",
            "config": {"Cmd": ["/hello"], "Env": ["PATH=/bin"], "Volumes": null, "Labels": {"made": "here"}},
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| &layer.diff_id).collect::<Vec<_>>()},
            "history": [{"created": "2024-01-02T03:04:05Z", "created_by": "test"}]
        });
        if let Some(variant) = parts.get(2) {
            config["variant"] = json!(variant);
        }
        let config = serde_json::to_vec(&config).expect("json");
        let id = digest::of(&config);
        let config_type = match docker {
            true => "application/vnd.docker.container.image.v1+json",
            false => "application/vnd.oci.image.config.v1+json",
        };
        let media_type = if docker { DOCKER_MANIFEST } else { OCI_MANIFEST };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type,
            "config": {"mediaType": config_type, "digest": id, "size": config.len()},
            "layers": layers.iter().map(|layer| json!({
                "mediaType": layer.media_type(docker), "digest": layer.digest, "size": layer.bytes.len()
            })).collect::<Vec<_>>()
        });
        let mut blobs: BTreeMap<String, Vec<u8>> =
            layers.iter().map(|layer| (layer.digest.clone(), layer.bytes.clone())).collect();
        blobs.insert(id.clone(), config);
        TestImage { blobs, manifest: document(media_type, &manifest), id, platform: platform.to_owned() }
    }
}

/// A list of images, by platform.
pub fn list(images: &[&TestImage], docker: bool) -> Document {
    let media_type = if docker { DOCKER_LIST } else { OCI_INDEX };
    let entries: Vec<Value> = images
        .iter()
        .map(|image| {
            let parts: Vec<&str> = image.platform.split('/').collect();
            let mut platform = json!({"os": parts[0], "architecture": parts[1]});
            if let Some(variant) = parts.get(2) {
                platform["variant"] = json!(variant);
            }
            json!({
                "mediaType": image.manifest.media_type, "digest": image.manifest.digest(),
                "size": image.manifest.bytes.len(), "platform": platform
            })
        })
        .collect();
    document(media_type, &json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}))
}

fn document(media_type: &str, json: &Value) -> Document {
    Document { media_type: media_type.to_owned(), bytes: serde_json::to_vec_pretty(json).expect("json") }
}
