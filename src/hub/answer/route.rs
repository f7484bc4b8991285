//! The endpoints of the pull half, parsed from a path.

use super::Refusal;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/v2/`: is this a registry?
    Base,
    /// `/v2/_catalog`
    Repositories,
    /// `/v2/<name>/tags/list`
    Tags { name: &'a str },
    /// `/v2/<name>/manifests/<tag or digest>`
    Manifest { name: &'a str, reference: &'a str },
    /// `/v2/<name>/blobs/<digest>`
    Blob { name: &'a str, digest: &'a str },
}

impl<'a> Route<'a> {
    /// A name may contain slashes, so a path is read from its end.
    pub(super) fn parse(path: &'a str) -> Result<Self, Refusal> {
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return Ok(Self::Base),
            Some("/_catalog") => return Ok(Self::Repositories),
            Some(rest) => rest.strip_prefix('/').ok_or(Refusal::NoSuchEndpoint)?,
            None => return Err(Refusal::NoSuchEndpoint),
        };
        let mut parts = rest.rsplitn(3, '/');
        let (last, kind, name) = (parts.next(), parts.next(), parts.next());
        let (Some(last), Some(kind), Some(name)) = (last, kind, name) else {
            return Err(Refusal::NoSuchEndpoint);
        };
        let route = match (kind, last) {
            ("tags", "list") => Self::Tags { name },
            ("manifests", reference) => Self::Manifest { name, reference },
            ("blobs", digest) => Self::Blob { name, digest },
            _ => return Err(Refusal::NoSuchEndpoint),
        };
        if !is_name(name) {
            return Err(Refusal::NameInvalid(name.to_owned()));
        }
        let digest = match route {
            Self::Blob { digest, .. } => Some(digest),
            // A tag has no colon.
            Self::Manifest { reference, .. } if reference.contains(':') => Some(reference),
            _ => None,
        };
        match digest {
            Some(digest) if !is_sha256(digest) => Err(Refusal::DigestInvalid(digest.to_owned())),
            _ => Ok(route),
        }
    }
}

/// Lower-case words, joined by `.`, `_`, `__` or dashes, in one or more path components (spec,
/// "Pulling manifests").
fn is_name(name: &str) -> bool {
    let separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    name.split('/').all(|component| {
        let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = component.as_bytes();
        bytes.first().is_some_and(word)
            && bytes.last().is_some_and(word)
            && component
                .split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
                .all(separator)
    })
}

fn is_sha256(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_specification() {
        for name in ["a", "a/b/c", "a.b", "a_b", "a__b", "a---b", "library/hello-world", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "a//b", "/a", "a/", "-a", "a-", "a..b", "a___b", "a._b", "a b", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_may_look_like_an_endpoint() {
        let route = Route::parse("/v2/manifests/tags/blobs/manifests/latest").ok();
        assert_eq!(route, Some(Route::Manifest { name: "manifests/tags/blobs", reference: "latest" }));
    }
}
