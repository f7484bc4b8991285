//! Images as files: `GET /images/get`, `POST /images/load`.

use super::body::{self, documents};
use super::connection::Lasting;
use super::query::{Query, all};
use super::router::Context;
use super::status::Refusal;
use crate::engine::{Engine, Error};
use crate::error::Kind;
use crate::image::{Error as ImageError, LoadEvent, Platform, PullEvent, digest};
use crate::wire::JsonMessage;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query as Parameters, RawQuery, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};

/// Pieces of an archive that wait for a slow client.
const AHEAD: usize = 4;

/// `GET /images/get?names=…&names=…`.
pub(super) async fn get(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let names = all(raw.as_deref().unwrap_or_default(), "names");
    if names.is_empty() {
        return Err(Refusal::invalid("no image names given"));
    }
    save(engine, context, names).await
}

/// One archive of all these. What fails before the first piece is an error's status; what fails
/// later breaks the connection, for a tar cannot say it.
pub(super) async fn save(
    engine: Arc<Engine>,
    context: Context,
    names: Vec<String>,
) -> Result<Response, Refusal> {
    let (sender, mut pieces) = mpsc::channel::<Bytes>(AHEAD);
    let (end, ended) = oneshot::channel();
    let (lasting, done) = Lasting::new();
    tokio::spawn(async move {
        let _done = done;
        let result = engine.save(&context.door, &names, sender).await;
        // A client that went away does not ask how it ended.
        let _ = end.send(result);
    });
    let Some(first) = pieces.recv().await else {
        return Err(match ended.await {
            Ok(Err(error)) => missing(error),
            _ => Refusal { kind: Kind::Internal, message: "the archive ended early".into(), hint: None },
        });
    };
    let verdict = stream::once(ended).filter_map(|ended| async {
        match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Err(io::Error::other(error.to_string()))),
            Err(_) => Some(Err(io::Error::other("the archive ended early"))),
        }
    });
    let pieces = stream::iter([first]).chain(ReceiverStream::new(pieces)).map(Ok).chain(verdict);
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    response.extensions_mut().insert(lasting);
    Ok(response)
}

/// Docker's words for what cannot be saved: a repository is an image that is missed, a name with
/// a tag is a reference.
fn missing(error: Error) -> Refusal {
    let is_tagged = match &error {
        Error::Image(ImageError::NotFound(word)) => word.rsplit('/').next().unwrap_or(word).contains(':'),
        _ => false,
    };
    let mut refusal = Refusal::from(error);
    if is_tagged {
        refusal.message = "reference does not exist".into();
    }
    refusal
}

/// `POST /images/load`: every failure is the last line of a good answer, as with Docker.
pub(super) async fn load(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    Parameters(query): Parameters<HashMap<String, String>>,
    body: Body,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let platform = query.given("platform").map(str::parse::<Platform>).transpose();
    let platform = platform.map_err(crate::image::Error::from)?;
    let quiet = query.flag("quiet");
    let (sender, lines) = mpsc::unbounded_channel();
    let (lasting, done) = Lasting::new();
    tokio::spawn(async move {
        let _done = done;
        let told = sender.clone();
        let progress = move |event| {
            if let Some(line) = message(event, quiet) {
                let _ = told.send(line);
            }
        };
        let load = engine.load(&context.door, body::bytes(body), platform, progress);
        if let Err(error) = load.await {
            let line = JsonMessage::error(Refusal::from(error).body());
            let _ = sender.send(serde_json::to_value(line).unwrap_or_default());
        }
    });
    let mut response = documents(UnboundedReceiverStream::new(lines));
    response.extensions_mut().insert(lasting);
    Ok(response)
}

fn message(event: LoadEvent, quiet: bool) -> Option<serde_json::Value> {
    let stream = |text: String| JsonMessage { stream: Some(text), ..JsonMessage::default() };
    let value = match event {
        LoadEvent::Layer { .. } if quiet => return None,
        LoadEvent::Layer { diff_id, current, total } => {
            serde_json::to_value(PullEvent::bar(digest::short(&diff_id), "Loading layer", current, total))
        }
        LoadEvent::Loaded(name) => serde_json::to_value(stream(format!("Loaded image: {name}\n"))),
        LoadEvent::LoadedId(id) => serde_json::to_value(stream(format!("Loaded image ID: {id}\n"))),
    };
    value.ok()
}
