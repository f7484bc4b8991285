//! `learn inspect`: objects as the daemon describes them.

use super::args::{Inspect, InspectNamed, Kind};
use crate::cli::format::json;
use crate::cli::{Context, Failure, output};
use crate::client::Error;

/// Looks objects up, containers before images.
pub async fn inspect(context: &Context, inspect: Inspect) -> Result<(), Failure> {
    show(context, &inspect.names, inspect.kind, inspect.size).await
}

/// Looks up objects of one kind.
pub async fn named(context: &Context, inspect: InspectNamed, kind: Kind) -> Result<(), Failure> {
    show(context, &inspect.names, Some(kind), inspect.size).await
}

/// What was found is printed also when something else was not.
async fn show(context: &Context, names: &[String], kind: Option<Kind>, size: bool) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match look_up(context, name, kind, size).await {
            Ok(document) => found.push(document),
            Err(failure) => failures.push(failure),
        }
    }
    output::text(&json::array(&found))?;
    Failure::all(failures)
}

async fn look_up(context: &Context, name: &str, kind: Option<Kind>, size: bool) -> Result<String, Failure> {
    let client = &context.client;
    let absent = |error: &Error| error.status().is_some_and(|status| status == 404);
    if kind != Some(Kind::Image) {
        match client.inspect_container_raw(name, size).await {
            Ok(document) => return Ok(document.get().to_owned()),
            Err(error) if kind.is_none() && absent(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match client.inspect_image_raw(name).await {
        Ok(document) => Ok(document.get().to_owned()),
        Err(error) if kind.is_none() && absent(&error) => {
            Err(Failure::Arguments(format!("Error: No such object: {name}")))
        }
        Err(error) => Err(error.into()),
    }
}
