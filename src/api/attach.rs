//! Attach: the connection leaves HTTP and goes to the shim.

use super::container::{RAW, stream_type};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use crate::engine::Engine;
use crate::engine::attach::{AttachOptions, Ticket};
use crate::runtime::protocol::Attach;
use crate::wire::detach;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query as Parameters, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
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
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    match (request.headers().contains_key(UPGRADE), upgrade) {
        (true, Some(upgrade)) => Ok(hijack(engine, context, ticket, options, upgrade)),
        _ => in_body(engine, context, ticket, options),
    }
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

/// 101, then the raw connection.
fn hijack(
    engine: Arc<Engine>,
    context: Context,
    ticket: Ticket,
    mut options: AttachOptions,
    upgrade: OnUpgrade,
) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, stream_type(ticket.tty(), context.version));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
    tokio::spawn(async move {
        // A client that is gone before it is attached, or a shim that is: the stream just ends.
        let Ok(Ok((connection, early))) = upgrade.await.map(|upgraded| {
            let Parts { io, read_buf, .. } =
                upgraded.downcast::<TokioIo<UnixStream>>().map_err(|_| io::ErrorKind::Unsupported)?;
            Ok::<_, io::Error>((OwnedFd::from(io.into_inner().into_std()?), read_buf))
        }) else {
            return;
        };
        options.streams.early_input = STANDARD.encode(&early);
        let _ = engine.attach(&context.door, ticket, options, connection).await;
    });
    response
}

/// For clients that do not ask to upgrade: the stream is the answer's body.
fn in_body(
    engine: Arc<Engine>,
    context: Context,
    ticket: Ticket,
    options: AttachOptions,
) -> Result<Response, Refusal> {
    let broken = |error: io::Error| Refusal {
        kind: crate::error::Kind::Internal,
        message: format!("attach: {error}"),
        hint: None,
    };
    let (ours, theirs) = UnixStream::pair().map_err(broken)?;
    let theirs = OwnedFd::from(theirs.into_std().map_err(broken)?);
    tokio::spawn(async move {
        // As above: what fails ends the stream.
        let _ = engine.attach(&context.door, ticket, options, theirs).await;
    });
    let mut response = Response::new(Body::from_stream(ReaderStream::new(ours)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(RAW));
    Ok(response)
}
