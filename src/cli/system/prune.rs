//! `learn system prune`: everything nobody needs, after one question.

use super::args::Prune;
use crate::cli::format::size;
use crate::cli::image::prune::report;
use crate::cli::{Context, Failure, confirm, filter, output};
use crate::client::query::Filters;
use crate::wire::ImagePrune;
use serde_json::Value;

/// What is pruned, in Docker's order.
struct Part {
    /// The endpoint's noun.
    what: &'static str,
    /// What the question says of it.
    warning: &'static str,
    /// Heading of what went, and the answer's field with it.
    gone: (&'static str, &'static str),
}

const CONTAINERS: Part = Part {
    what: "containers",
    warning: "all stopped containers",
    gone: ("Deleted Containers:", "ContainersDeleted"),
};
const NETWORKS: Part = Part {
    what: "networks",
    warning: "all networks not used by at least one container",
    gone: ("Deleted Networks:", "NetworksDeleted"),
};
const VOLUMES: Part = Part {
    what: "volumes",
    warning: "all anonymous volumes not used by at least one container",
    gone: ("Deleted Volumes:", "VolumesDeleted"),
};

/// Asks once, then prunes one kind after the other.
pub async fn prune(context: &Context, args: Prune) -> Result<(), Failure> {
    let filters = filter::collect(&args.filter)?;
    if args.volumes && filters.contains_key("until") {
        let refusal = "ERROR: The \"until\" filter is not supported with \"--volumes\"";
        return Err(Failure::Arguments(refusal.into()));
    }
    if !args.force && !confirm::confirmed(&question(&args))? {
        // As Docker's client: no is an answer, not a failure.
        return Ok(());
    }
    let mut bytes: u64 = 0;
    for part in parts(&args) {
        let answer = context.client.prune_any(part.what, false, &filters).await?;
        bytes += reclaimed(&answer);
        let names = answer.get(part.gone.1).and_then(Value::as_array).into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        if !names.is_empty() {
            output::text(&format!("{}\n{}\n\n", part.gone.0, names.join("\n")))?;
        }
    }
    let mut image_filters = filters.clone();
    image_filters.entry("dangling".to_owned()).or_default().push((!args.all).to_string());
    let images: ImagePrune = context.client.prune_images(&image_filters).await?;
    bytes += images.space_reclaimed;
    let text = report(&images);
    if !text.is_empty() {
        output::line(&text)?;
    }
    bytes += prune_builds(context, args.all, &filters).await?;
    output::line(&format!("Total reclaimed space: {}", size::long(i64::try_from(bytes).unwrap_or(i64::MAX))))
}

/// What builds keep for the next one.
async fn prune_builds(context: &Context, all: bool, filters: &Filters) -> Result<u64, Failure> {
    let answer = context.client.prune_any("build", all, filters).await?;
    let names = answer.get("CachesDeleted").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Value::as_str).collect();
    if !names.is_empty() {
        output::text(&format!("Deleted build cache objects:\n{}\n\n", names.join("\n")))?;
    }
    Ok(reclaimed(&answer))
}

fn reclaimed(answer: &Value) -> u64 {
    answer.get("SpaceReclaimed").and_then(Value::as_u64).unwrap_or(0)
}

fn parts(args: &Prune) -> impl Iterator<Item = &'static Part> {
    [&CONTAINERS, &NETWORKS].into_iter().chain(args.volumes.then_some(&VOLUMES))
}

/// Docker's question, word for word.
fn question(args: &Prune) -> String {
    let mut warnings: Vec<&str> = parts(args).map(|part| part.warning).collect();
    match args.all {
        true => warnings
            .extend(["all images without at least one container associated to them", "all build cache"]),
        false => warnings.extend(["all dangling images", "unused build cache"]),
    }
    let mut text = "WARNING! This will remove:\n".to_owned();
    for warning in warnings {
        text.push_str(&format!("  - {warning}\n"));
    }
    if !args.filter.is_empty() {
        text.push_str("\n  Items to be pruned will be filtered with:\n");
        let mut filters = args.filter.clone();
        filters.sort();
        for filter in filters {
            text.push_str(&format!("  - {filter}\n"));
        }
    }
    text + "\nAre you sure you want to continue?"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_what_goes() {
        let args = Prune { all: true, volumes: true, filter: vec!["label=x".into()], force: false };
        holds(&question(&args));
        let plain = Prune { all: false, volumes: false, filter: Vec::new(), force: false };
        assert_eq!(
            question(&plain),
            "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one \
             container\n  - all dangling images\n  - unused build cache\n\nAre you sure you want to continue?"
        );
    }

    fn holds(text: &str) {
        for line in
            ["  - all anonymous volumes", "  - all build cache", "will be filtered with:\n  - label=x\n"]
        {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
