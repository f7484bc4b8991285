//! What goes to a registry without a pull: `push`, `/auth`, `/images/search`, `/distribution`.

use super::body::{documents, json};
use super::connection::Lasting;
use super::image_create::{credentials, reference};
use super::query::Query;
use super::router::Context;
use super::status::Refusal;
use super::unsupported::refuse;
use crate::engine::Engine;
use crate::image::{Credentials, PushEvent, PushRequest};
use crate::wire::{AuthAnswer, AuthRequest, DistributionInspect, JsonMessage, SearchResult};
use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json as object};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// `POST /images/{name}/push`: failures are the last line, for the first one is said at once.
pub(super) async fn push(
    engine: Arc<Engine>,
    context: Context,
    headers: &HeaderMap,
    name: &str,
    query: &Query,
) -> Result<Response, Refusal> {
    let all = query.text("tag").is_empty() && !name.rsplit('/').next().unwrap_or(name).contains(':');
    let reference = reference(name, query.text("tag"))?;
    if reference.digest().is_some() {
        return Err(Refusal::invalid("cannot push a digest reference"));
    }
    let request = PushRequest { reference, all, credentials: credentials(headers)? };
    let (sender, lines) = mpsc::unbounded_channel();
    let (lasting, done) = Lasting::new();
    tokio::spawn(async move {
        let _done = done;
        let told = sender.clone();
        let progress = move |event| drop(told.send(message(event)));
        let push = engine.push(&context.door, request, progress);
        tokio::select! {
            result = push => if let Err(error) = result {
                let line = JsonMessage::error(Refusal::from(error).body());
                let _ = sender.send(serde_json::to_value(line).unwrap_or_default());
            },
            // A client that hangs up ends the push.
            () = sender.closed() => {}
        }
    });
    let mut response = documents(UnboundedReceiverStream::new(lines));
    response.extensions_mut().insert(lasting);
    Ok(response)
}

fn message(event: PushEvent) -> Value {
    match event {
        PushEvent::Line(line) => serde_json::to_value(line).unwrap_or_default(),
        PushEvent::Published(one) => object!({
            "progressDetail": {},
            "aux": { "Tag": one.tag, "Digest": one.digest, "Size": one.size },
        }),
    }
}

/// `POST /auth`.
pub(super) async fn auth(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    body: Bytes,
) -> Result<Json<AuthAnswer>, Refusal> {
    let asked: AuthRequest = json(&body)?;
    let credentials = match asked.identitytoken.as_str() {
        "" => Credentials::Basic { user: asked.username, password: asked.password },
        token => Credentials::IdentityToken(token.to_owned()),
    };
    let status = engine.login(&context.door, &asked.serveraddress, credentials).await?;
    Ok(Json(AuthAnswer { status: status.into(), ..AuthAnswer::default() }))
}

/// `GET /images/search`.
pub(super) async fn search(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<HashMap<String, String>>,
) -> Result<Json<Vec<SearchResult>>, Refusal> {
    let query = Query(query);
    let limit = query.number("limit")?;
    Ok(Json(engine.search(&context.door, query.text("term"), limit, &query.filters()?).await?))
}

/// `GET /distribution/{name}/json`: the name may hold slashes.
pub(super) async fn distribution(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    Path(rest): Path<String>,
) -> Result<Json<DistributionInspect>, Refusal> {
    let Some(name) = rest.strip_suffix("/json") else {
        return Err(refuse("GET", &format!("/distribution/{rest}")));
    };
    let reference = reference(name, "")?;
    Ok(Json(engine.distribution(&context.door, &reference, credentials(&headers)?).await?))
}
