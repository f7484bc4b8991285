//! `learn ps`: containers as a table, or as a template asks.

use super::args::Ps;
use super::ports;
use crate::cli::format::template::{Method, Object, Template, Value};
use crate::cli::format::{List, age, column, size, words};
use crate::cli::{Context, Failure, filter, output};
use crate::client::container::List as Request;
use crate::wire::ContainerSummary;
use std::cell::Cell;
use std::rc::Rc;

/// Columns a command may take.
const COMMAND: usize = 20;

/// Columns a mount may take.
const MOUNT: usize = 15;

const TABLE: &str =
    "table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}";

const RAW: &str = "container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
";

/// A container in a list.
struct Line {
    container: ContainerSummary,
    whole: bool,
    now: i64,
}

static CONTAINERS: List<Line> = List {
    type_name: "*formatter.ContainerContext",
    columns: &[
        column("Command", "COMMAND", |line| command(line).into()),
        column("CreatedAt", "CREATED AT", |line| age::at(line.container.created).into()),
        column("ID", "CONTAINER ID", |line| words::id(&line.container.id, line.whole).into()),
        column("Image", "IMAGE", |line| image(line).into()),
        column("Labels", "LABELS", |line| words::labels(&line.container.labels).into()),
        column("LocalVolumes", "LOCAL VOLUMES", |line| local_volumes(line).into()),
        column("Mounts", "MOUNTS", |line| mounts(line).into()),
        column("Names", "NAMES", |line| names(&line.container.names, line.whole).into()),
        column("Networks", "NETWORKS", |line| networks(line).into()),
        column("Platform", "PLATFORM", |_| Value::Nil),
        column("Ports", "PORTS", |line| ports::shown(&line.container.ports).into()),
        column("RunningFor", "CREATED", |line| age::ago(line.container.created, line.now).into()),
        column("Size", "SIZE", |line| sizes(&line.container).into()),
        column("State", "STATE", |line| line.container.state.as_str().into()),
        column("Status", "STATUS", |line| line.container.status.as_str().into()),
    ],
    label: Some(|line, key| line.container.labels.get(key).cloned().unwrap_or_default()),
};

/// Lists containers.
pub async fn list(context: &Context, ps: Ps) -> Result<(), Failure> {
    if ps.quiet && !ps.format.is_empty() {
        output::error_line("WARNING: Ignoring custom format, because both --format and --quiet are set.")?;
    }
    let last = ps.last.filter(|last| *last > 0);
    let limit = if ps.latest && ps.last.is_none_or(|last| last == -1) { Some(1) } else { last };
    let asks_for_size = asks_for_size(&ps.format)?;
    let size = ps.size.unwrap_or(asks_for_size && !ps.quiet);
    let filters = filter::collect(&ps.filter)?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok());
    let request = Request { all: ps.all, limit, size, filters };
    let containers = context.client.list_containers(&request).await?;
    let now = age::now();
    let lines = containers.into_iter().map(|container| Line { container, whole: ps.no_trunc, now });
    output::text(&CONTAINERS.write(&format(&ps.format, ps.quiet, size), lines.collect())?)
}

fn format(given: &str, quiet: bool, size: bool) -> String {
    match (given, quiet) {
        ("raw", true) => "container_id: {{.ID}}".to_owned(),
        ("raw", false) => format!("{RAW}{}", if size { "size: {{.Size}}\\n" } else { "" }),
        (_, true) => "{{.ID}}".to_owned(),
        ("" | "table", false) => format!("{TABLE}{}", if size { "\\t{{.Size}}" } else { "" }),
        (custom, false) => custom.to_owned(),
    }
}

/// Tries the format out, as Docker does, to see whether it looks at the sizes, which cost the
/// daemon a walk through the files.
fn asks_for_size(format: &str) -> Result<bool, Failure> {
    if format.is_empty() {
        return Ok(false);
    }
    let failed =
        |what: &str, problem: String| Failure::Arguments(format!("failed to {what} template: {problem}"));
    let template = Template::parse(format).map_err(|problem| failed("parse", problem))?;
    let probe = Rc::new(Probe { sized: Cell::new(false) });
    let (_, done) = template.execute(&Value::Object(probe.clone()));
    done.map_err(|problem| failed("execute", problem))?;
    Ok(probe.sized.get())
}

/// A container without properties that notices who looks at its size.
struct Probe {
    sized: Cell<bool>,
}

impl Probe {
    fn line(&self) -> Value {
        CONTAINERS.line(Line { container: ContainerSummary::default(), whole: false, now: age::now() })
    }
}

impl Object for Probe {
    fn type_name(&self) -> String {
        CONTAINERS.type_name.to_owned()
    }

    fn field(&self, name: &str) -> Option<Value> {
        if name == "Size" {
            self.sized.set(true);
        }
        let Value::Object(line) = self.line() else { return None };
        line.field(name)
    }

    fn method(&self, name: &str) -> Option<Method> {
        let Value::Object(line) = self.line() else { return None };
        line.method(name)
    }

    fn fields(&self) -> Vec<(String, Value)> {
        self.sized.set(true);
        let Value::Object(line) = self.line() else { return Vec::new() };
        line.fields()
    }
}

fn command(line: &Line) -> String {
    let command = &line.container.command;
    words::quote(&if line.whole { command.clone() } else { words::ellipsis(command, COMMAND) })
}

/// The name asked for, without its digest; an image that lost its name shows its id.
fn image(line: &Line) -> String {
    let (image, id) = (&line.container.image, &line.container.image_id);
    if image.is_empty() {
        return "<no image>".to_owned();
    }
    if line.whole {
        return image.clone();
    }
    if words::id(image, false) == words::id(id, false) {
        return words::id(id, false);
    }
    match crate::cli::reference::Reference::parse(image) {
        Ok(reference) => reference.without_digest(),
        Err(_) => image.clone(),
    }
}

/// Names without their slash; links of other containers (`/other/alias`) only when `whole`.
fn names(names: &[String], whole: bool) -> String {
    let plain: Vec<&str> = names.iter().map(|name| name.strip_prefix('/').unwrap_or(name)).collect();
    match plain.iter().find(|name| !whole && !name.contains('/')) {
        Some(own) => (*own).to_owned(),
        None => plain.join(","),
    }
}

fn local_volumes(line: &Line) -> String {
    line.container.mounts.iter().filter(|mount| mount.driver == "local").count().to_string()
}

fn mounts(line: &Line) -> String {
    let mounts = line.container.mounts.iter().map(|mount| {
        let name = if mount.name.is_empty() { &mount.source } else { &mount.name };
        if line.whole { name.clone() } else { words::ellipsis(name, MOUNT) }
    });
    mounts.collect::<Vec<_>>().join(",")
}

fn networks(line: &Line) -> String {
    let names = line.container.network_settings.networks.keys();
    names.map(String::as_str).collect::<Vec<_>>().join(",")
}

fn sizes(one: &ContainerSummary) -> String {
    let writable = size::short(one.size_rw.unwrap_or(0));
    match one.size_root_fs {
        Some(whole) if whole > 0 => format!("{writable} (virtual {})", size::short(whole)),
        _ => writable,
    }
}
