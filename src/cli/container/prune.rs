//! `learn container prune`: asks, then has everything removed that does not run.

use super::args::Prune;
use crate::cli::format::size;
use crate::cli::{Context, Failure, filter, output};
use std::io::BufRead;

const WARNING: &str = "WARNING! This will remove all stopped containers.";

/// Removes all containers that do not run.
pub async fn prune(context: &Context, prune: Prune) -> Result<(), Failure> {
    let filters = filter::collect(&prune.filter)?;
    if !prune.force && !confirmed(WARNING)? {
        // As Docker's client: no is an answer, not a failure.
        return Ok(());
    }
    let pruned = context.client.prune_containers(&filters).await?;
    let ids = pruned.containers_deleted.unwrap_or_default();
    let mut text = String::new();
    if !ids.is_empty() {
        text = format!("Deleted Containers:\n{}\n\n", ids.join("\n"));
    }
    let bytes = i64::try_from(pruned.space_reclaimed).unwrap_or(i64::MAX);
    output::text(&format!("{text}Total reclaimed space: {}\n", size::long(bytes)))
}

/// Docker's question; only `y` is yes.
pub fn confirmed(warning: &str) -> Result<bool, Failure> {
    output::text(&format!("{warning}\nAre you sure you want to continue? [y/N] "))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
