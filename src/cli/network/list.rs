//! `learn network ls` and `inspect`.

use super::args::{Inspect, List as Args};
use crate::cli::format::{List, column, json, words};
use crate::cli::{Context, Failure, filter, output};
use crate::wire::NetworkResource;

/// A network in a list.
struct Line {
    network: NetworkResource,
    whole: bool,
}

static NETWORKS: List<Line> = List {
    type_name: "*formatter.networkContext",
    columns: &[
        column("CreatedAt", "CREATED AT", |line| line.network.created.as_str().into()),
        column("Driver", "DRIVER", |line| line.network.driver.as_str().into()),
        column("ID", "NETWORK ID", |line| words::id(&line.network.id, line.whole).into()),
        column("IPv6", "IPV6", |line| line.network.enable_ipv6.to_string().into()),
        column("Internal", "INTERNAL", |line| line.network.internal.to_string().into()),
        column("Labels", "LABELS", |line| words::labels(&line.network.labels).into()),
        column("Name", "NAME", |line| line.network.name.as_str().into()),
        column("Scope", "SCOPE", |line| line.network.scope.as_str().into()),
    ],
    label: Some(|line, key| line.network.labels.get(key).cloned().unwrap_or_default()),
};

/// Lists networks by name.
pub async fn list(context: &Context, list: Args) -> Result<(), Failure> {
    let mut networks = context.client.list_networks(&filter::collect(&list.filter)?).await?;
    networks.sort_by(|one, other| one.name.cmp(&other.name));
    let format = match list.format.as_str() {
        "" | "table" if list.quiet => "{{.ID}}",
        "" | "table" => "table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}",
        given => given,
    };
    let lines = networks.into_iter().map(|network| Line { network, whole: list.no_trunc });
    output::text(&NETWORKS.write(format, lines.collect())?)
}

/// Shows networks as the daemon describes them; what was found also when another was not.
pub async fn inspect(context: &Context, inspect: Inspect) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in &inspect.networks {
        match context.client.inspect_network_raw(name).await {
            Ok(document) => found.push(document.get().to_owned()),
            Err(error) => failures.push(error.into()),
        }
    }
    output::text(&json::array(&found))?;
    Failure::all(failures)
}
