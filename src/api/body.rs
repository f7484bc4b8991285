//! Request bodies read as Docker does, and answers that are streams.

use super::status::Refusal;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream::{Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// Reads a JSON body, whatever its `Content-Type`.
///
/// # Errors
/// A body that is none, with line and column.
pub fn json<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::invalid("invalid JSON: got EOF while reading request body"));
    }
    serde_json::from_slice(bytes).map_err(|error| Refusal::invalid(format!("invalid JSON: {error}")))
}

/// Documents written at once at most.
const AT_ONCE: usize = 256;

/// One JSON document after the other, each flushed as it comes; those that are there together go
/// together.
pub fn documents<T: Serialize + Send + 'static>(stream: impl Stream<Item = T> + Send + 'static) -> Response {
    let lines = stream.ready_chunks(AT_ONCE).map(|documents| {
        let mut lines = Vec::new();
        for document in documents {
            // The wire's shapes are all JSON can say.
            let _ = serde_json::to_writer(&mut lines, &document);
            lines.push(b'\n');
        }
        Ok::<_, Infallible>(Bytes::from(lines))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
