//! `learn search`: Docker Hub asked for a word.

use super::args::Search;
use crate::cli::format::{rows, words};
use crate::cli::{Context, Failure, filter, output};
use crate::wire::SearchResult;

/// Characters of a description that are shown, the `…` among them.
const DESCRIPTION: usize = 45;

/// Lists what was found.
pub async fn search(context: &Context, args: Search) -> Result<(), Failure> {
    let filters = filter::collect(&args.filter)?;
    let found = context.client.search_images(&args.term, args.limit, &filters).await?;
    output::text(&table(&found, args.no_trunc))
}

fn table(found: &[SearchResult], whole: bool) -> String {
    let row = |one: &SearchResult| {
        let description = one.description.replace(['\n', '\r'], " ");
        vec![
            one.name.clone(),
            if whole { description } else { words::ellipsis(&description, DESCRIPTION) },
            one.star_count.to_string(),
            if one.is_official { "[OK]".to_owned() } else { String::new() },
        ]
    };
    rows::render(&["NAME", "DESCRIPTION", "STARS", "OFFICIAL"], found.iter().map(row))
}
