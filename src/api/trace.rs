//! `learn`'s own requests: trace sessions, finished traces, and the watch over everything.

use super::body::{documents, empty, json};
use super::status::Refusal;
use crate::engine::{Engine, Peer};
use crate::trace::{Decision, Event, Record, Sighting, Trace, TraceInfo};
use crate::wire::session::{Decide, NewTrace, TraceCreated};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// `POST /learn/traces`.
pub(super) async fn open(
    State(engine): State<Arc<Engine>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Result<(StatusCode, Json<TraceCreated>), Refusal> {
    let NewTrace { title, stop } = json(&body)?;
    let id = engine.traces().open(peer, &title, stop).info().id.clone();
    Ok((StatusCode::CREATED, Json(TraceCreated { id })))
}

/// `GET /learn/traces`.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Json<Vec<TraceInfo>> {
    Json(engine.traces().list())
}

/// `GET /learn/traces/{id}`.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let document = engine.traces().document(&id)?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], document).into_response())
}

/// `POST /learn/traces/{id}/decision`.
pub(super) async fn decide(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let Decide { decision } = json(&body)?;
    engine.traces().session(&id)?.gate().decide(decision);
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `POST /learn/traces/{id}/close`.
pub(super) async fn close(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    engine.traces().close(&id)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// A follower of a session. When it goes away nobody is left to decide: the work runs to its end.
struct Follower {
    trace: Arc<Trace>,
    records: mpsc::UnboundedReceiver<Record>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.trace.gate().decide(Decision::Free);
    }
}

/// `GET /learn/traces/{id}/records`: every record from the first on, until the session is closed.
pub(super) async fn records(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let trace = engine.traces().session(&id)?;
    let records = trace.follow();
    let lines = stream::unfold(Follower { trace, records }, |mut follower| async move {
        let record = follower.records.recv().await?;
        Some((record, follower))
    });
    Ok(documents(lines))
}

/// `GET /learn/watch`: every record of every trace, from now on.
pub(super) async fn watch(State(engine): State<Arc<Engine>>) -> Response {
    let sightings = engine.traces().watchers().subscribe();
    let nobody =
        TraceInfo { id: String::new(), title: String::new(), began: String::new(), simulated: false };
    let nobody = Arc::new(nobody);
    documents(stream::unfold((sightings, nobody), |(mut sightings, nobody)| async move {
        let sighting = match sightings.recv().await {
            Ok(sighting) => sighting,
            Err(RecvError::Lagged(count)) => Sighting {
                trace: nobody.clone(),
                record: Record { seq: 0, at: 0, scope: 0, event: Event::Missed { count } },
            },
            Err(RecvError::Closed) => return None,
        };
        Some((sighting, (sightings, nobody)))
    }))
}
