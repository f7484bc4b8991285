//! Docker Hub as its clients meet it, around a catalogue: the simulator's network.
//!
//! ```text
//!  registry ── 401, Bearer realm=token ─▶ client
//!  token    ── {"token": …} ────────────▶ client
//!  registry ── manifests; 307 to cdn ───▶ client     a repository it does not have: 401, for good
//!  cdn      ── blobs, without credentials ─▶ client
//! ```
//!
//! Token flow: distribution specification, "Token Authentication". The rate limit's headers are
//! those of <https://docs.docker.com/docker-hub/usage/pulls/>.

use super::catalog::Catalog;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An answer in plain parts: status, headers (names in lower case), body.
pub type Plain = (u16, Vec<(String, String)>, Bytes);

/// Pulls an address without an account has in six hours.
const LIMIT: u32 = 100;

/// What tokens of this model begin with.
const TOKEN: &str = "token-for-";

/// Where the three parts answer, without a slash at the end.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Scheme and host of the registry.
    pub registry: String,
    /// URL of the token service.
    pub token: String,
    /// Scheme and host blobs come from.
    pub cdn: String,
}

impl Default for Addresses {
    /// Docker Hub's own.
    fn default() -> Addresses {
        Addresses {
            registry: "https://registry-1.docker.io".to_owned(),
            token: "https://auth.docker.io/token".to_owned(),
            cdn: "https://production.cloudflare.docker.com".to_owned(),
        }
    }
}

/// A model of Docker Hub.
#[derive(Debug)]
pub struct DockerHub {
    catalog: Arc<Catalog>,
    addresses: Addresses,
    /// Manifests fetched so far: what the rate limit counts.
    pulls: AtomicU32,
}

impl DockerHub {
    /// A hub that holds the catalogue's images.
    pub fn new(catalog: Arc<Catalog>, addresses: Addresses) -> DockerHub {
        DockerHub { catalog, addresses, pulls: AtomicU32::new(0) }
    }

    /// The images it holds.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Answers a request for a whole URL; `None` when nothing of the hub is there.
    pub fn answer(&self, method: &str, url: &str, headers: &[(String, String)]) -> Option<Plain> {
        let mut answer = self.respond(method, url, headers)?;
        if header(&answer.1, "content-length").is_none() {
            answer.1.push(("content-length".into(), answer.2.len().to_string()));
        }
        Some(answer)
    }

    fn respond(&self, method: &str, url: &str, headers: &[(String, String)]) -> Option<Plain> {
        let Addresses { registry, token, cdn } = &self.addresses;
        if let Some(query) = url.strip_prefix(token.as_str()) {
            return Some(issue(query.trim_start_matches('?')));
        }
        if let Some(target) = url.strip_prefix(registry.as_str()).filter(|rest| rest.starts_with('/')) {
            return Some(self.registry(method, target, headers));
        }
        let target = url.strip_prefix(cdn.as_str()).filter(|rest| rest.starts_with('/'))?;
        Some(self.deliver(method, target, headers))
    }

    fn registry(&self, method: &str, target: &str, headers: &[(String, String)]) -> Plain {
        let path = target.split('?').next().unwrap_or_default();
        let repository = repository(path);
        let realm = format!("Bearer realm=\"{}\",service=\"registry.docker.io\"", self.addresses.token);
        let Some(authorization) = header(headers, "authorization") else {
            let scope = repository.map(|name| format!(",scope=\"repository:{name}:pull\""));
            return unauthorized(realm + &scope.unwrap_or_default());
        };
        let held = repository.is_none_or(|name| self.catalog.names().any(|held| held == name));
        if !authorization.starts_with(&format!("Bearer {TOKEN}")) || !held {
            // Nobody without an account learns whether a repository is private or not there.
            let scope = format!("repository:{}:pull", repository.unwrap_or_default());
            return unauthorized(format!("{realm},scope=\"{scope}\",error=\"insufficient_scope\""));
        }
        if let (Some(name), Some((_, digest))) = (repository, path.split_once("/blobs/")) {
            return self.redirect(name, digest);
        }
        let mut answer = ask(&self.catalog, method, target, headers);
        if path.contains("/manifests/") {
            let counted = u32::from(method == "GET");
            let used = self.pulls.fetch_add(counted, Ordering::Relaxed) + counted;
            let remaining = LIMIT.saturating_sub(used);
            answer.1.push(("ratelimit-limit".into(), format!("{LIMIT};w=21600")));
            answer.1.push(("ratelimit-remaining".into(), format!("{remaining};w=21600")));
        }
        answer
    }

