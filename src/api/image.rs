//! Images.

use super::body::documents;
use super::connection::Lasting;
use super::query::Query;
use super::router::{Context, not_found};
use super::status::Refusal;
use super::unsupported::refuse;
use crate::engine::{Engine, Error};
use crate::error::Kind;
use crate::image::{Credentials, Hub, Platform, PullEvent, PullRequest, Reference};
use crate::wire::session::HUB_HEADER;
use crate::wire::{ImageDelete, ImageInspect, ImageSummary, JsonMessage};
use axum::extract::{Path, Query as Parameters, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

type Map = HashMap<String, String>;

/// `GET /images/json`.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Parameters(query): Parameters<Map>,
) -> Result<Json<Vec<ImageSummary>>, Refusal> {
    Ok(Json(engine.list_images(&Query(query).filters()?)?))
}

/// `GET /images/{name}/json`: the name may hold slashes.
pub(super) async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(rest): Path<String>,
) -> Result<Json<ImageInspect>, Refusal> {
    let Some(name) = rest.strip_suffix("/json") else {
        return Err(refuse("GET", &format!("/images/{rest}")));
    };
    Ok(Json(engine.inspect_image(name).map_err(|error| explain(name, error))?))
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

/// What a pull sends to the answer it makes.
enum Step {
    Line(PullEvent),
    Failed(Refusal),
}

/// `POST /images/create`: a pull. What fails before the first line is an error's status; what
/// fails later is the last line. A client that hangs up ends the pull.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    Parameters(query): Parameters<Map>,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let Some(from) = query.given("fromImage") else {
        return Err(if query.given("fromSrc").is_some() { import() } else { not_found() });
    };
    let reference = reference(from, query.text("tag"))?;
    let platform = query.given("platform").map(str::parse::<Platform>).transpose();
    let platform = platform.map_err(crate::image::Error::from)?;
    let credentials = credentials(&headers)?;
    let request = PullRequest { reference, platform, credentials, hub: hub(&headers)? };
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (lasting, done) = Lasting::new();
    tokio::spawn(async move {
        let _done = done;
        let lines = sender.clone();
        // Nobody listening is what `closed` waits for.
        let progress = move |event| drop(lines.send(Step::Line(event)));
        let pull = engine.pull(&context.door, request, progress);
        tokio::select! {
            result = pull => if let Err(error) = result {
                let _ = sender.send(Step::Failed(error.into()));
            },
            () = sender.closed() => {}
        }
    });
    let first = match receiver.recv().await {
        Some(Step::Failed(refusal)) => return Err(refusal),
        first => first,
    };
    let steps = stream::iter(first).chain(UnboundedReceiverStream::new(receiver));
    let mut response = documents(steps.map(message));
    response.extensions_mut().insert(lasting);
    Ok(response)
}

fn import() -> Refusal {
    let message = "POST /images/create?fromSrc is not supported by learn yet".into();
    Refusal { kind: Kind::Unsupported, message, hint: None }
}

fn message(step: Step) -> serde_json::Value {
    let value = match step {
        Step::Line(event) => serde_json::to_value(event),
        Step::Failed(refusal) => serde_json::to_value(JsonMessage::error(refusal.body())),
    };
    value.unwrap_or_default()
}

/// `tag` is a tag or a digest, and may be part of the name already.
fn reference(from: &str, tag: &str) -> Result<Reference, Refusal> {
    let text = match tag {
        "" => from.to_owned(),
        digest if digest.contains(':') => format!("{from}@{digest}"),
        tag => format!("{from}:{tag}"),
    };
    Ok(text.parse::<Reference>().map_err(crate::image::Error::from)?)
}

/// Who the client says its user is.
fn credentials(headers: &HeaderMap) -> Result<Credentials, Refusal> {
    Credentials::from_header(header(headers, "x-registry-auth"))
        .map_err(|error| Refusal::invalid(error.to_string()))
}

/// Who is to answer for Docker Hub, where the client says so.
fn hub(headers: &HeaderMap) -> Result<Option<Hub>, Refusal> {
    match header(headers, HUB_HEADER) {
        "" => Ok(None),
        asked => {
            let hub = asked.parse::<Hub>();
            hub.map(Some).map_err(|error| Refusal::invalid(format!("{HUB_HEADER}: {error}")))
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
