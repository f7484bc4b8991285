//! `learn network ls` and `inspect`.

use super::args::{Inspect, List};
use crate::cli::format::{Table, json, words};
use crate::cli::{Context, Failure, filter, output};

/// Lists networks by name.
pub async fn list(context: &Context, list: List) -> Result<(), Failure> {
    let mut networks = context.client.list_networks(&filter::collect(&list.filter)?).await?;
    networks.sort_by(|one, other| one.name.cmp(&other.name));
    if list.quiet {
        let lines = networks.iter().map(|one| words::id(&one.id, list.no_trunc) + "\n");
        return output::text(&lines.collect::<String>());
    }
    let mut table = Table::new(&["NETWORK ID", "NAME", "DRIVER", "SCOPE"]);
    for one in networks {
        table.row(vec![words::id(&one.id, list.no_trunc), one.name, one.driver, one.scope]);
    }
    output::text(&table.render())
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
