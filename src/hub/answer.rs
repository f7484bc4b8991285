//! The pull half of the OCI distribution specification, as a function from request to answer.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md>, "Endpoints". There is
//! no socket here: the server and the simulator both call [`Catalog::answer`].

mod negotiate;
mod refusal;
mod route;

use std::sync::Arc;

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::catalog::{Catalog, TAG};
use super::image::{Blob, Image};
use negotiate::{Part, accepts, matches_etag, part};
use refusal::Refusal;
use route::Route;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers. `Content-Length` is the length a GET would have, also for HEAD.
    pub headers: HeaderMap,
    /// The body; empty for HEAD.
    pub body: Bytes,
}

/// The query of a list endpoint (spec, "Listing Tags").
#[derive(Debug, Deserialize)]
struct Page {
    /// At most so many names.
    n: Option<usize>,
    /// Only names after this one.
    last: Option<String>,
}

impl Catalog {
    /// Answers one registry request.
    ///
    /// `target` is the request's path and query, such as `/v2/library/alpine/tags/list?n=1`. The
    /// answer depends on nothing but the arguments and the catalogue. Making an image may block
    /// for up to a second, see [`Catalog::image`].
    pub fn answer(&self, method: &Method, target: &str, headers: &HeaderMap) -> Answer {
        let mut answer = match self.respond(method, target, headers) {
            Ok(answer) => answer,
            Err(refusal) => refusal.answer(),
        };
        answer.headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        if method == Method::HEAD {
            answer.body = Bytes::new();
        }
        answer
    }

    fn respond(&self, method: &Method, target: &str, headers: &HeaderMap) -> Result<Answer, Refusal> {
        if method != Method::GET && method != Method::HEAD {
            return Err(Refusal::Unsupported(method.clone()));
        }
        let uri: Uri = target.parse().map_err(|_| Refusal::NoSuchEndpoint)?;
        let route = Route::parse(uri.path())?;
        match route {
            Route::Base => Ok(Answer::json(&json!({}))),
            Route::Repositories => self.repositories(&uri),
            Route::Tags { name } => self.tags(name, &uri),
            Route::Manifest { name, reference } => manifest(&*self.find(name)?, name, reference, headers),
            Route::Blob { name, digest } => blob(&*self.find(name)?, name, digest, method, headers),
        }
    }

    fn find(&self, name: &str) -> Result<Arc<Image>, Refusal> {
        let image = self.image(name).map_err(Refusal::Unmade)?;
        image.ok_or_else(|| Refusal::NameUnknown(name.to_owned()))
    }

    /// Answered from the list of names alone: no image is made for it.
    fn tags(&self, name: &str, uri: &Uri) -> Result<Answer, Refusal> {
        if !self.names().any(|known| known == name) {
            return Err(Refusal::NameUnknown(name.to_owned()));
        }
        let (tags, link) = page(&[TAG], uri)?;
        Ok(Answer::json(&json!({ "name": name, "tags": tags })).with_link(link))
    }

    fn repositories(&self, uri: &Uri) -> Result<Answer, Refusal> {
        let (names, link) = page(&self.names().collect::<Vec<_>>(), uri)?;
        Ok(Answer::json(&json!({ "repositories": names })).with_link(link))
    }
}

/// The part of `names` (sorted) that a query asks for, and a link to what comes after it.
fn page<'a>(names: &[&'a str], uri: &Uri) -> Result<(Vec<&'a str>, Option<String>), Refusal> {
    let Query(Page { n, last }) = Query::try_from_uri(uri).map_err(|_| Refusal::PaginationNumberInvalid)?;
    let after = |name: &&&str| last.as_deref().is_none_or(|last| **name > last);
    let mut rest: Vec<&str> = names.iter().filter(after).copied().collect();
    let more = n.is_some_and(|n| n < rest.len());
    rest.truncate(n.unwrap_or(usize::MAX));
    let link = match (n, rest.last()) {
        // Names hold no character that a query would have to escape.
        (Some(n), Some(last)) if more => Some(format!("<{}?n={n}&last={last}>; rel=\"next\"", uri.path())),
        _ => None,
    };
    Ok((rest, link))
}

/// A tag means the index where the client accepts one, else the manifest of its only platform.
fn manifest(image: &Image, name: &str, reference: &str, headers: &HeaderMap) -> Result<Answer, Refusal> {
    let forms = [&image.index, &image.manifest];
    let named: Vec<&Blob> = if reference == TAG {
        forms.into()
    } else {
        forms.into_iter().filter(|form| form.digest.as_ref() == reference).collect()
    };
    let reference = format!("{name} {reference}");
    if named.is_empty() {
        return Err(Refusal::ManifestUnknown(reference));
    }
    let accepted = named.into_iter().find(|form| accepts(headers, form.media_type.as_ref()));
    accepted.map(|form| Answer::content(form, headers)).ok_or(Refusal::ManifestNotAccepted(reference))
}

fn blob(
    image: &Image,
    name: &str,
    digest: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Answer, Refusal> {
    let found = [&image.config, &image.layer].into_iter().find(|blob| blob.digest.as_ref() == digest);
    let blob = found.ok_or_else(|| Refusal::BlobUnknown(format!("{name} {digest}")))?;
    let answer = Answer::content(blob, headers).with_header(header::ACCEPT_RANGES, "bytes");
    // A range is defined for GET only (RFC 9110, 14.2).
    if method != Method::GET || answer.status != StatusCode::OK {
        return Ok(answer);
    }
    let length = blob.bytes.len();
    match part(headers, &etag(blob), length) {
        Part::Whole => Ok(answer),
        Part::Range(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            let mut answer = answer.with_body(blob.bytes.slice(range));
            answer.status = StatusCode::PARTIAL_CONTENT;
            Ok(answer.with_header(header::CONTENT_RANGE, &content_range))
        }
        Part::Unsatisfiable => {
            let content_range = format!("bytes */{length}");
            let mut answer = answer.with_body(Bytes::new());
            answer.status = StatusCode::RANGE_NOT_SATISFIABLE;
            Ok(answer.with_header(header::CONTENT_RANGE, &content_range))
        }
    }
}

fn etag(blob: &Blob) -> String {
    format!("\"{}\"", blob.digest)
}

impl Answer {
    fn json(value: &serde_json::Value) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() }
            .with_header(header::CONTENT_TYPE, "application/json")
            .with_body(value.to_string().into())
    }

    /// A blob or manifest, or 304 when the client has it already.
    fn content(blob: &Blob, request: &HeaderMap) -> Self {
        let etag = etag(blob);
        let answer = Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() }
            .with_header(CONTENT_DIGEST, blob.digest.as_ref())
            .with_header(header::ETAG, &etag);
        if matches_etag(request, &etag) {
            return Self { status: StatusCode::NOT_MODIFIED, ..answer };
        }
        answer.with_header(header::CONTENT_TYPE, blob.media_type.as_ref()).with_body(blob.bytes.clone())
    }

    fn with_body(mut self, body: Bytes) -> Self {
        self.headers.insert(header::CONTENT_LENGTH, body.len().into());
        self.body = body;
        self
    }

    /// Sets a header. A value that cannot be one (a line break in it) is left out.
    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    fn with_link(self, link: Option<String>) -> Self {
        match link {
            Some(link) => self.with_header(header::LINK, &link),
            None => self,
        }
    }
}
