//! Image names as Docker reads and prints them.
//!
//! The grammar is the distribution project's (`reference/regexp.go`): `[domain/]path[:tag][@digest]`.
//! It is read by hand: the regular expression of `oci_spec` unfolds to megabytes of automaton, and
//! every `learn` command reads a name. The value is `oci_spec`'s.

use super::digest;
use crate::error::{Classify, Hint, Kind};
use oci_spec::distribution::Reference as Parts;
use std::fmt;
use std::str::FromStr;

/// The domain of names without one.
pub const HUB: &str = "docker.io";

/// Why a name is none, in Docker's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Capital letters in the path.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// Anything else against the grammar.
    #[error("invalid reference format")]
    Format,
    /// More than 255 characters.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
    /// Would be mistaken for an image id.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// A hash that does not fit its algorithm.
    #[error("invalid checksum digest length")]
    DigestLength,
    /// Not SHA-256: the store checks no other.
    #[error("unsupported digest algorithm")]
    DigestAlgorithm,
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn hint(&self) -> Option<Hint> {
        Some(Hint::CheckImageName)
    }
}

/// A normalised name: it always has a registry, and a tag or a digest (or both).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(Parts);

impl Reference {
    /// Host and port of the registry: `docker.io`, `127.0.0.1:5000`.
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// Path within the registry: `library/alpine`.
    pub fn repository(&self) -> &str {
        self.0.repository()
    }

    /// The tag; `latest` when the name had neither tag nor digest.
    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// What a registry is asked for: the digest if there is one, else the tag.
    pub fn target(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or("latest")
    }

    /// Registry and repository: `docker.io/library/alpine`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry(), self.repository())
    }

    /// Docker's short form of [`name`](Self::name): `alpine`, `user/tool`, `host:5000/tool`.
    pub fn familiar_name(&self) -> String {
        match (self.registry(), self.repository()) {
            (HUB, path) => match path.strip_prefix("library/") {
                Some(official) if !official.contains('/') => official.to_owned(),
                _ => path.to_owned(),
            },
            (registry, path) => format!("{registry}/{path}"),
        }
    }

    /// Docker's short form with tag and digest: `alpine:latest`.
    pub fn familiar(&self) -> String {
        let mut text = self.familiar_name();
        if let Some(tag) = self.tag() {
            text.push_str(&format!(":{tag}"));
        }
        if let Some(digest) = self.digest() {
            text.push_str(&format!("@{digest}"));
        }
        text
    }

    /// The same repository by digest only.
    pub fn at(&self, digest: &str) -> Reference {
        Reference(self.0.clone_with_digest(digest.to_owned()))
    }

    /// Whether Docker Hub is meant.
    pub fn is_hub(&self) -> bool {
        self.registry() == HUB
    }
}

/// The canonical form: `docker.io/library/alpine:latest`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Reference, Error> {
        if digest::is_hash(text) {
            return Err(Error::Identifier(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let path = remainder.split([':', '@']).next().unwrap_or_default();
        if path.chars().any(char::is_uppercase) {
            return Err(Error::Uppercase(path.to_owned()));
        }
        let (rest, digest) = match remainder.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (remainder.as_str(), None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if !is_domain(&domain) || !path.split('/').all(is_component) || !tag.is_none_or(is_tag) {
            return Err(Error::Format);
        }
        digest.map_or(Ok(()), check_digest)?;
        if domain.len() + 1 + path.len() > 255 {
            return Err(Error::TooLong);
        }
        let (path, own) = (path.to_owned(), str::to_owned);
        Ok(Reference(match (tag, digest) {
            (Some(tag), Some(digest)) => Parts::with_tag_and_digest(domain, path, own(tag), own(digest)),
            (None, Some(digest)) => Parts::with_digest(domain, path, own(digest)),
            (tag, None) => Parts::with_tag(domain, path, own(tag.unwrap_or("latest"))),
        }))
    }
}

/// The first component is a domain when it looks like a host; else the name is Docker Hub's, and
/// one without an owner is in `library`.
fn split_domain(text: &str) -> (String, String) {
    let is_host = |first: &str| {
        first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase)
    };
    let (domain, remainder) = match text.split_once('/') {
        Some(("index.docker.io", remainder)) => (HUB, remainder),
        Some((first, remainder)) if is_host(first) => (first, remainder),
        _ => (HUB, text),
    };
    if domain == HUB && !remainder.contains('/') {
        return (HUB.into(), format!("library/{remainder}"));
    }
    (domain.into(), remainder.into())
}

fn is_domain(domain: &str) -> bool {
    let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        alphanumeric(bytes.first().copied())
            && alphanumeric(bytes.last().copied())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !domain.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let is_ip6 = |inside: &str| inside.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    let good_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => is_ip6(inside),
        None => host.split('.').all(is_label),
    };
    good_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Runs of `[a-z0-9]`, parted by one of `.`, `_`, `__` or any number of `-`.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|byte| is_word(*byte)) || !bytes.last().is_some_and(|byte| is_word(*byte)) {
        return false;
    }
    component
        .split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn check_digest(text: &str) -> Result<(), Error> {
    let (algorithm, hex) = text.split_once(':').ok_or(Error::Format)?;
    if hex.len() < 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Format);
    }
    match algorithm {
        "sha256" if hex.len() != 64 => Err(Error::DigestLength),
        "sha256" if digest::is_hash(hex) => Ok(()),
        "sha256" => Err(Error::Format),
        _ => Err(Error::DigestAlgorithm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> (String, String) {
        let reference: Reference = text.parse().expect(text);
        (reference.to_string(), reference.familiar())
    }

    #[test]
    fn names_are_normalised_and_printed_as_docker_does() {
        let hash = "a".repeat(64);
        let digested = format!("alpine@sha256:{hash}");
        for (given, canonical, familiar) in [
            ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("docker.io/library/alpine:3", "docker.io/library/alpine:3", "alpine:3"),
            ("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("user/tool", "docker.io/user/tool:latest", "user/tool:latest"),
            ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
            ("127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t"),
            ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
            ("a--b/c__d.e", "docker.io/a--b/c__d.e:latest", "a--b/c__d.e:latest"),
            (digested.as_str(), &format!("docker.io/library/{digested}"), &digested),
        ] {
            assert_eq!(both(given), (canonical.to_owned(), familiar.to_owned()), "{given}");
        }
    }

    #[test]
    fn bad_names_are_refused_in_dockers_words() {
        let hash = "a".repeat(64);
        for (given, text) in [
            ("UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"),
            ("", "invalid reference format"),
            ("a b", "invalid reference format"),
            ("alpine:", "invalid reference format"),
            ("alpine:a:b", "invalid reference format"),
            ("-alpine", "invalid reference format"),
            ("a///b", "invalid reference format"),
            ("a...b", "invalid reference format"),
            ("alpine@sha256:abc", "invalid reference format"),
            ("alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "invalid checksum digest length"),
            (&format!("alpine@md5x:{hash}"), "unsupported digest algorithm"),
            (
                hash.as_str(),
                &format!("invalid repository name ({hash}), cannot specify 64-byte hexadecimal strings"),
            ),
        ] {
            let error = given.parse::<Reference>().expect_err(given);
            assert_eq!(error.to_string(), text, "{given}");
        }
    }
}
