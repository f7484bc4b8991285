//! `GET /containers/{id}/stats`.

use super::body::documents;
use super::query::Query;
use super::status::Refusal;
use crate::engine::Engine;
use axum::extract::{Path, Query as Parameters, State};
use axum::response::Response;
use futures_util::stream;
use std::collections::HashMap;
use std::sync::Arc;

/// A sample a second, or one (`stream=0`). A client that does not read has nothing made for it.
pub(super) async fn stats(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let mut watching = engine.stats(&id)?;
    // Absent is true, as with Docker.
    if query.text("stream").is_empty() || query.flag("stream") {
        return Ok(documents(stream::unfold(watching, |mut watching| async move {
            let sample = watching.next().await?;
            Some((sample, watching))
        })));
    }
    let without_before = query.flag("one-shot");
    let once = stream::once(async move {
        let sample = if without_before { watching.next().await } else { watching.rated().await };
        sample.unwrap_or_default()
    });
    Ok(documents(once))
}
