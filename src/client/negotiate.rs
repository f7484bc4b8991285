//! Which version of the Engine API is spoken, agreed as Docker's client agrees: the lower of
//! both sides' newest.

use super::Error;
use hyper::HeaderMap;
use std::fmt;
use std::str::FromStr;

/// A version of the Engine API, `1.41` to `1.47` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    major: u16,
    minor: u16,
}

impl ApiVersion {
    /// The oldest this client can speak.
    pub const OLDEST: ApiVersion = ApiVersion { major: 1, minor: 41 };
    /// The newest this client can speak.
    pub const NEWEST: ApiVersion = ApiVersion { major: 1, minor: 47 };
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<ApiVersion, Self::Err> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        Ok(ApiVersion { major: major.parse()?, minor: minor.parse()? })
    }
}

/// Reads the ping's `Api-Version` header. A daemon that names none is taken at the oldest.
pub(super) fn agree(headers: &HeaderMap) -> Result<ApiVersion, Error> {
    let named = headers.get("Api-Version").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let server = named.parse().unwrap_or(ApiVersion::OLDEST);
    if server < ApiVersion::OLDEST {
        return Err(Error::TooOld { server: named.to_owned(), oldest: ApiVersion::OLDEST });
    }
    Ok(server.min(ApiVersion::NEWEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn ping(version: &'static str) -> HeaderMap {
        HeaderMap::from_iter([("api-version".parse().unwrap(), HeaderValue::from_static(version))])
    }

    #[test]
    fn the_lower_of_both_newest_is_spoken() {
        for (server, agreed) in [("1.41", "1.41"), ("1.44", "1.44"), ("1.52", "1.47"), ("2.0", "1.47")] {
            assert_eq!(agree(&ping(server)).unwrap().to_string(), agreed, "server {server}");
        }
    }

    #[test]
    fn a_daemon_older_than_the_client_is_refused_with_both_versions() {
        let error = agree(&ping("1.40")).unwrap_err().to_string();
        assert_eq!(error, "the daemon speaks API 1.40, this client needs 1.41 or newer");
    }
}
