//! Request bodies read as Docker does, and answers that are streams.

use super::status::Refusal;
use crate::kernel::ByteStream;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
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

/// One JSON document after the other, each flushed as it comes.
pub fn documents<T: Serialize>(stream: impl Stream<Item = T> + Send + 'static) -> Response {
    let lines = stream.map(|document| {
        let mut line = serde_json::to_vec(&document).unwrap_or_default();
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A request's body as it comes.
pub fn bytes(body: Body) -> ByteStream {
    body.into_data_stream().map_err(std::io::Error::other).boxed()
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
