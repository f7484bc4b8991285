//! One connection: who asks, which trace their requests write into, and the request's own scope.

use super::manners;
use super::router::Context;
use super::status::Refusal;
use super::version;
use crate::engine::{Engine, Error, Peer};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, Trace, facts};
use crate::wire::session::TRACE_HEADER;
use axum::Router;
use axum::body::Body;
use axum::http::header::{HeaderName, SERVER, USER_AGENT};
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

/// An answer's body that is still being made: the request lasts until it is dropped or sent to.
#[derive(Clone, Debug)]
pub(super) struct Lasting(pub Arc<std::sync::Mutex<Option<oneshot::Receiver<()>>>>);

impl Lasting {
    /// The answer's part, and the one to drop when the work is done.
    pub(super) fn new() -> (Lasting, oneshot::Sender<()>) {
        let (done, receiver) = oneshot::channel();
        (Lasting(Arc::new(std::sync::Mutex::new(Some(receiver)))), done)
    }
}

/// A client's connection.
#[derive(Clone)]
pub(super) struct Connection {
    engine: Arc<Engine>,
    router: Router,
    peer: Peer,
}

impl Connection {
    /// Asks the kernel who is at the other end: SO_PEERCRED, unix(7).
    pub(super) fn new(engine: Arc<Engine>, router: Router, stream: &UnixStream) -> Connection {
        let credentials = stream.peer_cred().ok();
        let pid = credentials.as_ref().and_then(|peer| peer.pid()).and_then(|pid| u32::try_from(pid).ok());
        let uid = credentials.map_or(u32::MAX, |peer| peer.uid());
        Connection { engine, router, peer: Peer::new(pid.unwrap_or(0), uid) }
    }

    /// Answers requests until the client hangs up.
    pub(super) async fn serve(self, stream: UnixStream) {
        let service = service_fn(move |request| {
            let connection = self.clone();
            async move { Ok::<_, Infallible>(connection.answer(request).await) }
        });
        // A client that closes its half has gone: without that a wait, a watch or a pull whose
        // registry says nothing would keep its connection for ever.
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        // A client that breaks off or speaks no HTTP concerns nobody else.
        let _ = connection.await;
    }

    /// The work has a task of its own: a client that hangs up does not stop it halfway.
    async fn answer(self, request: Request<Incoming>) -> Response {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(self.handle(request.map(Body::new), sender));
        receiver.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    async fn handle(self, mut request: Request<Body>, sender: oneshot::Sender<Response>) {
        let path = request.uri().path().to_owned();
        if path.starts_with("/learn/") {
            request.extensions_mut().insert(self.peer);
            let _ = sender.send(self.route(request).await);
            return;
        }
        let (version, rest) = match version::split(&path) {
            Ok(split) => split,
            Err(refusal) => {
                let _ = sender.send(decorate(refusal.into_response()));
                return;
            }
        };
        let trace = match self.trace(&request) {
            Ok(trace) => trace,
            Err(error) => {
                let _ = sender.send(decorate(Refusal::from(error).into_response()));
                return;
            }
        };
        let about = format!("{} {rest}", request.method());
        if let Some(uri) = with_path(request.uri(), rest) {
            *request.uri_mut() = uri;
        }
        let door = self.engine.door(trace);
        let mut sender = Some(sender);
        let result: Result<(), Error> = door
            .within(Scope::Request, about, async |door: TracedHost| {
                self.note_peer(&door, &request);
                let door_of_request = door.clone();
                let mut request = std::mem::take(&mut request);
                request.extensions_mut().insert(Context { door: door_of_request, version });
                let answer = match manners::answer_early(&request) {
                    Some(answer) => answer,
                    None => manners::in_json(self.route(request).await).await,
                };
                let mut response = decorate(answer);
                door.note(Note::Answered, facts([("status", &response.status().as_u16())]));
                let lasting = response.extensions_mut().remove::<Lasting>();
                if let Some(sender) = sender.take() {
                    // Nobody there to answer any more: the work was done all the same.
                    let _ = sender.send(response);
                }
                let lasting = lasting
                    .and_then(|lasting| lasting.0.lock().unwrap_or_else(|poison| poison.into_inner()).take());
                if let Some(lasting) = lasting {
                    // Dropped or sent to, the body is done.
                    let _ = lasting.await;
                }
                Ok(())
            })
            .await;
        if let (Err(error), Some(sender)) = (result, sender) {
            let _ = sender.send(decorate(Refusal::from(error).into_response()));
        }
    }

    /// The session the request names, else the trace of the client's process.
    fn trace(&self, request: &Request<Body>) -> Result<Arc<Trace>, Error> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        match header(TRACE_HEADER) {
            Some(id) => self.engine.traces().session(id),
            None => Ok(self.engine.traces().of_peer(self.peer, header(USER_AGENT.as_str()))),
        }
    }

    fn note_peer(&self, door: &TracedHost, request: &Request<Body>) {
        let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        door.note(
            Note::Peer,
            facts([
                ("client", &agent),
                ("pid", &self.peer.pid),
                ("uid", &self.peer.uid),
                ("method", request.method()),
                ("path", &target),
                ("socket", &format!("{}/learn.sock", self.engine.places().run)),
            ]),
        );
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let service = TowerToHyperService::new(self.router.clone());
        match service.call(request).await {
            Ok(response) => response,
            Err(infallible) => match infallible {},
        }
    }
}

/// The same target below another path.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// What Docker says in every answer's head.
fn decorate(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("api-version", HeaderValue::from_static(crate::engine::info::API_VERSION));
    headers.insert("docker-experimental", HeaderValue::from_static("false"));
    headers.insert("ostype", HeaderValue::from_static("linux"));
    let server = concat!("learn/", env!("CARGO_PKG_VERSION"), " (linux)");
    headers.insert(SERVER, HeaderValue::from_static(server));
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().remove(HeaderName::from_static("content-length"));
    }
    response
}
