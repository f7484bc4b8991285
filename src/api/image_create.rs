//! `POST /images/create`: a pull, or an import.

use super::body::documents;
use super::connection::Lasting;
use super::query::{Query, all};
use super::router::{Context, not_found};
use super::status::Refusal;
use crate::engine::Engine;
use crate::engine::transfer::Import;
use crate::error::{Hint, Kind};
use crate::image::{Credentials, Hub, Platform, PullEvent, PullRequest, Reference};
use crate::wire::JsonMessage;
use crate::wire::session::HUB_HEADER;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query as Parameters, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

type Map = HashMap<String, String>;

/// What a pull sends to the answer it makes.
enum Step {
    Line(PullEvent),
    Failed(Refusal),
}

/// What fails before the first line is an error's status; what fails later is the last line. A
/// client that hangs up ends the pull.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    Parameters(query): Parameters<Map>,
    RawQuery(raw): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    let query = Query(query);
    let platform = query.given("platform").map(str::parse::<Platform>).transpose();
    let platform = platform.map_err(crate::image::Error::from)?;
    let Some(from) = query.given("fromImage") else {
        let changes = all(raw.as_deref().unwrap_or_default(), "changes");
        return match query.given("fromSrc") {
            Some("-") => import(&engine, &context, &query, changes, platform, body).await,
            Some(url) => Err(refuse_url(url)),
            None => Err(not_found()),
        };
    };
    let every = query.text("tag").is_empty() && is_bare(from);
    let reference = reference(from, query.text("tag"))?;
    let credentials = credentials(&headers)?;
    let request = PullRequest { reference, platform, credentials, hub: hub(&headers)? };
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (lasting, done) = Lasting::new();
    tokio::spawn(async move {
        let _done = done;
        let lines = sender.clone();
        // Nobody listening is what `closed` waits for.
        let progress = move |event| drop(lines.send(Step::Line(event)));
        let pull = async {
            match every {
                true => engine.pull_all(&context.door, request, progress).await,
                false => engine.pull(&context.door, request, progress).await.map(drop),
            }
        };
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

/// The request's body as an image. `repo` may hold the tag already.
async fn import(
    engine: &Engine,
    context: &Context,
    query: &Query,
    changes: Vec<String>,
    platform: Option<Platform>,
    body: Body,
) -> Result<Response, Refusal> {
    let name = query.given("repo").map(|repository| reference(repository, query.text("tag"))).transpose()?;
    if name.as_ref().is_some_and(|name| name.digest().is_some()) {
        return Err(Refusal::invalid("cannot import digest reference"));
    }
    let import = Import { name, message: query.text("message").to_owned(), changes, platform };
    let id = engine.import(&context.door, import, super::body::bytes(body)).await?;
    Ok(documents(stream::iter([JsonMessage::status(id)])))
}

fn refuse_url(url: &str) -> Refusal {
    let message = format!("import from a URL is not supported by learn: download {url} and import the file");
    Refusal { kind: Kind::Unsupported, message, hint: Some(Hint::SeeHelp) }
}

/// Whether a name says neither tag nor digest.
fn is_bare(name: &str) -> bool {
    !name.rsplit('/').next().unwrap_or(name).contains([':', '@'])
}

fn message(step: Step) -> serde_json::Value {
    let value = match step {
        Step::Line(event) => serde_json::to_value(event),
        Step::Failed(refusal) => serde_json::to_value(JsonMessage::error(refusal.body())),
    };
    value.unwrap_or_default()
}

/// `tag` is a tag or a digest, and may be part of the name already.
pub(super) fn reference(from: &str, tag: &str) -> Result<Reference, Refusal> {
    let text = match tag {
        "" => from.to_owned(),
        digest if digest.contains(':') => format!("{from}@{digest}"),
        tag => format!("{from}:{tag}"),
    };
    Ok(text.parse::<Reference>().map_err(crate::image::Error::from)?)
}

/// Who the client says its user is.
pub(super) fn credentials(headers: &HeaderMap) -> Result<Credentials, Refusal> {
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
