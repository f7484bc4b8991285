//! Docker's requests that `learn` does not serve yet: refused by name, with 501.

use super::router::not_found;
use super::status::Refusal;
use crate::error::{Hint, Kind};
use axum::http::{Method, Uri};

/// Method and path of each; `*` stands for one or more segments.
const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/auth"),
    ("GET", "/system/df"),
    ("POST", "/build"),
    ("POST", "/build/prune"),
    ("POST", "/session"),
    ("POST", "/grpc"),
    ("GET", "/images/search"),
    ("GET", "/images/get"),
    ("GET", "/images/*/history"),
    ("GET", "/images/*/get"),
    ("POST", "/images/load"),
    ("POST", "/images/prune"),
    ("POST", "/images/*/push"),
    ("POST", "/images/*/tag"),
    ("GET", "/distribution/*/json"),
    ("GET", "/containers/*/attach/ws"),
    ("GET", "/volumes"),
    ("POST", "/volumes/create"),
    ("POST", "/volumes/prune"),
    ("POST", "/swarm/init"),
    ("POST", "/swarm/join"),
    ("POST", "/plugins/pull"),
    ("POST", "/plugins/create"),
    ("GET", "/plugins/privileges"),
];

/// 501 for a request of Docker's; the words `docker inspect` looks for where it asks every kind of
/// object for a name; else Docker's 404.
pub(super) async fn answer(method: Method, uri: Uri) -> Refusal {
    refuse(method.as_str(), uri.path())
}

pub(super) fn refuse(method: &str, path: &str) -> Refusal {
    let is_asked = |(known, pattern): &&(&str, &str)| *known == method && fits(pattern, path);
    if ENDPOINTS.iter().any(|endpoint| is_asked(&endpoint)) {
        let message = format!("{method} {path} is not supported by learn yet");
        return Refusal { kind: Kind::Unsupported, message, hint: Some(Hint::SeeHelp) };
    }
    let missing = |message: String| Refusal { kind: Kind::NotFound, message, hint: None };
    let name = |folder: &str| path.strip_prefix(folder).filter(|name| !name.is_empty());
    if let Some(name) = name("/volumes/") {
        return missing(format!("get {name}: no such volume"));
    }
    not_found()
}

/// Whether a path has a pattern's shape.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => {
            let middle = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(|middle| !middle.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_to_come_is_refused_by_name() {
        let refusal = refuse("GET", "/containers/abc/attach/ws");
        assert_eq!(refusal.message, "GET /containers/abc/attach/ws is not supported by learn yet");
        assert_eq!(refusal.kind, Kind::Unsupported);
        assert_eq!(refuse("POST", "/images/a/b/c/tag").kind, Kind::Unsupported);
    }

    #[test]
    fn what_docker_does_not_have_is_not_found() {
        assert_eq!(refuse("GET", "/nonsense").message, "page not found");
        assert_eq!(refuse("GET", "/containers//stats").message, "page not found");
    }

    #[test]
    fn an_unnamed_inspect_learns_that_there_is_no_such_volume() {
        assert_eq!(refuse("GET", "/volumes/x").message, "get x: no such volume");
    }
}
