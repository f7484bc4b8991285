//! `learn images`: images as a table.

use super::args::List;
use crate::cli::format::{Table, age, size, words};
use crate::cli::{Context, Failure, filter, output};
use crate::wire::ImageSummary;

const NONE: &str = "<none>";

/// One line of the table: an image under one of its names.
struct Named<'a> {
    image: &'a ImageSummary,
    repository: &'a str,
    tag: &'a str,
    digest: &'a str,
}

/// Lists images.
pub async fn list(context: &Context, list: List) -> Result<(), Failure> {
    let mut filters = filter::collect(&list.filter)?;
    if let Some(name) = &list.name {
        filters.entry("reference".to_owned()).or_default().push(name.clone());
    }
    let mut images = context.client.list_images(list.all, &filters).await?;
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    let lines: Vec<Named> = images.iter().flat_map(|image| named(image, list.digests)).collect();
    output::text(&match list.quiet {
        true => lines.iter().map(|line| words::id(&line.image.id, list.no_trunc) + "\n").collect(),
        false => table(&lines, &list, age::now()),
    })
}

/// One line a tag; with digests, each tag beside each digest of its repository.
fn named(image: &ImageSummary, digests: bool) -> Vec<Named<'_>> {
    let mut lines = Vec::new();
    for name in image.repo_tags.iter().filter(|name| *name != "<none>:<none>") {
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, NONE));
        let known = image.repo_digests.iter().filter_map(|name| name.split_once('@'));
        let digests: Vec<&str> =
            known.filter(|(name, _)| digests && *name == repository).map(|(_, digest)| digest).collect();
        let shown = if digests.is_empty() { vec![NONE] } else { digests };
        lines.extend(shown.into_iter().map(|digest| Named { image, repository, tag, digest }));
    }
    if lines.is_empty() {
        let known = image.repo_digests.first().and_then(|name| name.split_once('@'));
        let (repository, digest) = known.unwrap_or((NONE, NONE));
        lines.push(Named { image, repository, tag: NONE, digest });
    }
    lines
}

fn table(lines: &[Named<'_>], list: &List, now: i64) -> String {
    let mut heading = vec!["REPOSITORY", "TAG"];
    if list.digests {
        heading.push("DIGEST");
    }
    heading.extend(["IMAGE ID", "CREATED", "SIZE"]);
    let mut table = Table::new(&heading);
    for line in lines {
        let mut row = vec![line.repository.to_owned(), line.tag.to_owned()];
        if list.digests {
            row.push(line.digest.to_owned());
        }
        row.push(words::id(&line.image.id, list.no_trunc));
        row.push(match line.image.created {
            // Reproducible images carry no date; Docker shows none.
            ..=0 => "N/A".to_owned(),
            created => age::ago(created, now),
        });
        row.push(size::short(line.image.size));
        table.row(row);
    }
    table.render()
}
