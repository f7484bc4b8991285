//! What happens to containers after their start: restart, pause, rename, update, prune.

use super::body::{empty, json};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use crate::engine::Engine;
use crate::engine::stop::StopOptions;
use crate::wire::{ContainersPruned, HostConfig, UpdateResponse};
use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use std::collections::HashMap;
use std::sync::Arc;

type Map = HashMap<String, String>;

/// How a stop or a restart is asked for.
pub(super) fn stop_options(query: &Query) -> Result<StopOptions<'_>, Refusal> {
    Ok(StopOptions { seconds: query.number("t")?, signal: query.given("signal") })
}

/// `POST /containers/{id}/restart`.
pub(super) async fn restart(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    engine.restart(&context.door, &id, stop_options(&query)?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /containers/{id}/pause`.
pub(super) async fn pause(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    engine.pause(&context.door, &id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /containers/{id}/unpause`.
pub(super) async fn unpause(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    engine.unpause(&context.door, &id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /containers/{id}/rename`.
pub(super) async fn rename(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    engine.rename(&context.door, &id, Query(query).text("name")).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /containers/{id}/update`: limits and restart policy, flat, under the names they have in
/// `HostConfig`.
pub(super) async fn update(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<UpdateResponse>, Refusal> {
    let asked: HostConfig = json(&body)?;
    let warnings = engine.update(&context.door, &id, asked).await?;
    Ok(Json(UpdateResponse { warnings }))
}

/// `POST /containers/prune`.
pub(super) async fn prune(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<ContainersPruned>, Refusal> {
    let filters = Query(query).filters()?;
    Ok(Json(engine.prune_containers(&context.door, &filters).await?))
}
