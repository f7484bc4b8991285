//! Manifests and lists of them: Docker's schema 2 and OCI's, which differ in media types only.

mod write;

pub use write::{layer_type, write};

use super::digest;
use super::platform::Platform;
use crate::error::{Classify, Kind};
use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};
use serde_json::Value;

/// Docker's manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's list of manifests.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// OCI's manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI's index of manifests.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Everything asked for, as an `Accept` header.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Followed by `json` or `prettyjws`.
const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+";
/// Docker's image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// OCI's image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Most bytes of a manifest: the distribution specification's advice to registries.
pub const MANIFEST_LIMIT: usize = 4 << 20;
/// Most bytes of an image configuration.
pub const CONFIG_LIMIT: usize = 8 << 20;

/// Why a document is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON, or JSON of another shape.
    #[error("malformed {document} of {of}: expected {expected}: {reason}")]
    Malformed {
        /// `manifest`, `manifest list`, `image configuration`.
        document: &'static str,
        /// The reference.
        of: String,
        /// What belongs there.
        expected: &'static str,
        /// The parser's word, with line and column.
        reason: String,
    },
    /// The format of 2014, which nobody should send any more.
    #[error(
        "{of} has a schema 1 manifest, which is no longer supported: push it again with a current docker"
    )]
    Schema1 {
        /// The reference.
        of: String,
    },
    /// Something else that lives in a registry.
    #[error("{of} is not a container image but an OCI artifact of type {artifact:?}")]
    Artifact {
        /// The reference.
        of: String,
        /// Its media type.
        artifact: String,
    },
    /// The list has nothing for this platform.
    #[error("no matching manifest for {0} in the manifest list entries")]
    NoMatch(String),
    /// One image, and not for the platform asked for.
    #[error(
        "image with reference {of} was found but its platform ({actual}) does not match the specified platform ({wanted})"
    )]
    OtherPlatform {
        /// The reference.
        of: String,
        /// The image's, as shown.
        actual: String,
        /// The one asked for, as shown.
        wanted: String,
    },
    /// Made for another operating system.
    #[error("image operating system {0:?} cannot be used on this platform")]
    OtherSystem(String),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::NoMatch(_) | Error::OtherPlatform { .. } => Kind::NotFound,
            Error::Malformed { .. }
            | Error::Schema1 { .. }
            | Error::Artifact { .. }
            | Error::OtherSystem(_) => Kind::Internal,
        }
    }
}

/// One file of an image, as its manifest promises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `sha256:<hex>` of the bytes as they travel.
    pub digest: String,
    /// Their number.
    pub size: u64,
    /// What they are.
    pub media_type: String,
}

impl Part {
    /// Whether it is not to be passed on by registries: it comes from where its maker says.
    pub fn is_foreign(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }
}

/// What an image is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its digest is the image's id.
    pub config: Part,
    /// Lowest first.
    pub layers: Vec<Part>,
}

/// One line of a manifest list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The manifest.
    pub manifest: Part,
    /// Whom it is for; `None` where the list does not say.
    pub platform: Option<Platform>,
}

/// What a registry may answer to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// One image per platform.
    List(Vec<Entry>),
}

impl Document {
    /// Reads a manifest or a list. What it is follows from the document's own `mediaType`, the
    /// registry's `Content-Type`, and its shape, in this order.
    ///
    /// # Errors
    /// When it is neither; `of` names it there.
    pub fn parse(bytes: &[u8], content_type: &str, of: &str) -> Result<Document, Error> {
        let json: Value = serde_json::from_slice(bytes)
            .map_err(|error| malformed("manifest", of, "a json object", &error))?;
        let own = json.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if json.get("schemaVersion").and_then(Value::as_u64) == Some(1)
            || media_type.starts_with(DOCKER_SCHEMA1)
        {
            return Err(Error::Schema1 { of: of.to_owned() });
        }
        let is_list = [own, media_type].iter().any(|name| [DOCKER_LIST, OCI_INDEX].contains(name))
            || (own.is_empty() && json.get("manifests").is_some());
        if is_list { read_list(bytes, of) } else { read_manifest(bytes, &json, of) }
    }
}

fn read_list(bytes: &[u8], of: &str) -> Result<Document, Error> {
    let expected = "a list of manifests with mediaType, digest, size and platform";
    let index: ImageIndex =
        serde_json::from_slice(bytes).map_err(|error| malformed("manifest list", of, expected, &error))?;
    let entries = index.manifests().iter().map(|entry| {
        let platform = entry.platform().as_ref().map(|platform| {
            let variant = platform.variant().as_deref().unwrap_or_default();
            Platform::new(&platform.os().to_string(), &platform.architecture().to_string(), variant)
        });
        Ok(Entry { manifest: part("manifest list", entry, of)?, platform })
    });
    Ok(Document::List(entries.collect::<Result<_, Error>>()?))
}

