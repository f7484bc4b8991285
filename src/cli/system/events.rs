//! `learn events`: what happens to containers and images, line by line.

use super::args::Events;
use crate::cli::format::template::{Object, Template, Value};
use crate::cli::{Context, Failure, filter, moment, output};
use crate::wire::EventMessage;
use jiff::{Timestamp, tz::TimeZone};
use std::rc::Rc;

/// Prints events as they come.
pub async fn events(context: &Context, events: Events) -> Result<(), Failure> {
    let since = moment::option("--since", events.since.as_deref())?;
    let until = moment::option("--until", events.until.as_deref())?;
    let filters = filter::collect(&events.filter)?;
    let template = template(&events.format)?;
    let mut stream = context.client.events(since.as_deref(), until.as_deref(), &filters).await?;
    while let Some(event) = stream.next_line().await? {
        match &template {
            None => output::line(&render(&event, &TimeZone::system()))?,
            Some(template) => {
                let (text, done) = template.execute(&Value::Object(Rc::new(Told(event))));
                done.map_err(Failure::Arguments)?;
                output::line(&text)?;
            }
        }
    }
    Ok(())
}

/// What `--format` asks for, tried out on an event without properties, as Docker does.
fn template(format: &str) -> Result<Option<Template>, Failure> {
    let text = match format {
        "" => return Ok(None),
        "json" => "{{json .}}",
        text => text,
    };
    let refused = |problem: String| Failure::Arguments(format!("Error parsing format: {problem}"));
    let template = Template::parse(text).map_err(refused)?;
    template.execute(&Value::Object(Rc::new(Told(EventMessage::default())))).1.map_err(refused)?;
    Ok(Some(template))
}

/// An event as a template sees it: Go's names for fields, the API's for `json`.
struct Told(EventMessage);

impl Told {
    fn actor(&self) -> Value {
        let attributes = self.0.actor.attributes.iter();
        let attributes = attributes.map(|(name, value)| (name.clone(), Value::text(value))).collect();
        let fields = vec![
            ("ID".to_owned(), Value::text(&self.0.actor.id)),
            ("Attributes".to_owned(), Value::Map(Rc::new(attributes))),
        ];
        Value::Struct(Rc::new(fields))
    }
}

impl Object for Told {
    fn type_name(&self) -> String {
        "*events.Message".to_owned()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let event = &self.0;
        Some(match name {
            "Type" => Value::text(&event.kind),
            "Action" => Value::text(&event.action),
            "Actor" => self.actor(),
            "Scope" => Value::text(&event.scope),
            "Time" => Value::Int(event.time),
            "TimeNano" => Value::Int(event.time_nano),
            "Status" => Value::text(&event.status),
            "ID" => Value::text(&event.id),
            "From" => Value::text(&event.from),
            _ => return None,
        })
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let event = &self.0;
        let deprecated = [("status", &event.status), ("id", &event.id), ("from", &event.from)];
        let deprecated = deprecated.into_iter().filter(|(_, text)| !text.is_empty());
        let deprecated = deprecated.map(|(name, text)| (name, Value::text(text)));
        let rest = [
            ("Type", Value::text(&event.kind)),
            ("Action", Value::text(&event.action)),
            ("Actor", self.actor()),
            ("scope", Value::text(&event.scope)),
            ("time", Value::Int(event.time)),
            ("timeNano", Value::Int(event.time_nano)),
        ];
        deprecated.chain(rest).map(|(name, value)| (name.to_owned(), value)).collect()
    }
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

    #[test]
    fn a_template_sees_gos_names_and_json_the_apis() {
        let actor = Actor { id: "0123".to_owned(), attributes: [("name".to_owned(), "x".to_owned())].into() };
        let event = EventMessage {
            kind: "container".to_owned(),
            action: "die".to_owned(),
            actor,
            ..EventMessage::default()
        };
        let told = |format: &str| {
            let template = template(format).unwrap().unwrap();
            template.execute(&Value::Object(Rc::new(Told(event.clone())))).0
        };
        assert_eq!(told("{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"), "container die x");
        let json = r#"{"Type":"container","Action":"die","Actor":{"ID":"0123","Attributes":{"name":"x"}},"scope":"","time":0,"timeNano":0}"#;
        assert_eq!(told("json"), json);
        assert!(template("{{.Nothing}}").is_err() && template("{{").is_err());
    }
}
