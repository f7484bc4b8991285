//! One HTTP/1.1 connection over a unix socket, kept alive between requests as Docker's client
//! keeps it, and a fresh one whenever it is busy.

use super::{Error, stream::JsonLines};
use crate::wire::session::TRACE_HEADER;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, UPGRADE, USER_AGENT};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::net::UnixStream;

/// Where connections come from.
pub type Connector = Arc<dyn Fn() -> BoxFuture<'static, Result<UnixStream, Error>> + Send + Sync>;

/// The largest answer read as one document. Lists and inspections are far below it.
const BODY_LIMIT: usize = 64 << 20;

/// Dials a socket that must be there.
pub fn from_path(path: PathBuf) -> Connector {
    Arc::new(move || {
        let path = path.clone();
        Box::pin(
            async move { UnixStream::connect(&path).await.map_err(|source| Error::connect(&path, source)) },
        )
    })
}

/// A request's body: bytes, or a stream of them.
pub(super) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

fn whole(bytes: Bytes) -> RequestBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// A request about to be sent.
pub(super) struct Request {
    method: Method,
    /// Path and query; the version prefix is put before it by the client.
    pub path: String,
    headers: HeaderMap,
    body: RequestBody,
    /// The trace session the request writes into.
    pub session: Option<HeaderValue>,
}

impl Request {
    pub fn new(method: Method, path: String) -> Request {
        Request { method, path, headers: HeaderMap::new(), body: whole(Bytes::new()), session: None }
    }

    pub fn json(mut self, body: &impl Serialize) -> Result<Request, Error> {
        self.body = whole(serde_json::to_vec(body).map_err(Error::Encode)?.into());
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// A body that is sent as it comes.
    pub fn stream(mut self, bytes: BoxStream<'static, io::Result<Bytes>>) -> Request {
        self.body = StreamBody::new(bytes.map(|stretch| stretch.map(Frame::data))).boxed_unsync();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Request {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Asks for the connection itself: everything after the answer is a raw stream.
    pub fn upgrade(mut self) -> Request {
        self.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        self.headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
        self
    }

    fn build(self) -> Result<hyper::Request<RequestBody>, hyper::http::Error> {
        let mut request = hyper::Request::builder().method(self.method).uri(self.path).body(self.body)?;
        *request.headers_mut() = self.headers;
        let headers = request.headers_mut();
        // Go's client sends the socket's host name likewise; HTTP/1.1 wants some host.
        headers.insert(HOST, HeaderValue::from_static("api.moby.localhost"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("learn/", env!("CARGO_PKG_VERSION"), " (linux)")),
        );
        if let Some(session) = self.session {
            headers.insert(TRACE_HEADER, session);
        }
        Ok(request)
    }
}

pub(super) type Sender = SendRequest<RequestBody>;

/// The idle connection, shared with the answers that will give it back.
type Idle = Arc<Mutex<Option<Sender>>>;

/// The connections of one client: at most one is kept while idle.
pub(super) struct Connections {
    connector: Connector,
    idle: Idle,
}

impl Connections {
    pub fn new(connector: Connector) -> Connections {
        Connections { connector, idle: Idle::default() }
    }

    /// Sends a request over the idle connection, or over a new one.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let asked = format!("{} {}", request.method, request.path);
        let lost = |source| Error::Lost { asked: asked.clone(), source };
        let request = request.build().map_err(Error::Request)?;
        let kept = self.idle.lock().unwrap_or_else(|poison| poison.into_inner()).take();
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.dial().await?,
        };
        // The daemon may have closed an idle connection; a request once sent is never repeated.
        if sender.ready().await.is_err() {
            sender = self.dial().await?;
        }
        let head = sender.send_request(request).await.map_err(lost)?;
        Ok(Response { head, asked, sender, idle: self.idle.clone() })
    }

    async fn dial(&self) -> Result<Sender, Error> {
        let stream = (self.connector)().await?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|source| Error::Lost { asked: "connect".to_owned(), source })?;
        // Ends when the sender is dropped; its errors reach the request that is under way.
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }
}

/// An answer whose body is still to be read.
pub(super) struct Response {
    head: hyper::Response<Incoming>,
    asked: String,
    sender: Sender,
    idle: Idle,
}

impl Response {
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Reads the body to its end and keeps the connection for the next request.
    async fn bytes(self) -> Result<(String, Bytes), Error> {
        let Response { head, asked, sender, idle } = self;
        let body = http_body_util::Limited::new(head.into_body(), BODY_LIMIT)
            .collect()
            .await
            .map_err(|source| Error::Body { asked: asked.clone(), reason: source.to_string() })?
            .to_bytes();
        *idle.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(sender);
        Ok((asked, body))
    }

    /// Reads and drops the body.
    pub async fn finish(self) -> Result<(), Error> {
        self.bytes().await.map(drop)
    }

    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (asked, body) = self.bytes().await?;
        serde_json::from_slice(&body).map_err(|source| Error::Malformed { asked, source })
    }

    /// The error an unsuccessful answer stands for.
    pub async fn into_error(self) -> Error {
        let status = self.status();
        match self.bytes().await {
            Ok((_, body)) => Error::from_body(status, &body),
            Err(error) => error,
        }
    }

    /// The body as JSON documents, one after another as they come.
    pub fn lines<T>(self) -> JsonLines<T> {
        JsonLines::new(self.asked, self.head.into_body(), self.sender)
    }

    /// The body as raw pieces.
    pub fn into_raw(self) -> (Incoming, Sender) {
        (self.head.into_body(), self.sender)
    }

    /// The connection itself, after a 101.
    pub fn into_head(self) -> (hyper::Response<Incoming>, String) {
        (self.head, self.asked)
    }
}
