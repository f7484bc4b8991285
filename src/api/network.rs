//! Networks.

use super::body::{empty, json};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use crate::engine::{Engine, Error};
use crate::wire::{NetworkConnect, NetworkCreated, NetworkDisconnect, NetworkResource, NetworksPruned};
use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use std::collections::HashMap;
use std::sync::Arc;

type Map = HashMap<String, String>;

/// `GET /networks`.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<Vec<NetworkResource>>, Refusal> {
    Ok(Json(engine.list_networks(&Query(query).filters()?).await?))
}

/// `GET /networks/{id}`.
pub(super) async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<NetworkResource>, Refusal> {
    Ok(Json(engine.inspect_network(&id).await?))
}

/// `POST /networks/create`.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    body: Bytes,
) -> Result<(StatusCode, Json<NetworkCreated>), Refusal> {
    let created = engine.create_network(&context.door, json(&body)?).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// `DELETE /networks/{id}`.
pub(super) async fn remove(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    engine.remove_network(&context.door, &id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /networks/{id}/connect`.
pub(super) async fn connect(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let NetworkConnect { container, endpoint_config } = json(&body)?;
    engine.connect_network(&context.door, &id, &container, endpoint_config).await?;
    Ok(empty(StatusCode::OK))
}

/// `POST /networks/{id}/disconnect`.
pub(super) async fn disconnect(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let NetworkDisconnect { container, force } = json(&body)?;
    match engine.disconnect_network(&context.door, &id, &container).await {
        // A container that is gone is connected to nothing.
        Err(Error::NoSuchContainer(_)) if force => {}
        result => result?,
    }
    Ok(empty(StatusCode::OK))
}

/// `POST /networks/prune`.
pub(super) async fn prune(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<NetworksPruned>, Refusal> {
    Ok(Json(engine.prune_networks(&context.door, &Query(query).filters()?).await?))
}