    /// To the CDN; what stands for the signature says whose blob was asked for.
    fn redirect(&self, repository: &str, digest: &str) -> Plain {
        let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
        let place = format!("{algorithm}/{}/{hex}", hex.get(..2).unwrap_or_default());
        let signature = hex::encode(repository);
        let cdn = &self.addresses.cdn;
        let location =
            format!("{cdn}/registry-v2/docker/registry/v2/blobs/{place}/data?signature={signature}");
        (307, vec![("location".into(), location)], Bytes::new())
    }

    /// A blob, to whoever comes with a signature and nothing else.
    fn deliver(&self, method: &str, target: &str, headers: &[(String, String)]) -> Plain {
        if header(headers, "authorization").is_some() {
            return (400, Vec::new(), "only one auth mechanism allowed".into());
        }
        let (path, signature) = target.split_once("?signature=").unwrap_or((target, ""));
        let repository = hex::decode(signature).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts: Vec<&str> = path.rsplit('/').take(4).collect();
        let (Some(repository), ["data", hex, _, algorithm]) = (repository, &parts[..]) else {
            return (403, Vec::new(), Bytes::new());
        };
        let blob = format!("/v2/{repository}/blobs/{algorithm}:{hex}");
        ask(&self.catalog, method, &blob, headers)
    }
}

/// The repository of a registry's path, but for `/v2/` itself.
fn repository(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v2/")?;
    ["/manifests/", "/blobs/", "/tags/"].iter().find_map(|mark| Some(rest.split_once(mark)?.0))
}

/// A token for whatever was asked: what it is good for the registry decides.
fn issue(query: &str) -> Plain {
    let scope = query.split('&').find_map(|pair| pair.strip_prefix("scope=")).unwrap_or_default();
    let body = json!({ "token": format!("{TOKEN}{scope}"), "expires_in": 300 }).to_string();
    (200, vec![("content-type".into(), "application/json".into())], body.into())
}

fn unauthorized(challenge: String) -> Plain {
    let error = json!({ "code": "UNAUTHORIZED", "message": "authentication required", "detail": null });
    let headers = vec![
        ("content-type".into(), "application/json".into()),
        ("docker-distribution-api-version".into(), "registry/2.0".into()),
        ("www-authenticate".into(), challenge),
    ];
    (401, headers, json!({ "errors": [error] }).to_string().into())
}

fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.next().map(|(_, value)| value.as_str())
}

/// A method there is none of is refused by the catalogue like any other it does not serve.
fn verb(method: &str) -> Method {
    method.parse().unwrap_or(Method::OPTIONS)
}

/// Headers as the catalogue reads them; what cannot be a header is left out.
fn map(headers: &[(String, String)]) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
    };
    headers.iter().filter_map(pair).collect()
}

/// A catalogue's answer to a plain request, in plain parts.
pub fn ask(catalog: &Catalog, method: &str, target: &str, headers: &[(String, String)]) -> Plain {
    let answer = catalog.answer(&verb(method), target, &map(headers));
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    (answer.status.as_u16(), headers.collect(), answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(hub: &DockerHub, url: &str, token: Option<&str>) -> Plain {
        let headers = token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
        hub.answer("GET", url, &headers.into_iter().collect::<Vec<_>>()).expect("the hub is there")
    }

    #[test]
    fn a_pull_goes_by_token_and_redirect() {
        let hub = DockerHub::new(Arc::new(Catalog::simulated()), Addresses::default());
        let index = "https://registry-1.docker.io/v2/library/hello-world/manifests/latest";
        assert_eq!(get(&hub, index, None).0, 401);
        assert_eq!(get(&hub, index, Some("token-for-x")).0, 200);
        let image = hub.catalog().image("library/hello-world").unwrap().unwrap();
        let blob =
            format!("https://registry-1.docker.io/v2/library/hello-world/blobs/{}", image.layer.digest);
        let (status, headers, _) = get(&hub, &blob, Some("token-for-x"));
        let location = header(&headers, "location").expect("a redirect");
        assert_eq!((status, get(&hub, location, None).2), (307, image.layer.bytes.clone()));
        assert_eq!(get(&hub, location, Some("token-for-x")).0, 400, "the cdn wants no credentials");
    }

    #[test]
    fn a_repository_that_is_not_there_is_denied() {
        let hub = DockerHub::new(Arc::new(Catalog::simulated()), Addresses::default());
        let (status, headers, _) =
            get(&hub, "https://registry-1.docker.io/v2/library/nosuch/manifests/latest", Some("token-for-x"));
        assert_eq!(status, 401);
        assert!(header(&headers, "www-authenticate").unwrap().contains("insufficient_scope"));
        assert!(hub.answer("GET", "https://example.com/v2/", &[]).is_none());
    }
}
