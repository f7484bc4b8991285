//! What holds for every request, whatever it asks: its method, the type of its body, and that
//! every refusal is JSON.

use super::router::not_found;
use super::status::Refusal;
use super::unsupported::fits;
use crate::wire::ErrorBody;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};

/// The requests whose body has to be JSON by name; `*` stands for one or more segments.
const JSON: [&str; 9] = [
    "/containers/create",
    "/containers/*/update",
    "/containers/*/exec",
    "/exec/*/start",
    "/networks/create",
    "/networks/*/connect",
    "/networks/*/disconnect",
    "/volumes/create",
    "/commit",
];

/// A plain-text refusal of the router's is no longer than this, in bytes.
const PLAIN: usize = 4096;

/// The answer to a request that needs no handler.
pub(super) fn answer_early(request: &Request<Body>) -> Option<Response> {
    let (method, path) = (request.method(), request.uri().path());
    if method == Method::OPTIONS {
        return Some(StatusCode::OK.into_response());
    }
    // The router would answer HEAD wherever there is a GET; Docker does at two places.
    if method == Method::HEAD && path != "/_ping" && !fits("/containers/*/archive", path) {
        return Some(not_found().into_response());
    }
    let is_json = method == Method::POST && JSON.iter().any(|pattern| fits(pattern, path));
    is_json.then(|| expect_json(request.headers()).err()).flatten().map(IntoResponse::into_response)
}

/// Refuses a body that is called something else, or nothing.
fn expect_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let has_body =
        headers.contains_key(TRANSFER_ENCODING) || text(CONTENT_LENGTH).is_some_and(|length| length != "0");
    let given = text(CONTENT_TYPE).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => Ok(()),
        "" if given.is_empty() && !has_body => Ok(()),
        "" => Err(Refusal::invalid(format!("malformed Content-Type header ({given}): mime: no media type"))),
        _ => Err(Refusal::invalid(format!(
            "unsupported Content-Type header ({given}): must be 'application/json'"
        ))),
    }
}

/// Turns what the router itself refuses, in plain text, into Docker's JSON.
pub(super) async fn in_json(response: Response) -> Response {
    let status = response.status();
    let is_plain =
        response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    if !is_plain || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let message = if status == StatusCode::PAYLOAD_TOO_LARGE {
        "http: request body too large".to_owned()
    } else {
        let bytes = to_bytes(response.into_body(), PLAIN).await.unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    (status, Json(ErrorBody { message, hint: None })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, path: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer_early(&request.body(Body::empty()).unwrap()).map(|response| response.status().as_u16())
    }

    #[test]
    fn a_body_has_to_be_called_json() {
        let create = |headers: &[(&str, &str)]| answer("POST", "/containers/create", headers);
        assert_eq!(
            create(&[("content-type", "application/json; charset=utf-8"), ("content-length", "2")]),
            None
        );
        assert_eq!(create(&[]), None, "there is no body");
        assert_eq!(create(&[("content-length", "2")]), Some(400));
        assert_eq!(create(&[("content-type", "text/plain"), ("content-length", "2")]), Some(400));
        assert_eq!(create(&[("transfer-encoding", "chunked")]), Some(400));
        assert_eq!(answer("POST", "/images/load", &[("content-type", "application/x-tar")]), None);
    }

    #[test]
    fn head_is_answered_where_docker_does() {
        assert_eq!(answer("HEAD", "/_ping", &[]), None);
        assert_eq!(answer("HEAD", "/containers/x/archive", &[]), None);
        assert_eq!(answer("HEAD", "/version", &[]), Some(404));
        assert_eq!(answer("OPTIONS", "/version", &[]), Some(200));
    }
}
