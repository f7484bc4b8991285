//! `learn images`: images as a table, or as a template asks.

use super::args::List as Args;
use crate::cli::format::{List, age, column, size, words};
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, filter, output};
use crate::wire::ImageSummary;
use std::rc::Rc;

const NONE: &str = "<none>";

/// Seconds from Go's zero time to the epoch: what Docker has for an image without a date.
const NO_DATE: i64 = -62_135_596_800;

/// One line: an image under one of its names.
struct Line {
    image: Rc<ImageSummary>,
    repository: String,
    tag: String,
    digest: String,
    whole: bool,
    now: i64,
}

static IMAGES: List<Line> = List {
    type_name: "*formatter.imageContext",
    columns: &[
        column("Containers", "CONTAINERS", |line| count(line.image.containers).into()),
        column("CreatedAt", "CREATED AT", |line| age::at(line.image.created).into()),
        column("CreatedSince", "CREATED", |line| created(line).into()),
        column("Digest", "DIGEST", |line| line.digest.as_str().into()),
        column("ID", "IMAGE ID", |line| words::id(&line.image.id, line.whole).into()),
        column("Repository", "REPOSITORY", |line| line.repository.as_str().into()),
        column("SharedSize", "SHARED SIZE", |line| known(line.image.shared_size).into()),
        column("Size", "SIZE", |line| size::short(line.image.size).into()),
        column("Tag", "TAG", |line| line.tag.as_str().into()),
        column("UniqueSize", "UNIQUE SIZE", |line| unique(&line.image).into()),
        column("VirtualSize", "SIZE", |line| size::long(line.image.size).into()),
    ],
    label: None,
};

/// Lists images.
pub async fn list(context: &Context, list: Args) -> Result<(), Failure> {
    let mut filters = filter::collect(&list.filter)?;
    if let Some(name) = &list.name {
        filters.entry("reference".to_owned()).or_default().push(name.clone());
    }
    let images = context.client.list_images(list.all, &filters).await?;
    let format = format(&list);
    let shows_digest = list.digests || format.contains("{{.Digest}}");
    let now = age::now();
    let lines = images.into_iter().flat_map(|image| named(image, shows_digest, &list, now));
    output::text(&IMAGES.write(&format, lines.collect())?)
}

fn format(list: &Args) -> String {
    const CREATED: &str = "{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}";
    let digest = |text: &str| if list.digests { text.to_owned() } else { String::new() };
    match list.format.as_str() {
        "" | "table" | "raw" if list.quiet => {
            if list.format == "raw" { "image_id: {{.ID}}" } else { "{{.ID}}" }.to_owned()
        }
        "" | "table" => format!(
            "table {{{{.Repository}}}}\\t{{{{.Tag}}}}\\t{}{{{{.ID}}}}\\t{CREATED}\\t{{{{.Size}}}}",
            digest("{{.Digest}}\\t")
        ),
        "raw" => format!(
            "repository: {{{{ .Repository }}}}\ntag: {{{{.Tag}}}}\n{}image_id: {{{{.ID}}}}\n\
             created_at: {{{{.CreatedAt}}}}\nvirtual_size: {{{{.Size}}}}\n",
            digest("digest: {{.Digest}}\n")
        ),
        custom if custom.starts_with("table") && list.digests && !custom.contains("{{.Digest}}") => {
            format!("{custom}\t{{{{.Digest}}}}")
        }
        custom => custom.to_owned(),
    }
}

/// One line a tag; with digests, each tag beside each digest of its repository.
fn named(image: ImageSummary, digests: bool, list: &Args, now: i64) -> Vec<Line> {
    let image = Rc::new(image);
    let line = |repository: &str, tag: &str, digest: &str| Line {
        image: image.clone(),
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        digest: digest.to_owned(),
        whole: list.no_trunc,
        now,
    };
    let parsed = |names: &[String]| -> Vec<(String, Reference)> {
        let names = names.iter().filter_map(|name| Reference::parse(name).ok());
        names.map(|reference| (reference.familiar_name(), reference)).collect()
    };
    let (tags, known) = (parsed(&image.repo_tags), parsed(&image.repo_digests));
    let mut lines = Vec::new();
    for (repository, tag) in &tags {
        let own = known.iter().filter(|(name, _)| digests && name == repository);
        let own: Vec<&str> = own.filter_map(|(_, reference)| reference.digest()).collect();
        let shown = if own.is_empty() { vec![NONE] } else { own };
        lines.extend(shown.iter().map(|digest| line(repository, tag.tag().unwrap_or(NONE), digest)));
    }
    let mut seen = Vec::new();
    for (repository, reference) in known.iter().filter(|(name, _)| !tags.iter().any(|(tag, _)| tag == name)) {
        match list.digests {
            true => lines.push(line(repository, NONE, reference.digest().unwrap_or(NONE))),
            false if seen.contains(&repository) => {}
            false => lines.push(line(repository, NONE, "")),
        }
        seen.push(repository);
    }
    if image.repo_tags.is_empty() && image.repo_digests.is_empty() || is_dangling(&image) {
        lines.push(line(NONE, NONE, NONE));
    }
    lines
}

/// How older engines list an image without a name.
fn is_dangling(image: &ImageSummary) -> bool {
    image.repo_tags == ["<none>:<none>"] && image.repo_digests == ["<none>@<none>"]
}

fn created(line: &Line) -> String {
    match line.image.created {
        // Reproducible images carry no date; Docker shows none.
        NO_DATE | 0 => String::new(),
        created => age::ago(created, line.now),
    }
}

fn count(containers: i64) -> String {
    if containers == -1 { "N/A".to_owned() } else { containers.to_string() }
}

fn known(bytes: i64) -> String {
    if bytes == -1 { "N/A".to_owned() } else { size::long(bytes) }
}

fn unique(image: &ImageSummary) -> String {
    match image.size == -1 || image.shared_size == -1 {
        true => "N/A".to_owned(),
        false => size::long(image.size - image.shared_size),
    }
}
