//! `learn image prune`: asks, then has images removed that nobody needs.

use super::args::Prune;
use crate::cli::format::size;
use crate::cli::{Context, Failure, confirm, filter, output};
use crate::wire::ImagePrune;

const DANGLING: &str = "WARNING! This will remove all dangling images.";
const UNUSED: &str =
    "WARNING! This will remove all images without at least one container associated to them.";

/// Removes images without a name, or all that no container was made from.
pub async fn prune(context: &Context, args: Prune) -> Result<(), Failure> {
    let mut filters = filter::collect(&args.filter)?;
    let warning = if args.all { UNUSED } else { DANGLING };
    if !args.force && !confirm::confirmed(&format!("{warning}\nAre you sure you want to continue?"))? {
        // As Docker's client: no is an answer, not a failure.
        return Ok(());
    }
    filters.entry("dangling".to_owned()).or_default().push((!args.all).to_string());
    let pruned = context.client.prune_images(&filters).await?;
    let text = report(&pruned);
    let blank = if text.is_empty() { "" } else { "\n" };
    let bytes = i64::try_from(pruned.space_reclaimed).unwrap_or(i64::MAX);
    output::text(&format!("{text}{blank}Total reclaimed space: {}\n", size::long(bytes)))
}

/// What went, line by line; nothing when nothing did.
pub fn report(pruned: &ImagePrune) -> String {
    let lines = pruned.images_deleted.iter().flatten().map(|one| match (&one.untagged, &one.deleted) {
        (Some(name), _) => format!("untagged: {name}\n"),
        (None, Some(id)) => format!("deleted: {id}\n"),
        (None, None) => String::new(),
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("Deleted Images:\n{lines}") }
}
