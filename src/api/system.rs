//! Ping, version, info, events.

use super::body::documents;
use super::query::Query;
use super::status::Refusal;
use crate::engine::Engine;
use crate::engine::events::{FILTERS, passes};
use crate::wire::{EventMessage, Info, Version};
use axum::Json;
use axum::extract::{Query as Parameters, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// `GET /_ping` and `HEAD /_ping`: what a client asks first.
pub(super) async fn ping() -> Response {
    let headers = [
        (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (PRAGMA, "no-cache"),
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
    ];
    ([("builder-version", "1"), ("swarm", "inactive")], headers, "OK").into_response()
}

/// `GET /version`.
pub(super) async fn version(State(engine): State<Arc<Engine>>) -> Json<Version> {
    Json(engine.version())
}

/// `GET /info`.
pub(super) async fn info(State(engine): State<Arc<Engine>>) -> Json<Info> {
    Json(engine.info())
}

/// `GET /events`: from `since` on, until `until` or the client leaves.
pub(super) async fn events(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let filters = query.filters()?;
    if let Some(unknown) = filters.unknown(&FILTERS) {
        return Err(Refusal::invalid(format!("Invalid filter '{unknown}'")));
    }
    let (since, until) = (query.time("since")?, query.time("until")?);
    let (kept, live) = engine.events().listen();
    let nanoseconds = |event: &EventMessage| i128::from(event.time_nano);
    let old = kept.into_iter().filter(move |event| {
        since.is_some_and(|since| nanoseconds(event) >= since.as_nanosecond())
            && until.is_none_or(|until| nanoseconds(event) <= until.as_nanosecond())
    });
    let now = jiff::Timestamp::now();
    let left =
        until.map(|until| std::time::Duration::try_from(until.duration_since(now)).unwrap_or_default());
    let new = stream::unfold(live, |mut live| async move {
        loop {
            match live.recv().await {
                Ok(event) => return Some((event, live)),
                // Docker drops what a slow listener misses, too.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    let end = async move {
        match left {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    };
    let all = stream::iter(old).chain(new.take_until(Box::pin(end)));
    Ok(documents(all.filter(move |event| std::future::ready(passes(event, &filters)))))
}
