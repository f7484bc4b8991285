//! Containers.

use super::body::{empty, json};
use super::lifecycle::stop_options;
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use super::version::ApiVersion;
use crate::container::log::Filter;
use crate::engine::Engine;
use crate::engine::list::ListOptions;
use crate::engine::logs::LogOptions;
use crate::engine::wait::Condition;
use crate::wire::{ContainerInspect, ContainerSummary, CreateResponse};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Parameters, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use futures_util::stream;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;

type Map = HashMap<String, String>;

/// Streams of frames, as Docker names them from API 1.42 on.
pub(super) const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

/// Streams without frames, and the older name of both.
pub(super) const RAW: &str = "application/vnd.docker.raw-stream";

/// The type of a container's stream.
pub(super) fn stream_type(tty: bool, version: ApiVersion) -> HeaderValue {
    HeaderValue::from_static(if tty || version < ApiVersion(1, 42) { RAW } else { MULTIPLEXED })
}

/// `GET /containers/json`.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<Vec<ContainerSummary>>, Refusal> {
    let query = Query(query);
    let options = ListOptions {
        all: query.flag("all"),
        limit: query.number("limit")?.unwrap_or(0),
        size: query.flag("size"),
        filters: query.filters()?,
    };
    Ok(Json(engine.list(&options).await?))
}

/// `POST /containers/create`.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
    body: Bytes,
) -> Result<(StatusCode, Json<CreateResponse>), Refusal> {
    let query = Query(query);
    let created = engine.create(&context.door, query.given("name"), json(&body)?).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// `GET /containers/{id}/json`.
pub(super) async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<ContainerInspect>, Refusal> {
    Ok(Json(engine.inspect(&id, Query(query).flag("size")).await?))
}

/// `POST /containers/{id}/start`: 204, or 304 when it runs already.
pub(super) async fn start(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(changed(engine.start(&context.door, &id).await?))
}

/// `POST /containers/{id}/stop`: 204, or 304 when it does not run.
pub(super) async fn stop(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let stopped = engine.stop(&context.door, &id, stop_options(&query)?).await?;
    Ok(changed(stopped))
}

fn changed(changed: bool) -> Response {
    empty(if changed { StatusCode::NO_CONTENT } else { StatusCode::NOT_MODIFIED })
}

/// `POST /containers/{id}/kill`.
pub(super) async fn kill(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    engine.kill(&context.door, &id, Query(query).given("signal")).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `DELETE /containers/{id}`.
pub(super) async fn remove(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    if query.flag("link") {
        engine.remove_link(&id)?;
    } else {
        engine.remove(&context.door, &id, query.flag("force")).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /containers/{id}/resize`.
pub(super) async fn resize(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let (rows, columns) = Query(query).window()?;
    engine.resize(&id, rows, columns).await?;
    Ok(empty(StatusCode::OK))
}

/// `POST /containers/{id}/wait`: the head at once, so that the client knows that waiting has
/// begun; the body when it is over.
pub(super) async fn wait(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let condition: Condition = Query(query).text("condition").parse()?;
    let waiting = engine.wait(&id, condition)?;
    let body = stream::once(async move {
        let mut line = serde_json::to_vec(&waiting.done().await).unwrap_or_default();
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// `GET /containers/{id}/logs`.
pub(super) async fn logs(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let filter = Filter {
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        since: query.time("since")?,
        until: query.time("until")?,
        timestamps: query.flag("timestamps"),
        details: query.flag("details"),
        frames: true,
    };
    if !filter.stdout && !filter.stderr {
        return Err(Refusal::invalid("Bad parameters: you must choose at least one stream"));
    }
    // What is no number means all, as with Docker.
    let tail = query.text("tail").parse().ok();
    let tty = engine.containers().find(&id)?.record().config.tty;
    let lines = engine.logs(&id, LogOptions { filter, tail, follow: query.flag("follow") })?;
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(lines)));
    response.headers_mut().insert(CONTENT_TYPE, stream_type(tty, context.version));
    Ok(response)
}
