//! Image names as Docker's client reads them, before any request: `alpine` is
//! `docker.io/library/alpine:latest`.

/// A name taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `docker.io`, `registry.example:5000`.
    domain: String,
    /// `library/alpine`.
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A name nobody can have meant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not a name at all.
    #[error("invalid reference format")]
    Format,
    /// Capital letters in the repository.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// 64 hex digits: an id, which no registry knows.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Id(String),
}

/// Where names without a domain belong.
const HUB: &str = "docker.io";

/// The namespace of Docker Hub's own images.
const OFFICIAL: &str = "library/";

impl Reference {
    /// Takes a name apart.
    ///
    /// # Errors
    /// Docker's words for a malformed name.
    pub fn parse(text: &str) -> Result<Reference, Error> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Id(text.to_owned()));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before a slash belongs to the domain's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let (domain, path) = match name.split_once('/') {
            Some((domain, path)) if is_domain(domain) => (domain, path.to_owned()),
            _ => (HUB, name.to_owned()),
        };
        let domain = if domain == "index.docker.io" { HUB } else { domain };
        let path = if domain == HUB && !path.contains('/') { format!("{OFFICIAL}{path}") } else { path };
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Error::Uppercase(path));
        }
        let sound = path.split('/').all(is_component)
            && tag.as_deref().is_none_or(is_tag)
            && digest.as_deref().is_none_or(is_digest);
        if !sound {
            return Err(Error::Format);
        }
        Ok(Reference { domain: domain.to_owned(), path, tag, digest })
    }

    /// The registry: `docker.io`, `registry.example:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// With domain, without tag and digest: what a pull asks for.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The digest or else the tag, `latest` when neither is given.
    pub fn version(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// As people write it, with its tag: `alpine:latest`.
    pub fn familiar(&self) -> String {
        let name = self.familiar_name();
        match (&self.tag, &self.digest) {
            (None, Some(digest)) => format!("{name}@{digest}"),
            (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
            (tag, None) => format!("{name}:{}", tag.as_deref().unwrap_or("latest")),
        }
    }

    /// As people write it, its digest left out: `alpine:3.20`, `alpine`.
    pub fn without_digest(&self) -> String {
        let name = self.familiar_name();
        match &self.tag {
            Some(tag) => format!("{name}:{tag}"),
            None => name,
        }
    }

    /// As people write it, without tag and digest: `alpine`.
    pub fn familiar_name(&self) -> String {
        let name = self.name();
        let name = name.strip_prefix("docker.io/").unwrap_or(&name);
        name.strip_prefix(OFFICIAL).unwrap_or(name).to_owned()
    }

    /// The tag, if one is given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one is given.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// In full: `docker.io/library/alpine:latest`.
    pub fn full(&self) -> String {
        match &self.digest {
            Some(digest) => format!("{}@{digest}", self.name()),
            None => format!("{}:{}", self.name(), self.version()),
        }
    }

    /// Whether the name says which version it means.
    pub fn is_bare(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }
}

fn is_domain(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost" || text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Lower-case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends =
        text.bytes().next().is_some_and(alphanumeric) && text.bytes().next_back().is_some_and(alphanumeric);
    let separators = text.split(|char: char| char.is_ascii_lowercase() || char.is_ascii_digit());
    ends && separators
        .into_iter()
        .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte))
            && hex.len() >= 32
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_belong_to_docker_hub() {
        let cases = [
            ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
            ("me/app", "docker.io/me/app:latest", "me/app:latest"),
            ("docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b:1"),
            ("ghcr.io/a__b/c--d.e", "ghcr.io/a__b/c--d.e:latest", "ghcr.io/a__b/c--d.e:latest"),
        ];
        for (text, full, familiar) in cases {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.full().as_str(), reference.familiar().as_str()), (full, familiar));
        }
    }

    #[test]
    fn malformed_names_fail_in_dockers_words() {
        let error = |text: &str| Reference::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("UPPER"),
            "invalid reference format: repository name (library/UPPER) must be lowercase"
        );
        for text in ["", "a:", "a//b", "-a", "a:b c", "a@sha256:1", "a___b", "a..b", "a:b/../c"] {
            assert_eq!(error(text), "invalid reference format", "{text:?}");
        }
    }
}
