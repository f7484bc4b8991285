//! `docker container prune`: what does not run goes.

use super::{Engine, Error};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::wire::{ContainersPruned, Filters};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What the filters of a prune may name.
const KNOWN: [&str; 3] = ["label", "label!", "until"];

impl Engine {
    /// Removes every container that does not run and passes the filters. What cannot be removed
    /// stays, and says why in the trace.
    ///
    /// # Errors
    /// An unknown filter, or one whose value means nothing.
    pub async fn prune_containers(
        self: &Arc<Self>,
        door: &TracedHost,
        filters: &Filters,
    ) -> Result<ContainersPruned, Error> {
        if let Some(unknown) = filters.unknown(&KNOWN) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let until = until(filters, self.source.now())?;
        let mut stopped = self.containers.all();
        stopped.retain(|container| {
            let record = container.record();
            let created: Option<Timestamp> = record.created.parse().ok();
            let old_enough = until.is_none_or(|until| created.is_some_and(|created| created <= until));
            let labels = &record.config.labels;
            !record.state.is_running()
                && old_enough
                && filters.labels(labels)
                && filters.labels_absent(labels)
        });
        let pruned = door
            .within(Scope::ContainerPrune, stopped.len().to_string(), async |door: TracedHost| {
                let names: Vec<String> = stopped.iter().map(|container| container.name()).collect();
                door.note(Note::PruneListed, facts([("count", &names.len()), ("names", &names.join(", "))]));
                let mut pruned = ContainersPruned::default();
                for container in &stopped {
                    let (size, _) = self.sizes(&container.snapshot()).await;
                    match self.remove(&door, &container.id, false).await {
                        Ok(()) => {
                            pruned.containers_deleted.get_or_insert_default().push(container.id.clone());
                            pruned.space_reclaimed += u64::try_from(size).unwrap_or(0);
                        }
                        Err(error) if error.is_abort() => return Err(error),
                        // Started or removed meanwhile, or the disk refuses: the others go all the same.
                        Err(_) => {}
                    }
                }
                Ok(pruned)
            })
            .await?;
        self.events.pruned("container", pruned.space_reclaimed);
        Ok(pruned)
    }
}

/// The time before which a container must have been made: a date, seconds since the epoch, or how
/// long ago.
fn until(filters: &Filters, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let text = match filters.get("until") {
        [] => return Ok(None),
        [text] => text,
        _ => return Err(Error::Invalid("more than one until filter specified".into())),
    };
    let bad = || Error::Invalid(format!("failed to parse value as time or duration: {text:?}"));
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let since = SignedDuration::try_from_secs_f64(seconds).map_err(|_| bad())?;
        return Timestamp::from_duration(since).map(Some).map_err(|_| bad());
    }
    let local = text.parse::<jiff::civil::DateTime>().ok();
    let local = local.or_else(|| Some(text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)));
    if let Some(local) = local {
        let zoned = local.to_zoned(jiff::tz::TimeZone::system()).map_err(|_| bad())?;
        return Ok(Some(zoned.timestamp()));
    }
    let ago: SignedDuration = text.parse().map_err(|_| bad())?;
    now.checked_sub(ago).map(Some).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_is_a_date_seconds_or_how_long_ago() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let at = |text: &str| {
            let mut filters = Filters::default();
            filters.add("until", text);
            until(&filters, now).map(|time| time.unwrap().to_string())
        };
        assert_eq!(at("10m").unwrap(), "2026-01-02T02:54:05Z");
        assert_eq!(at("1767225600").unwrap(), "2026-01-01T00:00:00Z");
        assert_eq!(at("2026-01-01T00:00:00Z").unwrap(), "2026-01-01T00:00:00Z");
        assert!(at("yesterday").unwrap_err().to_string().contains("\"yesterday\""));
    }
}
