//! Volumes.

use super::body::{empty, json};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use super::version::ApiVersion;
use crate::engine::Engine;
use crate::wire::{Volume, VolumeList, VolumePrune, VolumeRequest};
use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use std::collections::HashMap;
use std::sync::Arc;

type Map = HashMap<String, String>;

/// `POST /volumes/create`.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    body: Bytes,
) -> Result<(StatusCode, Json<Volume>), Refusal> {
    let request: VolumeRequest = json(&body)?;
    Ok((StatusCode::CREATED, Json(engine.create_volume(&context.door, request).await?)))
}

/// `GET /volumes`.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<VolumeList>, Refusal> {
    Ok(Json(engine.list_volumes(&Query(query).filters()?)?))
}

/// `GET /volumes/{name}`.
pub(super) async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<Volume>, Refusal> {
    Ok(Json(engine.inspect_volume(&name)?))
}

/// `DELETE /volumes/{name}`.
pub(super) async fn remove(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(name): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    engine.remove_volume(&context.door, &name, Query(query).flag("force")).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /volumes/prune`; until API 1.42 it meant all of them.
pub(super) async fn prune(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<VolumePrune>, Refusal> {
    let filters = Query(query).filters()?;
    Ok(Json(engine.prune_volumes(&context.door, &filters, context.version < ApiVersion(1, 42)).await?))
}
