//! A container's files: archives in and out, changes, export, commit.

use super::body::json;
use super::connection::Lasting;
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use crate::engine::Engine;
use crate::engine::commit::CommitRequest;
use crate::engine::copy::{Incoming, Outgoing};
use crate::image::Reference;
use crate::wire::{Change, Config, IdResponse, PathStat};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Parameters, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

type Map = HashMap<String, String>;

/// What is at a path, as a header.
const PATH_STAT: &str = "x-docker-container-path-stat";

fn path_of(query: &Query) -> Result<String, Refusal> {
    query
        .given("path")
        .map(str::to_owned)
        .ok_or_else(|| Refusal::invalid("bad parameter: \"path\" cannot be empty"))
}

fn describe(response: &mut Response, stat: &PathStat) {
    let json = serde_json::to_vec(stat).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(json)) {
        response.headers_mut().insert(PATH_STAT, value);
    }
}

/// `HEAD /containers/{id}/archive`.
pub(super) async fn stat(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let stat = engine.stat_path(&context.door, &id, &path_of(&Query(query))?).await?;
    let mut response = Response::new(Body::empty());
    describe(&mut response, &stat);
    Ok(response)
}

/// `GET /containers/{id}/archive`.
pub(super) async fn read(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let path = path_of(&Query(query))?;
    Ok(tar(engine.read_archive(&context.door, &id, &path).await?, "application/x-tar"))
}

/// `GET /containers/{id}/export`.
pub(super) async fn export(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(tar(engine.export(&context.door, &id).await?, "application/octet-stream"))
}

/// The request lasts as long as its tar.
fn tar(outgoing: Outgoing, kind: &'static str) -> Response {
    let Outgoing { stat, bytes, done } = outgoing;
    let mut response = Response::new(Body::from_stream(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(stat) = stat {
        describe(&mut response, &stat);
    }
    response.extensions_mut().insert(Lasting(Arc::new(Mutex::new(Some(done)))));
    response
}

/// `PUT /containers/{id}/archive`.
pub(super) async fn write(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
    Parameters(query): Parameters<Map>,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let query = Query(query);
    let path = path_of(&query)?;
    let how = Incoming { keep_sorts: query.flag("noOverwriteDirNonDir"), as_user: query.flag("copyUIDGID") };
    let bytes = body.into_data_stream().map(|stretch| stretch.map_err(io::Error::other)).boxed();
    engine.write_archive(&context.door, &id, &path, how, bytes).await?;
    Ok(StatusCode::OK)
}

/// `GET /containers/{id}/changes`.
pub(super) async fn changes(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Json<Option<Vec<Change>>>, Refusal> {
    let changes = engine.diff(&context.door, &id).await?;
    // Go's nil: nothing is null.
    Ok(Json(Some(changes).filter(|changes| !changes.is_empty())))
}

/// `POST /commit`: nearly all of it is in the query; the body is a configuration, or nothing.
pub(super) async fn commit(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<Map>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    body: Bytes,
) -> Result<(StatusCode, Json<IdResponse>), Refusal> {
    let query = Query(query);
    let name = query.given("repo").map(|repo| match query.given("tag") {
        Some(tag) => format!("{repo}:{tag}"),
        None => repo.to_owned(),
    });
    let name = name.map(|name| name.parse::<Reference>()).transpose().map_err(crate::image::Error::from)?;
    let config: Option<Config> = match body.trim_ascii() {
        b"" | b"null" => None,
        _ => json(&body)?,
    };
    let request = CommitRequest {
        name,
        author: query.text("author").to_owned(),
        comment: query.text("comment").to_owned(),
        changes: pairs.into_iter().filter(|(key, _)| key == "changes").map(|(_, value)| value).collect(),
        config,
    };
    let id = engine.commit(&context.door, query.text("container"), request).await?;
    Ok((StatusCode::CREATED, Json(IdResponse { id })))
}
