//! `docker ps`.

use super::{Engine, Error};
use crate::container::{Record, Status, summary};
use crate::wire::{ContainerSummary, Filters};
use std::path::Path;
use std::str::FromStr;

/// What a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Also what does not run.
    pub all: bool,
    /// The newest so many, running or not; 0 and less for no limit.
    pub limit: i64,
    /// With bytes.
    pub size: bool,
    /// Which.
    pub filters: Filters,
}

/// What [`ListOptions::filters`] may name.
const KNOWN: [&str; 12] = [
    "ancestor", "before", "exited", "health", "id", "is-task", "label", "name", "network", "since", "status",
    "volume",
];

impl Engine {
    /// Containers, newest first.
    ///
    /// # Errors
    /// An unknown filter, or a filter's value that means nothing.
    pub async fn list(&self, options: &ListOptions) -> Result<Vec<ContainerSummary>, Error> {
        let filters = &options.filters;
        if let Some(unknown) = filters.unknown(&KNOWN) {
            return Err(Error::Invalid(format!("Invalid filter '{unknown}'")));
        }
        for status in filters.get("status") {
            Status::from_str(status)
                .map_err(|_| Error::Invalid(format!("Unrecognised filter value for status: {status}")))?;
        }
        let mut records: Vec<Record> = self.containers.all().iter().map(|c| c.snapshot()).collect();
        records.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        let (newest, oldest) = self.bounds(filters)?;
        let all = options.all
            || options.limit > 0
            || !filters.get("status").is_empty()
            || !filters.get("exited").is_empty();
        records.retain(|record| {
            (all || record.state.is_running())
                && newest.as_ref().is_none_or(|before| record.created < *before)
                && oldest.as_ref().is_none_or(|since| record.created > *since)
                && self.matches(record, filters)
        });
        if let Ok(limit @ 1..) = usize::try_from(options.limit) {
            records.truncate(limit);
        }
        let now = self.source.now();
        let mut summaries = Vec::with_capacity(records.len());
        for record in &records {
            let mut summary = summary::of(record, now);
            if options.size {
                let (own, all) = self.sizes(record).await;
                (summary.size_rw, summary.size_root_fs) = (Some(own), Some(all));
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    /// The times of `before` and `since`, given as containers.
    fn bounds(&self, filters: &Filters) -> Result<(Option<String>, Option<String>), Error> {
        let time = |name: &str| -> Result<Option<String>, Error> {
            let wanted = filters.get(name).first();
            wanted.map(|wanted| Ok(self.containers.find(wanted)?.record().created.clone())).transpose()
        };
        Ok((time("before")?, time("since")?))
    }

    fn matches(&self, record: &Record, filters: &Filters) -> bool {
        let state = &record.state;
        let ancestor = |wanted: &str| {
            record.config.image == wanted
                || record.config.image.split(':').next() == Some(wanted)
                || self.images.find(wanted).is_ok_and(|image| image.id == record.image_id)
        };
        filters.any("id", |id| record.id.starts_with(id))
            && filters.any("name", |name| record.name.contains(name.trim_start_matches('/')))
            && filters.any("status", |status| state.status.name() == status)
            && filters
                .any("exited", |code| state.status == Status::Exited && code.parse() == Ok(state.exit_code))
            && filters.any("ancestor", ancestor)
            && filters.any("network", |name| summary::network(record) == name)
            && filters.any("health", |wanted| {
                state.health.as_ref().map_or("none", |health| health.status.name()) == wanted
            })
            && filters.any("is-task", |task| task == "false" || task == "0")
            && filters.any("volume", |path| {
                summary::of(record, self.source.now()).mounts.iter().any(|m| m.destination == path)
            })
            && filters.labels(&record.config.labels)
    }

    /// Bytes of the writable layer, and of all layers. Counted on a thread of its own.
    pub(super) async fn sizes(&self, record: &Record) -> (i64, i64) {
        let below = self.images.get_id(&record.image_id).map_or(0, |image| image.size);
        let below = i64::try_from(below).unwrap_or(i64::MAX);
        let upper = record.snapshot.data.get("UpperDir").cloned();
        let overlay = upper.is_some();
        let tree = upper.unwrap_or_else(|| record.snapshot.rootfs.clone());
        let counted = tokio::task::spawn_blocking(move || bytes_below(Path::new(&tree))).await.unwrap_or(0);
        if overlay { (counted, counted.saturating_add(below)) } else { (0, counted) }
    }
}

/// Lengths of all files; links count as nothing. What vanishes meanwhile counts as nothing, too.
fn bytes_below(directory: &Path) -> i64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) if metadata.is_file() => i64::try_from(metadata.len()).unwrap_or(i64::MAX),
            _ => 0,
        })
        .fold(0, i64::saturating_add)
}
