//! An in-process player of Docker Hub: a registry, its token service, and a CDN on another port
//! that refuses requests which carry credentials.

use super::image::{Document, TestImage};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What goes wrong, once, with the next request whose path contains the text.
#[derive(Clone)]
pub enum Trouble {
    /// An answer of its own.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The body breaks off after so many bytes.
    Cut(usize),
    /// The body stops moving after so many bytes, for good.
    Stall(usize),
    /// The body stops moving after so many bytes until it is told to go on.
    Pause(usize, Arc<Notify>),
    /// Other bytes of the same length.
    Corrupt,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    pub authorization: Option<String>,
    pub range: Option<String>,
    pub body: String,
}

/// How strict the registry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// No credentials, blobs from the registry itself.
    Open,
    /// Tokens, blobs from the CDN.
    Hub,
    /// Name and password `ann:secret`.
    Basic,
}

struct Content {
    manners: Manners,
    host: String,
    cdn: String,
    /// `repository:target` → document.
    documents: Mutex<BTreeMap<String, Document>>,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    troubles: Mutex<Vec<(String, Trouble)>>,
    seen: Mutex<Vec<Seen>>,
}

pub struct Player {
    content: Arc<Content>,
    servers: [JoinHandle<()>; 2],
}

impl Player {
    pub async fn start(manners: Manners) -> Player {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (registry, cdn) = (bind().await.expect("a port"), bind().await.expect("a port"));
        let address = |listener: &TcpListener| listener.local_addr().expect("bound").to_string();
        let content = Arc::new(Content {
            manners,
            host: address(&registry),
            cdn: address(&cdn),
            documents: Mutex::default(),
            blobs: Mutex::default(),
            troubles: Mutex::default(),
            seen: Mutex::default(),
        });
        let serve = |listener, router: Router| {
            tokio::spawn(async move {
                let _ = axum::serve(listener, router).await;
            })
        };
        let registry = serve(registry, Router::new().fallback(answer).with_state(content.clone()));
        let cdn = serve(cdn, Router::new().fallback(deliver).with_state(content.clone()));
        Player { content, servers: [registry, cdn] }
    }

    /// `host:port/repository:tag`.
    pub fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.content.host)
    }

    pub fn host(&self) -> &str {
        &self.content.host
    }

    /// Holds an image under a tag and its digest.
    pub fn put(&self, repository: &str, tag: &str, image: &TestImage) {
        self.content.blobs.lock().unwrap().extend(image.blobs.clone());
        self.put_document(repository, tag, &image.manifest);
    }

    pub fn put_document(&self, repository: &str, tag: &str, document: &Document) {
        let mut documents = self.content.documents.lock().unwrap();
        documents.insert(format!("{repository}:{}", document.digest()), document.clone());
        documents.insert(format!("{repository}:{tag}"), document.clone());
    }

    /// The next request whose path contains `path` goes wrong.
    pub fn trouble(&self, path: &str, trouble: Trouble) {
        self.content.troubles.lock().unwrap().push((path.to_owned(), trouble));
    }

    /// Requests whose path contains the text.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.content.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.path.contains(path)).cloned().collect()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

