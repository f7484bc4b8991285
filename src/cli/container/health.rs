//! The `--health-*` flags.

use super::args::Health;
use crate::cli::Failure;
use crate::wire::Healthcheck;
use jiff::SignedDuration;

/// The check the flags ask for; `None` for the image's.
///
/// # Errors
/// Values that make no sense, in the words of Docker's client.
pub fn check(flags: &Health) -> Result<Option<Healthcheck>, Failure> {
    let times = [
        ("--health-interval", &flags.health_interval),
        ("--health-timeout", &flags.health_timeout),
        ("--health-start-period", &flags.health_start_period),
        ("--health-start-interval", &flags.health_start_interval),
    ];
    let mut nanoseconds = [0; 4];
    for (slot, (flag, given)) in nanoseconds.iter_mut().zip(times) {
        *slot = given.as_deref().map_or(Ok(0), |text| duration(flag, text))?;
    }
    let [interval, timeout, start_period, start_interval] = nanoseconds;
    let retries = flags.health_retries.unwrap_or(0);
    let any = flags.health_cmd.is_some() || retries != 0 || nanoseconds.iter().any(|time| *time != 0);
    if flags.no_healthcheck {
        if any {
            return Err(Failure::Arguments("--no-healthcheck conflicts with --health-* options".to_owned()));
        }
        return Ok(Some(Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() }));
    }
    if !any {
        return Ok(None);
    }
    let negative = [(interval, "interval"), (timeout, "timeout"), (start_period, "start-period")];
    if let Some((_, name)) = negative.iter().find(|(time, _)| *time < 0) {
        return Err(Failure::Arguments(format!("--health-{name} cannot be negative")));
    }
    if retries < 0 {
        return Err(Failure::Arguments("--health-retries cannot be negative".to_owned()));
    }
    let test = flags.health_cmd.iter().flat_map(|line| ["CMD-SHELL".to_owned(), line.clone()]).collect();
    Ok(Some(Healthcheck { test, interval, timeout, start_period, start_interval, retries }))
}

/// Go's durations, `1m30s`, as nanoseconds.
fn duration(flag: &str, text: &str) -> Result<i64, Failure> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    let parsed = parsed.and_then(|time| i64::try_from(time.as_nanos()).ok());
    parsed.ok_or_else(|| {
        Failure::Usage(format!(
            "invalid argument {text:?} for {flag:?} flag: time: invalid duration {text:?}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_line_for_the_shell_with_times_in_nanoseconds() {
        let flags = Health {
            health_cmd: Some("test -e /ok".into()),
            health_interval: Some("1m30s".into()),
            health_retries: Some(2),
            ..Health::default()
        };
        let check = check(&flags).unwrap().unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "test -e /ok"]);
        assert_eq!((check.interval, check.retries), (90_000_000_000, 2));
    }

    #[test]
    fn no_check_and_a_check_exclude_each_other() {
        let none = Health { no_healthcheck: true, ..Health::default() };
        assert_eq!(check(&none).unwrap().unwrap().test, ["NONE"]);
        let both = Health { health_cmd: Some("true".into()), ..none };
        assert!(check(&both).is_err());
        assert!(check(&Health::default()).unwrap().is_none());
    }
}
