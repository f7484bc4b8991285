//! `explain`, `trace` and `watch`: what the daemon kept or sees, handed to the narrator.

use super::explain::{self, Subject};
use super::render::{Depth, Options};
use super::trace::{self, TraceCommand};
use super::{Context, Failure, watch};
use crate::client::Error;
use crate::text::ui;
use clap::Args;
use futures_util::StreamExt;
use std::io;

#[derive(Debug, Args)]
pub struct Explain {
    #[arg(value_name = "last|TRACE|EXIT-CODE", default_value = "last", hide_default_value = true)]
    pub subject: String,
}

#[derive(Debug, Args)]
pub struct Watch {}

/// Explains an exit code, or how a run came to its end.
pub async fn explain(context: &Context, options: Options, explain: Explain) -> Result<(), Failure> {
    let subject = explain.subject.parse().map_err(|_| {
        Failure::Arguments(ui(context.lang, "explain.unknown-argument", &[("argument", &explain.subject)]))
    })?;
    let name = match &subject {
        Subject::Code(code) => return Ok(explain::explain_code(options, *code, &mut io::stdout())?),
        Subject::Last => "last",
        Subject::Trace(id) => id,
    };
    let (info, records) = fetch(context, name).await?;
    Ok(explain::explain_trace(options, &info, &records, Box::new(io::stdout()))?)
}

/// The verbs over kept traces.
pub async fn traces(context: &Context, options: Options, command: TraceCommand) -> Result<(), Failure> {
    match command {
        TraceCommand::Ls => {
            let infos = context.client.list_traces().await?;
            Ok(trace::list(context.lang, &infos, &mut io::stdout())?)
        }
        TraceCommand::Show { trace: id, explain, json } => {
            let (info, records) = fetch(context, &id).await?;
            if json {
                return Ok(trace::json(&info, records, &mut io::stdout())?);
            }
            trace::show(at(options, explain), &info, records, Box::new(io::stdout()));
            Ok(())
        }
        TraceCommand::Export { trace: id, file } => {
            let (info, records) = fetch(context, &id).await?;
            trace::export(&info, records, &file)
                .map_err(|error| Failure::File(format!("write {}: {error}", file.display())))?;
            let words = [("id", &info.id as &dyn std::fmt::Display), ("file", &file.display())];
            super::output::error_line(&ui(context.lang, "trace.exported", &words))
        }
        TraceCommand::Replay { file, explain } => {
            let (info, records) =
                crate::trace::file::read(&file).map_err(|error| Failure::File(error.to_string()))?;
            trace::show(at(options, explain), &info, records, Box::new(io::stdout()));
            Ok(())
        }
    }
}

/// Narrates every request of any client until Ctrl-C.
pub async fn everything(context: &Context, options: Options) -> Result<(), Failure> {
    let sightings = context.client.watch().await?.into_stream();
    let mut failure = None;
    let whole = sightings.scan(&mut failure, |failure, sighting| {
        let next = sighting.map_err(|error| **failure = Some(error)).ok();
        std::future::ready(next)
    });
    watch::watch(options, whole, Box::new(io::stderr())).await;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

async fn fetch(
    context: &Context,
    id: &str,
) -> Result<(crate::trace::TraceInfo, Vec<crate::trace::Record>), Failure> {
    context.client.fetch_trace(id).await.map_err(|error: Error| match error.status() {
        Some(status) if status == 404 && id == "last" => {
            Failure::Arguments(ui(context.lang, "trace.none", &[]))
        }
        Some(status) if status == 404 => {
            Failure::Arguments(ui(context.lang, "trace.not-found", &[("id", &id)]))
        }
        _ => error.into(),
    })
}

fn at(options: Options, depth: Depth) -> Options {
    Options { depth, ..options }
}
