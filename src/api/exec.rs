//! Further programs in a running container: noted, started, looked at; and the list of processes.

use super::attach::{Hijack, detach_keys};
use super::body::{empty, json};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use crate::engine::{Engine, Error, Exec};
use crate::runtime::protocol::Attach;
use crate::wire::{ExecConfig, ExecCreated, ExecInspect, ExecStart, Top};
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Query as Parameters, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use rustix::net::{SendFlags, send};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Longest body of a start.
const BODY_LIMIT: usize = 1 << 20;

/// `POST /containers/{id}/exec`.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<ExecCreated>), Refusal> {
    let config: ExecConfig = json(&body)?;
    detach_keys(&config.detach_keys)?;
    let id = engine.create_exec(&context.door, &id, config).await?;
    Ok((StatusCode::CREATED, Json(ExecCreated { id })))
}

/// `POST /exec/{id}/start`: without streams when that is asked for, else the connection becomes
/// them, and why the program could not be started is written there.
pub(super) async fn start(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let hijack = Hijack::of(&mut request);
    let body = to_bytes(request.into_body(), BODY_LIMIT).await;
    let body = body.map_err(|error| Refusal::invalid(format!("read the request's body: {error}")))?;
    let start: ExecStart = json(&body)?;
    let exec = engine.find_exec(&id)?;
    if start.detach {
        engine.start_exec(&context.door, &exec, None).await?;
        return Ok(empty(StatusCode::OK));
    }
    let config = &exec.config;
    let attach = Attach {
        stdin: config.attach_stdin,
        stdout: config.attach_stdout,
        stderr: config.attach_stderr,
        raw: start.tty,
        detach: if config.tty { detach_keys(&config.detach_keys)? } else { Vec::new() },
        early_input: String::new(),
    };
    let version = context.version;
    hijack.answer(start.tty, version, attach, move |attach, connection| async move {
        begin(&engine, &context, &exec, attach, connection).await;
    })
}

/// Starts the program, or writes why not, as Docker does: an answer was given already.
async fn begin(
    engine: &Arc<Engine>,
    context: &Context,
    exec: &Arc<Exec>,
    attach: Attach,
    connection: OwnedFd,
) {
    let (raw, spare) = (attach.raw, connection.try_clone());
    let started = engine.start_exec(&context.door, exec, Some((attach, connection))).await;
    if let (Err(error), Ok(spare)) = (started, spare) {
        complain(&spare, raw, &error);
    }
}

/// Nothing was written to the connection before: it takes a line without waiting.
fn complain(connection: &OwnedFd, raw: bool, error: &Error) {
    let text = format!("{error}\r\n");
    let mut line = Vec::new();
    if !raw {
        line.extend([1, 0, 0, 0]);
        line.extend(u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
    }
    line.extend(text.as_bytes());
    // A client that left hears nothing.
    let _ = send(connection, &line, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
}

/// `POST /exec/{id}/resize`.
pub(super) async fn resize(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let (rows, columns) = Query(query).window()?;
    engine.resize_exec(&id, rows, columns).await?;
    Ok(empty(StatusCode::OK))
}

/// `GET /exec/{id}/json`.
pub(super) async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<ExecInspect>, Refusal> {
    Ok(Json(engine.inspect_exec(&id)?))
}

/// `GET /containers/{id}/top`.
pub(super) async fn top(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<HashMap<String, String>>,
) -> Result<Json<Top>, Refusal> {
    Ok(Json(engine.top(&context.door, &id, Query(query).text("ps_args")).await?))
}
