//! `learn inspect`: objects as the daemon describes them, whole or as a template asks.

use super::args::{Inspect, InspectNamed, Kind};
use super::typed;
use crate::cli::format::json;
use crate::cli::format::template::{Template, Value};
use crate::cli::{Context, Failure, output};
use crate::client::Error;

/// Looks objects up, containers before images.
pub async fn inspect(context: &Context, inspect: Inspect) -> Result<(), Failure> {
    show(context, &inspect.names, inspect.kind, inspect.size, &inspect.format).await
}

/// Looks up objects of one kind.
pub async fn named(context: &Context, inspect: InspectNamed, kind: Kind) -> Result<(), Failure> {
    show(context, &inspect.names, Some(kind), inspect.size, &inspect.format).await
}

/// What was found is printed also when something else was not.
async fn show(
    context: &Context,
    names: &[String],
    kind: Option<Kind>,
    size: bool,
    format: &str,
) -> Result<(), Failure> {
    let template = match format {
        "" | "json" => None,
        text => Some(Template::parse(text).map_err(|problem| Failure::Format(parsing(&problem)))?),
    };
    let mut found = Vec::new();
    let mut text = String::new();
    let mut failures = Vec::new();
    for name in names {
        match (look_up(context, name, kind, size).await, &template) {
            (Ok((document, _)), None) => found.push(document),
            (Ok((document, kind)), Some(template)) => match fill(template, &document, kind) {
                Ok(filled) => text.push_str(&filled),
                Err(failure) => failures.push(failure),
            },
            (Err(failure), _) => failures.push(failure),
        }
    }
    output::text(&match (template, format) {
        (Some(_), _) if text.is_empty() => "\n".to_owned(),
        (Some(_), _) => text,
        (None, "json") => json::compact(&found),
        (None, _) => json::array(&found),
    })?;
    Failure::all(failures)
}

fn parsing(problem: &str) -> String {
    format!("template parsing error: {problem}")
}

/// First as Docker's client knows the object, by the names of its own fields; what it has no
/// field for is looked up in the document as it came.
fn fill(template: &Template, document: &str, kind: Kind) -> Result<String, Failure> {
    let failed = |problem: String| Failure::Arguments(problem);
    let raw: Value = serde_json::from_str(document)
        .map_err(|error| failed(format!("unable to read inspect data: {error}")))?;
    if let (text, Ok(())) = template.execute(&typed::typed(&raw, kind)) {
        return Ok(text + "\n");
    }
    let (text, done) = template.execute_strictly(&raw.untyped());
    done.map_err(|problem| failed(parsing(&problem)))?;
    Ok(text + "\n")
}

async fn look_up(
    context: &Context,
    name: &str,
    kind: Option<Kind>,
    size: bool,
) -> Result<(String, Kind), Failure> {
    let client = &context.client;
    let absent = |error: &Error| error.status().is_some_and(|status| status == 404);
    if kind != Some(Kind::Image) {
        match client.inspect_container_raw(name, size).await {
            Ok(document) => return Ok((document.get().to_owned(), Kind::Container)),
            Err(error) if kind.is_none() && absent(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match client.inspect_image_raw(name).await {
        Ok(document) => Ok((document.get().to_owned(), Kind::Image)),
        Err(error) if kind.is_none() && absent(&error) => {
            Err(Failure::Arguments(format!("Error: No such object: {name}")))
        }
        Err(error) => Err(error.into()),
    }
}
