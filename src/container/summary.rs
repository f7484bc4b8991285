//! One line of `docker ps`.

use super::health::HealthStatus;
use super::{Record, State, Status, mounts, placement};
use crate::wire::{ContainerSummary, SummaryHostConfig, SummaryNetworks, duration};
use jiff::Timestamp;

/// The summary of a container, seen at `now`.
pub fn of(record: &Record, now: Timestamp) -> ContainerSummary {
    ContainerSummary {
        id: record.id.clone(),
        names: vec![format!("/{}", record.name)],
        image: record.config.image.clone(),
        image_id: record.image_id.clone(),
        command: command(&record.argv),
        created: record.created.parse().map_or(0, Timestamp::as_second),
        labels: record.config.labels.clone(),
        state: record.state.status.name().into(),
        status: status(&record.state, now),
        host_config: SummaryHostConfig { network_mode: record.host_config.network_mode.clone() },
        network_settings: SummaryNetworks { networks: placement::networks(record) },
        mounts: mounts::plan(&record.host_config)
            .unwrap_or_default()
            .iter()
            .filter(|mount| mount.kind == "bind")
            .map(mounts::Planned::to_wire)
            .collect(),
        ports: placement::ports(record),
        ..ContainerSummary::default()
    }
}

/// The network a container is in: `bridge` unless it asked for another.
pub fn network(record: &Record) -> String {
    match record.host_config.network_mode.as_str() {
        "" | "default" => "bridge".into(),
        mode => mode.into(),
    }
}

/// The words as one line; a word with a space is quoted as Docker does.
fn command(argv: &[String]) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// `Up 4 minutes`, `Exited (0) 5 days ago`, `Created`.
pub fn status(state: &State, now: Timestamp) -> String {
    let since = |time: &Option<String>| {
        let then: Option<Timestamp> = time.as_ref().and_then(|time| time.parse().ok());
        let seconds = then.map_or(0, |then| now.as_second() - then.as_second());
        duration::human(u64::try_from(seconds).unwrap_or(0))
    };
    match state.status {
        Status::Running => match &state.health {
            None => format!("Up {}", since(&state.started_at)),
            Some(health) => {
                let starting = if health.status == HealthStatus::Starting { "health: " } else { "" };
                format!("Up {} ({starting}{})", since(&state.started_at), health.status.name())
            }
        },
        Status::Paused => format!("Up {} (Paused)", since(&state.started_at)),
        Status::Restarting => format!("Restarting ({}) {} ago", state.exit_code, since(&state.finished_at)),
        Status::Removing => "Removal In Progress".into(),
        Status::Dead => "Dead".into(),
        Status::Created => "Created".into(),
        Status::Exited if state.finished_at.is_none() => String::new(),
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, since(&state.finished_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_dockers_words() {
        let now: Timestamp = "2026-01-06T00:04:00Z".parse().unwrap();
        let state = |status, started: &str, finished: &str| State {
            status,
            started_at: Some(started.into()),
            finished_at: Some(finished.into()),
            exit_code: 3,
            ..State::default()
        };
        let minutes_ago = "2026-01-06T00:00:00Z";
        let days_ago = "2026-01-01T00:00:00.123456789Z";
        let cases = [
            (Status::Running, "Up 4 minutes"),
            (Status::Paused, "Up 4 minutes (Paused)"),
            (Status::Exited, "Exited (3) 5 days ago"),
            (Status::Created, "Created"),
            (Status::Removing, "Removal In Progress"),
            (Status::Dead, "Dead"),
        ];
        for (status_of, words) in cases {
            assert_eq!(status(&state(status_of, minutes_ago, days_ago), now), words);
        }
    }

    #[test]
    fn a_word_with_a_space_is_quoted() {
        assert_eq!(command(&["sh".into(), "-c".into(), "echo hi".into()]), "sh -c 'echo hi'");
    }
}
