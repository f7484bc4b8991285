//! Images.

use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use super::unsupported::refuse;
use super::{archive, registry};
use crate::engine::{Engine, Error};
use crate::error::Kind;
use crate::wire::{ImageDelete, ImagePrune, ImageSummary};
use axum::extract::{Path, Query as Parameters, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::collections::HashMap;
use std::sync::Arc;

type Map = HashMap<String, String>;

/// `GET /images/json`.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<Vec<ImageSummary>>, Refusal> {
    Ok(Json(engine.list_images(&Query(query).filters()?)?))
}

/// `GET /images/{name}/json`, `…/history`, `…/get`: the name may hold slashes.
pub(super) async fn look(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(rest): Path<String>,
) -> Result<Response, Refusal> {
    let (name, what) = rest.rsplit_once('/').unwrap_or(("", &rest));
    match what {
        _ if name.is_empty() => Err(refuse("GET", &format!("/images/{rest}"))),
        "json" => {
            let found = engine.inspect_image(name).map_err(|error| explain(name, error))?;
            Ok(Json(found).into_response())
        }
        "history" => Ok(Json(engine.history(name)?).into_response()),
        "get" => archive::save(engine, context, vec![name.to_owned()]).await,
        _ => Err(refuse("GET", &format!("/images/{rest}"))),
    }
}

/// `POST /images/{name}/tag` and `…/push`.
pub(super) async fn act(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    Path(rest): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let (name, what) = rest.rsplit_once('/').unwrap_or(("", &rest));
    match what {
        _ if name.is_empty() => Err(refuse("POST", &format!("/images/{rest}"))),
        "tag" => {
            engine.tag(&context.door, name, query.text("repo"), query.text("tag")).await?;
            Ok(StatusCode::CREATED.into_response())
        }
        "push" => registry::push(engine, context, &headers, name, &query).await,
        _ => Err(refuse("POST", &format!("/images/{rest}"))),
    }
}

/// `POST /images/prune`.
pub(super) async fn prune(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<ImagePrune>, Refusal> {
    Ok(Json(engine.prune_images(&context.door, &Query(query).filters()?).await?))
}

/// Docker says it twice.
fn explain(name: &str, error: Error) -> Refusal {
    let mut refusal = Refusal::from(error);
    if refusal.kind == Kind::NotFound {
        refusal.message = format!("no such image: {name}: {}", refusal.message);
    }
    refusal
}

/// `DELETE /images/{name}`.
pub(super) async fn remove(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(name): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<Vec<ImageDelete>>, Refusal> {
    Ok(Json(engine.remove_image(&context.door, &name, Query(query).flag("force")).await?))
}
