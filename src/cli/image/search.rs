//! `learn search`: Docker Hub asked for a word.

use super::args::Search;
use crate::cli::format::{List, column, words};
use crate::cli::{Context, Failure, filter, output};
use crate::wire::SearchResult;

/// Characters of a description that are shown, the `…` among them.
const DESCRIPTION: usize = 45;

/// What was found, and whether it is shown whole.
struct Line {
    found: SearchResult,
    whole: bool,
}

static FOUND: List<Line> = List {
    type_name: "*registry.searchContext",
    columns: &[
        column("Description", "DESCRIPTION", |line| description(line).into()),
        column("IsAutomated", "AUTOMATED", |line| mark(line.found.is_automated).into()),
        column("IsOfficial", "OFFICIAL", |line| mark(line.found.is_official).into()),
        column("Name", "NAME", |line| line.found.name.as_str().into()),
        column("StarCount", "STARS", |line| line.found.star_count.to_string().into()),
    ],
    label: None,
};

/// Lists what was found.
pub async fn search(context: &Context, args: Search) -> Result<(), Failure> {
    let filters = filter::collect(&args.filter)?;
    let found = context.client.search_images(&args.term, args.limit, &filters).await?;
    let format = match args.format.as_str() {
        "" | "table" => "table {{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}",
        custom => custom,
    };
    let lines = found.into_iter().map(|found| Line { found, whole: args.no_trunc });
    output::text(&FOUND.write(format, lines.collect())?)
}

fn description(line: &Line) -> String {
    let text = line.found.description.replace(['\n', '\r'], " ");
    if line.whole { text } else { words::ellipsis(&text, DESCRIPTION) }
}

fn mark(is_so: bool) -> &'static str {
    if is_so { "[OK]" } else { "" }
}
