//! `learn volume …`.

pub mod args;

use super::format::json;
use super::format::size;
use super::{Context, Failure, filter, output};
use crate::wire::VolumeRequest;
use args::{Create, Inspect, List, Prune, Remove, VolumeCommand};
use std::collections::BTreeMap;
use std::io::BufRead;

/// Does what the words ask for.
pub async fn verb(context: &Context, command: VolumeCommand) -> Result<(), Failure> {
    match command {
        VolumeCommand::Create(args) => create(context, args).await,
        VolumeCommand::Inspect(args) => inspect(context, args).await,
        VolumeCommand::Ls(args) => list(context, args).await,
        VolumeCommand::Prune(args) => prune(context, args).await,
        VolumeCommand::Rm(args) => remove(context, args).await,
    }
}

/// `key=value`; a key alone has an empty value.
fn pairs(words: &[String]) -> BTreeMap<String, String> {
    let pair = |word: &String| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.to_owned(), value.to_owned())
    };
    words.iter().map(pair).collect()
}

async fn create(context: &Context, create: Create) -> Result<(), Failure> {
    let request = VolumeRequest {
        name: create.name.unwrap_or_default(),
        driver: create.driver,
        driver_opts: pairs(&create.opt),
        labels: pairs(&create.label),
    };
    output::line(&context.client.create_volume(&request).await?.name)
}

async fn inspect(context: &Context, inspect: Inspect) -> Result<(), Failure> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in &inspect.names {
        match context.client.inspect_volume_raw(name).await {
            Ok(volume) => found.push(volume.get().to_owned()),
            Err(error) => failures.push(error.into()),
        }
    }
    output::text(&json::array(&found))?;
    Failure::all(failures)
}

async fn list(context: &Context, list: List) -> Result<(), Failure> {
    let filters = filter::collect(&list.filter)?;
    let volumes = context.client.list_volumes(&filters).await?.volumes;
    if list.quiet {
        return output::text(&volumes.iter().map(|volume| format!("{}\n", volume.name)).collect::<String>());
    }
    let mut text = "DRIVER    VOLUME NAME\n".to_owned();
    for volume in volumes {
        text.push_str(&format!("{:<10}{}\n", volume.driver, volume.name));
    }
    output::text(&text)
}

async fn remove(context: &Context, remove: Remove) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for name in &remove.names {
        match context.client.remove_volume(name, remove.force).await {
            Ok(()) => output::line(name)?,
            Err(error) => failures.push(error.into()),
        }
    }
    Failure::all(failures)
}

async fn prune(context: &Context, prune: Prune) -> Result<(), Failure> {
    let which = if prune.all { "all local volumes" } else { "anonymous local volumes" };
    let warning = format!("WARNING! This will remove {which} not used by at least one container.");
    if !prune.force {
        output::text(&format!("{warning}\nAre you sure you want to continue? [y/N] "))?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if !answer.trim().eq_ignore_ascii_case("y") {
            return Ok(());
        }
    }
    let mut filters = filter::collect(&prune.filter)?;
    if prune.all {
        filters.entry("all".to_owned()).or_default().push("true".to_owned());
    }
    let pruned = context.client.prune_volumes(&filters).await?;
    let mut text = String::new();
    if let Some(names) = pruned.volumes_deleted.filter(|names| !names.is_empty()) {
        text.push_str(&format!("Deleted Volumes:\n{}\n\n", names.join("\n")));
    }
    let freed = size::short(i64::try_from(pruned.space_reclaimed).unwrap_or(i64::MAX));
    output::text(&format!("{text}Total reclaimed space: {freed}\n"))
}
