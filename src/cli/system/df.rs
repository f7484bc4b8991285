//! `learn system df`: what takes how much space.

use super::args::Df;
use crate::cli::format::{List, age, column, rows, size, words};
use crate::cli::{Context, Failure, output};
use crate::text::ui;
use crate::wire::{ContainerSummary, DiskUsage, ImageSummary};
use serde_json::Value;

/// Shows the sums, or with `-v` every object.
pub async fn df(context: &Context, args: Df) -> Result<(), Failure> {
    if args.verbose && !args.format.is_empty() {
        let reason = ui(context.lang, "refused.verbose-format", &[]);
        return Err(Failure::Usage(format!("flag not supported: --format: {reason}")));
    }
    let usage = context.client.disk_usage().await?;
    if args.verbose {
        return output::text(&verbose(&usage, age::now()));
    }
    let format = match args.format.as_str() {
        "" | "table" => "table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}",
        custom => custom,
    };
    let sums = vec![images(&usage), containers(&usage), volumes(&usage), builds(&usage)];
    output::text(&SUMS.write(format, sums)?)
}

/// One kind of object.
struct Sum {
    kind: &'static str,
    total: usize,
    active: usize,
    size: i64,
    reclaimable: i64,
    /// Docker gives a percentage except for what builds keep.
    percent: bool,
}

static SUMS: List<Sum> = List {
    type_name: "*formatter.diskUsageImagesContext",
    columns: &[
        column("Active", "ACTIVE", |sum| sum.active.to_string().into()),
        column("Reclaimable", "RECLAIMABLE", |sum| reclaimable(sum).into()),
        column("Size", "SIZE", |sum| size::long(sum.size).into()),
        column("TotalCount", "TOTAL", |sum| sum.total.to_string().into()),
        column("Type", "TYPE", |sum| sum.kind.into()),
    ],
    label: None,
};

fn reclaimable(sum: &Sum) -> String {
    let percent = match sum.size {
        1.. if sum.percent => format!(" ({}%)", sum.reclaimable * 100 / sum.size),
        _ => String::new(),
    };
    size::long(sum.reclaimable) + &percent
}

fn images(usage: &DiskUsage) -> Sum {
    let active = usage.images.iter().filter(|image| image.containers > 0);
    // Layers that others share go only with the last of them.
    let used: i64 = active.clone().map(|image| image.size - image.shared_size.max(0)).sum();
    let shared_in_use = active.clone().map(|image| image.shared_size.max(0)).max().unwrap_or(0);
    Sum {
        kind: "Images",
        total: usage.images.len(),
        active: active.count(),
        size: usage.layers_size,
        reclaimable: (usage.layers_size - used - shared_in_use).max(0),
        percent: true,
    }
}

fn is_active(container: &ContainerSummary) -> bool {
    ["running", "paused", "restarting"].contains(&container.state.as_str())
}

fn containers(usage: &DiskUsage) -> Sum {
    let bytes = |container: &ContainerSummary| container.size_rw.unwrap_or(0);
    Sum {
        kind: "Containers",
        total: usage.containers.len(),
        active: usage.containers.iter().filter(|container| is_active(container)).count(),
        size: usage.containers.iter().map(bytes).sum(),
        reclaimable: usage.containers.iter().filter(|container| !is_active(container)).map(bytes).sum(),
        percent: true,
    }
}

fn volumes(usage: &DiskUsage) -> Sum {
    let number = |volume: &Value, name: &str| volume.pointer(name).and_then(Value::as_i64).unwrap_or(0);
    let bytes = |volume: &Value| number(volume, "/UsageData/Size").max(0);
    let idle = |volume: &&Value| number(volume, "/UsageData/RefCount") == 0;
    Sum {
        kind: "Local Volumes",
        total: usage.volumes.len(),
        active: usage.volumes.iter().filter(|volume| !idle(volume)).count(),
        size: usage.volumes.iter().map(bytes).sum(),
        reclaimable: usage.volumes.iter().filter(idle).map(bytes).sum(),
        percent: true,
    }
}

fn builds(usage: &DiskUsage) -> Sum {
    let bytes = |entry: &Value| entry.get("Size").and_then(Value::as_i64).unwrap_or(0);
    let in_use = |entry: &&Value| entry.get("InUse").and_then(Value::as_bool).unwrap_or(false);
    Sum {
        kind: "Build Cache",
        total: usage.build_cache.len(),
        active: usage.build_cache.iter().filter(in_use).count(),
        size: usage.build_cache.iter().map(bytes).sum(),
        reclaimable: usage.build_cache.iter().filter(|entry| !in_use(entry)).map(bytes).sum(),
        percent: false,
    }
}

fn verbose(usage: &DiskUsage, now: i64) -> String {
    let builds = usage.build_cache.iter().map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| entry.get(name).and_then(Value::as_i64).unwrap_or(0);
        vec![
            words::id(&text("ID"), false),
            text("Type"),
            size::short(number("Size")),
            text("CreatedAt"),
            text("LastUsedAt"),
            number("UsageCount").to_string(),
            entry.get("Shared").and_then(Value::as_bool).unwrap_or(false).to_string(),
        ]
    });
    format!(
        "Images space usage:\n\n{}\nContainers space usage:\n\n{}\nLocal Volumes space usage:\n\n{}\nBuild cache usage: {}\n\n{}",
        image_rows(usage, now),
        container_rows(usage, now),
        volume_rows(usage),
        size::long(self::builds(usage).size),
        rows::render(&["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"], builds),
    )
}

fn image_rows(usage: &DiskUsage, now: i64) -> String {
    let heading =
        ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"];
    let row = |image: &ImageSummary| {
        let name = image.repo_tags.first().map(String::as_str).unwrap_or_default();
        let (repository, tag) = name.rsplit_once(':').unwrap_or(("<none>", "<none>"));
        vec![
            repository.to_owned(),
            tag.to_owned(),
            words::id(&image.id, false),
            age::ago(image.created, now),
            size::short(image.size),
            size::long(image.shared_size.max(0)),
            size::long(image.size - image.shared_size.max(0)),
            image.containers.to_string(),
        ]
    };
    rows::render(&heading, usage.images.iter().map(row))
}

fn container_rows(usage: &DiskUsage, now: i64) -> String {
    let heading = ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"];
    let row = |container: &ContainerSummary| {
        let volumes = container.mounts.iter().filter(|mount| mount.r#type == "volume").count();
        let names: Vec<&str> = container.names.iter().map(|name| name.trim_start_matches('/')).collect();
        vec![
            words::id(&container.id, false),
            container.image.clone(),
            words::quote(&words::ellipsis(&container.command, 20)),
            volumes.to_string(),
            size::short(container.size_rw.unwrap_or(0)),
            age::ago(container.created, now),
            container.status.clone(),
            names.join(","),
        ]
    };
    rows::render(&heading, usage.containers.iter().map(row))
}

fn volume_rows(usage: &DiskUsage) -> String {
    let row = |volume: &Value| {
        let number = |name: &str| volume.pointer(name).and_then(Value::as_i64).unwrap_or(0);
        let name = volume.get("Name").and_then(Value::as_str).unwrap_or_default();
        vec![
            name.to_owned(),
            number("/UsageData/RefCount").to_string(),
            size::short(number("/UsageData/Size").max(0)),
        ]
    };
    rows::render(&["VOLUME NAME", "LINKS", "SIZE"], usage.volumes.iter().map(row))
}
