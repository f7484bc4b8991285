//! Attach: the connection leaves HTTP and goes to the shim.

use super::connection::Lasting;
use super::container::{RAW, stream_type};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use super::version::ApiVersion;
use crate::engine::Engine;
use crate::engine::attach::AttachOptions;
use crate::kernel::linux::sys;
use crate::runtime::protocol::Attach;
use crate::wire::detach;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Parameters, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_util::io::ReaderStream;

/// `POST /containers/{id}/attach`.
pub(super) async fn attach(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<HashMap<String, String>>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let stream = query.flag("stream");
    let ticket = engine.expect_attach(&id, stream)?;
    let options = AttachOptions {
        streams: Attach {
            stdin: query.flag("stdin"),
            stdout: query.flag("stdout"),
            stderr: query.flag("stderr"),
            raw: ticket.tty(),
            detach: if ticket.tty() { detach_keys(query.text("detachKeys"))? } else { Vec::new() },
            early_input: String::new(),
        },
        stream,
        logs: query.flag("logs"),
    };
    let raw = ticket.tty();
    let AttachOptions { streams, .. } = options.clone();
    Hijack::of(&mut request).answer(raw, context.version, streams, move |streams, connection| async move {
        let options = AttachOptions { streams, ..options };
        // A shim that is gone: the stream just ends.
        let _ = engine.attach(&context.door, ticket, options, connection).await;
    })
}

/// The keys a client leaves by: those it names, or Docker's.
///
/// # Errors
/// Names that are no keys.
pub(super) fn detach_keys(text: &str) -> Result<Vec<u8>, Refusal> {
    match text {
        "" => Ok(detach::DEFAULT.to_vec()),
        _ => detach::parse(text)
            .map_err(|_| Refusal::invalid(format!("Invalid detach keys ({text}) provided"))),
    }
}

/// How long a client may leave the head of its answer unread before its stream begins all the same.
const HEAD_PATIENCE: Duration = Duration::from_secs(2);

/// How often is looked whether it was read.
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// How a request's connection can be had: by an upgrade it asks for, or only as the answer's body.
pub(super) struct Hijack(Option<OnUpgrade>);

impl Hijack {
    /// Takes the upgrade out of a request that asks for one.
    pub(super) fn of(request: &mut Request) -> Hijack {
        let asked = request.headers().contains_key(UPGRADE);
        Hijack(request.extensions_mut().remove::<OnUpgrade>().filter(|_| asked))
    }

    /// Answers, and hands the connection to `work`; the request lasts until that is done.
    pub(super) fn answer<Done: Future<Output = ()> + Send + 'static>(
        self,
        raw: bool,
        version: ApiVersion,
        mut streams: Attach,
        work: impl FnOnce(Attach, OwnedFd) -> Done + Send + 'static,
    ) -> Result<Response, Refusal> {
        let (lasting, done) = Lasting::new();
        let Hijack(upgrade) = self;
        let Some(upgrade) = upgrade else {
            let (ours, theirs) = pair()?;
            tokio::spawn(async move {
                work(streams, theirs).await;
                drop(done);
            });
            let mut response = Response::new(Body::from_stream(ReaderStream::new(ours)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(RAW));
            response.extensions_mut().insert(lasting);
            return Ok(response);
        };
        tokio::spawn(async move {
            // A client that is gone before it is attached gets nothing.
            if let Ok(Ok((connection, early))) = upgrade.await.map(connection) {
                streams.early_input = STANDARD.encode(&early);
                until_read(&connection).await;
                work(streams, connection).await;
            }
            drop(done);
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.extensions_mut().insert(lasting);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, stream_type(raw, version));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
        Ok(response)
    }
}

/// Waits until the client has read the answer's head, or has had its time.
///
/// docker-py reads the head through a buffer and the stream behind the buffer's back: what arrives
/// together with the head is lost to it. Docker never starts a program that fast; here a short
/// `exec` is over before a busy client looks.
async fn until_read(connection: &OwnedFd) {
    let deadline = tokio::time::Instant::now() + HEAD_PATIENCE;
    while sys::unread(connection.as_fd()).is_ok_and(|left| left > 0) && tokio::time::Instant::now() < deadline
    {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The raw connection, and what was read of it already.
fn connection(upgraded: Upgraded) -> io::Result<(OwnedFd, Bytes)> {
    let Parts { io, read_buf, .. } =
        upgraded.downcast::<TokioIo<UnixStream>>().map_err(|_| io::ErrorKind::Unsupported)?;
    Ok((OwnedFd::from(io.into_inner().into_std()?), read_buf))
}

/// For clients that do not ask to upgrade: the stream is the answer's body.
fn pair() -> Result<(UnixStream, OwnedFd), Refusal> {
    let broken = |error: io::Error| Refusal {
        kind: crate::error::Kind::Internal,
        message: format!("attach: {error}"),
        hint: None,
    };
    let (ours, theirs) = UnixStream::pair().map_err(broken)?;
    Ok((ours, OwnedFd::from(theirs.into_std().map_err(broken)?)))
}
