//! The `/v1.47` before a path, and which of them are spoken.

use super::status::Refusal;
use crate::engine::info::{API_VERSION, MIN_API_VERSION};

/// Major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(pub u32, pub u32);

impl ApiVersion {
    /// The newest, which a request without a prefix means.
    pub fn newest() -> ApiVersion {
        parse(API_VERSION).unwrap_or(ApiVersion(1, 47))
    }
}

/// Splits `/v1.43/info` into its version and `/info`. A path without a prefix means the newest.
///
/// # Errors
/// A version outside what is spoken, in Docker's words.
pub fn split(path: &str) -> Result<(ApiVersion, &str), Refusal> {
    let Some((text, rest)) = prefix(path) else { return Ok((ApiVersion::newest(), path)) };
    let Some(version) = parse(text) else { return Ok((ApiVersion::newest(), path)) };
    if version > ApiVersion::newest() {
        return Err(Refusal::invalid(format!(
            "client version {text} is too new. Maximum supported API version is {API_VERSION}"
        )));
    }
    if parse(MIN_API_VERSION).is_some_and(|oldest| version < oldest) {
        return Err(Refusal::invalid(format!(
            "client version {text} is too old. Minimum supported API version is {MIN_API_VERSION}, please upgrade \
             your client to a newer version"
        )));
    }
    Ok((version, rest))
}

fn prefix(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    Some((&rest[..end], &rest[end..]))
}

fn parse(text: &str) -> Option<ApiVersion> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some(ApiVersion(major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_taken_off() {
        assert_eq!(split("/v1.43/containers/json").unwrap(), (ApiVersion(1, 43), "/containers/json"));
        assert_eq!(split("/info").unwrap(), (ApiVersion(1, 47), "/info"));
        assert_eq!(split("/version").unwrap().1, "/version");
    }

    #[test]
    fn versions_out_of_range_are_refused_with_dockers_words() {
        let old = split("/v1.40/info").unwrap_err().message;
        assert_eq!(
            old,
            "client version 1.40 is too old. Minimum supported API version is 1.41, please upgrade your client to \
             a newer version"
        );
        let new = split("/v1.99/info").unwrap_err().message;
        assert_eq!(new, "client version 1.99 is too new. Maximum supported API version is 1.47");
    }
}
