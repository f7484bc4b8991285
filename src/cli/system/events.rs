//! `learn events`: what happens to containers and images, line by line.

use super::args::Events;
use crate::cli::{Context, Failure, filter, moment, output};
use crate::wire::EventMessage;
use jiff::{Timestamp, tz::TimeZone};

/// Prints events as they come.
pub async fn events(context: &Context, events: Events) -> Result<(), Failure> {
    let since = moment::option("--since", events.since.as_deref())?;
    let until = moment::option("--until", events.until.as_deref())?;
    let filters = filter::collect(&events.filter)?;
    let mut stream = context.client.events(since.as_deref(), until.as_deref(), &filters).await?;
    while let Some(event) = stream.next_line().await? {
        output::line(&render(&event, &TimeZone::system()))?;
    }
    Ok(())
}

/// `2026-01-02T03:04:05.000000000+09:00 container start 0123… (image=alpine, name=x)`.
fn render(event: &EventMessage, zone: &TimeZone) -> String {
    let moment = match event.time_nano {
        0 => Timestamp::from_second(event.time),
        nanos => Timestamp::from_nanosecond(i128::from(nanos)),
    };
    let when = moment.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let offset = if when.offset().is_zero() { "Z" } else { "%:z" };
    let when = when.strftime(&format!("%Y-%m-%dT%H:%M:%S.%9f{offset}")).to_string();
    let mut line = format!("{when} {} {} {}", event.kind, event.action, event.actor.id);
    if !event.actor.attributes.is_empty() {
        let pairs: Vec<String> =
            event.actor.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        line.push_str(&format!(" ({})", pairs.join(", ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Actor;
    use std::collections::BTreeMap;

    #[test]
    fn an_event_is_one_line_with_its_facts_sorted() {
        let attributes =
            BTreeMap::from([("name".to_owned(), "x".to_owned()), ("image".to_owned(), "alpine".to_owned())]);
        let event = EventMessage {
            kind: "container".to_owned(),
            action: "start".to_owned(),
            actor: Actor { id: "0123".to_owned(), attributes },
            time_nano: 1_767_290_645_000_000_007,
            ..EventMessage::default()
        };
        assert_eq!(
            render(&event, &TimeZone::UTC),
            "2026-01-01T18:04:05.000000007Z container start 0123 (image=alpine, name=x)"
        );
    }
}