impl Content {
    async fn note(&self, request: Request) -> Seen {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a small body");
        let seen = Seen {
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            authorization: header(&parts.headers, "authorization"),
            range: header(&parts.headers, "range"),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.seen.lock().unwrap().push(seen.clone());
        seen
    }

    fn trouble(&self, path: &str) -> Option<Trouble> {
        let mut troubles = self.troubles.lock().unwrap();
        let place = troubles.iter().position(|(text, _)| path.contains(text.as_str()))?;
        Some(troubles.remove(place).1)
    }

    fn admits(&self, seen: &Seen) -> bool {
        match self.manners {
            Manners::Open => true,
            Manners::Hub => {
                seen.authorization.as_deref().is_some_and(|held| held.starts_with("Bearer token-for-"))
            }
            Manners::Basic => seen.authorization.as_deref() == Some("Basic YW5uOnNlY3JldA=="),
        }
    }

    fn challenge(&self) -> Response {
        let challenge = match self.manners {
            Manners::Basic => "Basic realm=\"test\"".to_owned(),
            _ => format!("Bearer realm=\"http://{}/token\",service=\"player.test\"", self.host),
        };
        refuse(401, "UNAUTHORIZED", "authentication required", &[("www-authenticate", challenge)])
    }

    /// A blob, or the part of it that is asked for.
    fn blob(&self, seen: &Seen, trouble: Option<Trouble>) -> Response {
        let digest = seen.path.split('?').next().unwrap().rsplit('/').next().unwrap();
        let Some(mut bytes) = self.blobs.lock().unwrap().get(digest).cloned() else {
            return refuse(404, "BLOB_UNKNOWN", "blob unknown to registry", &[]);
        };
        if let Some(Trouble::Corrupt) = trouble {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
        }
        let total = bytes.len();
        let from = seen
            .range
            .as_deref()
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from: usize = from.unwrap_or(0);
        let rest = bytes.split_off(from.min(total));
        let mut response = Response::builder().header("content-length", rest.len());
        if from > 0 {
            response =
                response.status(206).header("content-range", format!("bytes {from}-{}/{total}", total - 1));
        }
        response.body(body(rest, trouble)).expect("a response")
    }
}

fn body(bytes: Vec<u8>, trouble: Option<Trouble>) -> Body {
    let cut = |length: usize| Ok::<_, io::Error>(Bytes::copy_from_slice(&bytes[..length]));
    match trouble {
        // The server flushes what it has when the body has nothing more for the moment.
        Some(Trouble::Cut(length)) => {
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([cut(length)]).chain(broken))
        }
        Some(Trouble::Stall(length)) => {
            Body::from_stream(stream::iter([cut(length)]).chain(stream::pending()))
        }
        Some(Trouble::Pause(length, go)) => {
            let rest = cut(bytes.len()).map(|all| all.slice(length..));
            let later = stream::once(async move {
                go.notified().await;
                rest
            });
            Body::from_stream(stream::iter([cut(length)]).chain(later))
        }
        _ => Body::from(bytes),
    }
}

fn refuse(status: u16, code: &str, message: &str, headers: &[(&str, String)]) -> Response {
    let text = format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\",\"detail\":null}}]}}");
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(text)).expect("a response")
}

/// The registry and its token service.
async fn answer(State(content): State<Arc<Content>>, request: Request) -> Response {
    let seen = content.note(request).await;
    let trouble = content.trouble(&seen.path);
    if let Some(Trouble::Answer(status, headers, text)) = &trouble {
        let mut response = Response::builder().status(*status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        return response.body(Body::from(text.clone())).expect("a response");
    }
    if seen.path.starts_with("/token") {
        let scope =
            seen.path.split("scope=").nth(1).unwrap_or("refreshed").split('&').next().unwrap_or_default();
        return axum::Json(serde_json::json!({"token": format!("token-for-{scope}"), "expires_in": 300}))
            .into_response();
    }
    if !content.admits(&seen) {
        return content.challenge();
    }
    let Some(path) = seen.path.strip_prefix("/v2/").filter(|path| !path.is_empty()) else {
        return StatusCode::OK.into_response();
    };
    if let Some((repository, target)) = path.split_once("/manifests/") {
        return manifest(&content, repository, target);
    }
    if content.manners == Manners::Hub {
        let (_, digest) = path.split_once("/blobs/").expect("a blob");
        let location = format!("http://{}/data/{digest}?X-Signature=very-secret", content.cdn);
        return Response::builder()
            .status(307)
            .header("location", location)
            .body(Body::empty())
            .expect("a response");
    }
    content.blob(&seen, trouble)
}

fn manifest(content: &Content, repository: &str, target: &str) -> Response {
    let documents = content.documents.lock().unwrap();
    let Some(document) = documents.get(&format!("{repository}:{target}")) else {
        return refuse(404, "MANIFEST_UNKNOWN", "manifest unknown", &[]);
    };
    Response::builder()
        .header("content-type", &document.media_type)
        .header("docker-content-digest", document.digest())
        .header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", "97;w=21600")
        .body(Body::from(document.bytes.clone()))
        .expect("a response")
}

/// The CDN.
async fn deliver(State(content): State<Arc<Content>>, request: Request) -> Response {
    let seen = content.note(request).await;
    if seen.authorization.is_some() {
        return (StatusCode::BAD_REQUEST, "only one auth mechanism allowed").into_response();
    }
    let trouble = content.trouble(&seen.path);
    content.blob(&seen, trouble)
}