fn read_manifest(bytes: &[u8], json: &Value, of: &str) -> Result<Document, Error> {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let config_type = text("/config/mediaType").unwrap_or(OCI_CONFIG);
    if ![OCI_CONFIG, DOCKER_CONFIG].contains(&config_type) {
        let artifact = text("/artifactType").unwrap_or(config_type).to_owned();
        return Err(Error::Artifact { of: of.to_owned(), artifact });
    }
    let expected = "schemaVersion, config and layers, each with mediaType, digest and size";
    let manifest: ImageManifest =
        serde_json::from_slice(bytes).map_err(|error| malformed("manifest", of, expected, &error))?;
    let config = part("manifest", manifest.config(), of)?;
    let layers = manifest.layers().iter().map(|layer| part("manifest", layer, of));
    Ok(Document::Manifest(Manifest { config, layers: layers.collect::<Result<_, _>>()? }))
}

fn part(document: &'static str, descriptor: &Descriptor, of: &str) -> Result<Part, Error> {
    let digest = descriptor.digest().to_string();
    if !digest::is_valid(&digest) {
        return Err(Error::Malformed {
            document,
            of: of.to_owned(),
            expected: "sha256:<64 hex digits>",
            reason: format!("digest {digest:?}"),
        });
    }
    Ok(Part { digest, size: descriptor.size(), media_type: descriptor.media_type().to_string() })
}

/// Reads an image configuration and holds it against its manifest.
///
/// # Errors
/// When it is malformed, or promises another number of layers, or another operating system.
pub fn read_config(bytes: &[u8], layers: usize, of: &str) -> Result<ImageConfiguration, Error> {
    let document = "image configuration";
    let config: ImageConfiguration = serde_json::from_slice(bytes)
        .map_err(|error| malformed(document, of, "architecture, os, config and rootfs", &error))?;
    let wrong = |reason: String| Error::Malformed {
        document,
        of: of.to_owned(),
        expected: "one sha256 diff id for each layer of the manifest",
        reason,
    };
    let diff_ids = config.rootfs().diff_ids();
    if diff_ids.len() != layers {
        return Err(wrong(format!("{} diff ids for {layers} layers", diff_ids.len())));
    }
    if let Some(bad) = diff_ids.iter().find(|id| !digest::is_valid(id)) {
        return Err(wrong(format!("diff id {bad:?}")));
    }
    match config.os().to_string() {
        os if os == "linux" || os.is_empty() => Ok(config),
        os => Err(Error::OtherSystem(os)),
    }
}

/// The platform an image configuration names.
pub fn platform_of(config: &ImageConfiguration) -> Platform {
    let variant = config.variant().as_deref().unwrap_or_default();
    Platform::new(&config.os().to_string(), &config.architecture().to_string(), variant)
}

/// What a manifest says it is, else what its configuration says: OCI's manifests need not name
/// themselves.
pub fn media_type(bytes: &[u8]) -> String {
    let json: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (text("/mediaType"), text("/config/mediaType")) {
        (Some(own), _) => own.to_owned(),
        (None, Some(DOCKER_CONFIG)) => DOCKER_MANIFEST.to_owned(),
        (None, _) => OCI_MANIFEST.to_owned(),
    }
}

fn malformed(document: &'static str, of: &str, expected: &'static str, error: &serde_json::Error) -> Error {
    Error::Malformed { document, of: of.to_owned(), expected, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, content_type: &str) -> String {
        Document::parse(text.as_bytes(), content_type, "x:1").expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_image_is_refused_by_name() {
        assert!(error("{\"schemaVersion\":1}", "").contains("x:1 has a schema 1 manifest"));
        let chart =
            r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"}}"#;
        assert_eq!(
            error(chart, OCI_MANIFEST),
            "x:1 is not a container image but an OCI artifact of type \"application/vnd.cncf.helm.config.v1+json\""
        );
        let short = error("{\"schemaVersion\":2,", "");
        assert!(short.starts_with("malformed manifest of x:1: expected a json object"), "{short}");
        assert!(short.contains("line 1 column"), "{short}");
        let list = error("{\"schemaVersion\":2,\"manifests\":7}", "");
        assert!(list.starts_with("malformed manifest list of x:1: expected a list of manifests"), "{list}");
    }

    #[test]
    fn a_digest_that_is_no_hash_never_becomes_a_file_name() {
        let text = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",
            "digest":"sha512:../../x","size":1},"layers":[]}"#;
        let message = error(text, OCI_MANIFEST);
        assert!(message.contains("malformed manifest of x:1"), "{message}");
    }
}
