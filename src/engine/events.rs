//! What happened, for `docker events`: the last few hundred, and those to come.

use super::source::Source;
use crate::container::Record;
use crate::network::Network;
use crate::wire::{Actor, EventMessage, Filters};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Events kept for `--since`, as many as Docker keeps.
const KEPT: usize = 256;

/// What [`Filters`] of events may name.
pub const FILTERS: [&str; 8] = ["type", "container", "image", "event", "label", "scope", "daemon", "network"];

/// The newsroom.
#[derive(Debug)]
pub struct Events {
    source: Arc<dyn Source>,
    kept: Mutex<VecDeque<EventMessage>>,
    sender: broadcast::Sender<EventMessage>,
}

impl Events {
    /// Without any news.
    pub fn new(source: Arc<dyn Source>) -> Events {
        Events { source, kept: Mutex::default(), sender: broadcast::Sender::new(KEPT) }
    }

    /// Something happened to a container; `more` are further attributes.
    pub fn container(&self, record: &Record, action: &str, more: &[(&str, String)]) {
        let mut attributes = record.config.labels.clone();
        attributes.insert("image".into(), record.config.image.clone());
        attributes.insert("name".into(), record.name.clone());
        attributes.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.tell(EventMessage {
            status: action.into(),
            id: record.id.clone(),
            from: record.config.image.clone(),
            ..message("container", action, &record.id, attributes)
        });
    }

    /// Something happened to an image.
    pub fn image(&self, id: &str, name: &str, action: &str) {
        let attributes = [("name".to_owned(), name.to_owned())].into();
        self.tell(EventMessage {
            status: action.into(),
            id: id.into(),
            ..message("image", action, id, attributes)
        });
    }

    /// Something happened to a network, or to a container's place in it.
    pub fn network(&self, network: &Network, action: &str, container: Option<&str>) {
        let mut attributes = BTreeMap::from([
            ("name".to_owned(), network.name.clone()),
            ("type".to_owned(), network.driver.name().to_owned()),
        ]);
        attributes.extend(container.map(|id| ("container".to_owned(), id.to_owned())));
        self.tell(message("network", action, &network.id, attributes));
    }

    /// Everything of a kind that nobody used went, and this many bytes with it.
    pub fn pruned(&self, kind: &str, bytes: u64) {
        let attributes = [("reclaimed".to_owned(), bytes.to_string())].into();
        self.tell(message(kind, "prune", "", attributes));
    }

    fn tell(&self, mut event: EventMessage) {
        let now = self.source.now();
        event.time = now.as_second();
        event.time_nano = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        // One lock for keeping and telling: a listener misses nothing in between.
        let mut kept = self.kept.lock().unwrap_or_else(|poison| poison.into_inner());
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event.clone());
        // Nobody listening is the normal case.
        let _ = self.sender.send(event);
    }

    /// What is kept, and what comes.
    pub fn listen(&self) -> (Vec<EventMessage>, broadcast::Receiver<EventMessage>) {
        let kept = self.kept.lock().unwrap_or_else(|poison| poison.into_inner());
        (kept.iter().cloned().collect(), self.sender.subscribe())
    }

    /// Listeners now.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }
}

fn message(kind: &str, action: &str, id: &str, attributes: BTreeMap<String, String>) -> EventMessage {
    EventMessage {
        kind: kind.into(),
        action: action.into(),
        actor: Actor { id: id.into(), attributes },
        scope: "local".into(),
        ..EventMessage::default()
    }
}

/// Whether an event passes the filters.
pub fn passes(event: &EventMessage, filters: &Filters) -> bool {
    let is = |kind: &str, wanted: &str| {
        let name = event.actor.attributes.get("name").map(String::as_str);
        event.kind == kind && (event.actor.id.starts_with(wanted) || name == Some(wanted))
    };
    let of_image = |wanted: &str| {
        let image = event.actor.attributes.get("image").map_or("", String::as_str);
        is("image", wanted) || image == wanted || image.split(':').next() == Some(wanted)
    };
    filters.any("type", |kind| event.kind == kind)
        && filters.any("event", |action| is_action(&event.action, action))
        && filters.any("scope", |scope| event.scope == scope)
        && filters.any("container", |wanted| is("container", wanted))
        && filters.any("image", of_image)
        && filters.any("network", |wanted| is("network", wanted))
        && filters.any("daemon", |wanted| is("daemon", wanted))
        && filters.labels(&event.actor.attributes)
}

/// Actions with a detail behind a colon are also found without it: moby's daemon/events/filter.go.
fn is_action(action: &str, wanted: &str) -> bool {
    let detailed = matches!(wanted, "health_status" | "exec_create" | "exec_start");
    action == wanted || (detailed && action.split(':').next() == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::source::SystemSource;

    #[test]
    fn filters_choose_by_type_action_and_name() {
        let events = Events::new(Arc::new(SystemSource));
        events.image("sha256:1", "alpine:latest", "pull");
        let (kept, _) = events.listen();
        let chosen = |name: &str, value: &str| {
            let mut filters = Filters::default();
            filters.add(name, value);
            passes(&kept[0], &filters)
        };
        assert!(chosen("type", "image") && chosen("event", "pull") && chosen("image", "alpine:latest"));
        assert!(!chosen("type", "container") && !chosen("event", "delete") && !chosen("container", "alpine"));
        assert!(kept[0].time > 0);
    }
}
