//! `learn`'s own requests: trace sessions, finished traces, and the watch over everything.

use super::body::{documents, empty, json};
use super::status::Refusal;
use crate::engine::{Engine, Peer};
use crate::trace::{Decision, Event, Note, Record, Sighting, Stop, Trace, TraceInfo};
use crate::wire::session::{Decide, NewTrace, TRACE_HEADER, TraceCreated};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long a record may wait for others to go with it, where nobody waits for it at the gate.
/// The client would be woken for each otherwise, while it has a container to start.
const GATHER: Duration = Duration::from_millis(3);

/// `POST /learn/traces`.
pub(super) async fn open(
    State(engine): State<Arc<Engine>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let NewTrace { title, stop, follow } = json(&body)?;
    let trace = engine.traces().open(peer, &title, stop);
    let id = trace.info().id.clone();
    if !follow {
        return Ok((StatusCode::CREATED, Json(TraceCreated { id })).into_response());
    }
    let gather = if stop == Stop::Never { GATHER } else { Duration::ZERO };
    let mut response = Follower::new(trace).answer(gather);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(TRACE_HEADER, id);
    }
    Ok(response)
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

impl Follower {
    fn new(trace: Arc<Trace>) -> Follower {
        Follower { records: trace.follow(), trace }
    }

    /// Every record from the first on, until the session is closed.
    fn answer(self, gather: Duration) -> Response {
        let gathered = stream::unfold(self, move |mut follower| async move {
            let first = follower.records.recv().await?;
            let mut records = vec![first];
            if !gather.is_zero() {
                let end = Instant::now() + gather;
                // The program's output is waiting for this one at the client.
                while !records.last().is_some_and(is_running)
                    && let Ok(Some(record)) = timeout_at(end, follower.records.recv()).await
                {
                    records.push(record);
                }
            }
            Some((stream::iter(records), follower))
        });
        documents(gathered.flatten())
    }
}

fn is_running(record: &Record) -> bool {
    matches!(record.event, Event::Note { note: Note::Running, .. })
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
    Ok(Follower::new(engine.traces().session(&id)?).answer(Duration::ZERO))
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
