//! Health checks: what is run, how often, and what its answers add up to.

use super::Error;
use crate::wire::{Config, Healthcheck, HealthcheckResult};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Docker's defaults.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: u32 = 3;

/// Answers kept.
const KEPT: usize = 5;

/// Bytes of a probe's output kept.
pub const OUTPUT: usize = 4096;

/// Nanoseconds of the shortest time that makes sense.
const LEAST: i64 = 1_000_000;

/// What the answers so far add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum HealthStatus {
    /// No good answer yet, and not too many bad ones.
    #[default]
    Starting,
    /// The last answers were good.
    Healthy,
    /// Too many bad answers in a row.
    Unhealthy,
}

impl HealthStatus {
    /// The word in Docker's JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A container's health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Health {
    /// What it adds up to.
    pub status: HealthStatus,
    /// Bad answers in a row.
    pub failing_streak: u32,
    /// The last five answers, oldest first.
    pub log: Vec<HealthcheckResult>,
}

/// How a container's health is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is run inside.
    pub argv: Vec<String>,
    /// Between two probes.
    pub interval: Duration,
    /// The same while it starts.
    pub start_interval: Duration,
    /// What a probe may take.
    pub timeout: Duration,
    /// How long after its start bad answers do not count, until the first good one.
    pub start_period: Duration,
    /// Bad answers in a row that make it unhealthy.
    pub retries: u32,
}

/// The check of a container; `None` when there is none.
pub fn of(config: &Config) -> Option<Check> {
    let asked = config.healthcheck.as_ref()?;
    let (kind, words) = asked.test.split_first()?;
    let argv = match kind.as_str() {
        "CMD" => words.to_vec(),
        "CMD-SHELL" => {
            let shell = config.shell.clone().filter(|shell| !shell.is_empty());
            let mut argv = shell.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
            argv.extend(words.iter().cloned());
            argv
        }
        _ => return None,
    };
    let time = |nanoseconds: i64, otherwise| match u64::try_from(nanoseconds) {
        Ok(nanoseconds @ 1..) => Duration::from_nanos(nanoseconds),
        _ => otherwise,
    };
    Some(Check {
        argv,
        interval: time(asked.interval, INTERVAL),
        start_interval: time(asked.start_interval, START_INTERVAL),
        timeout: time(asked.timeout, TIMEOUT),
        start_period: time(asked.start_period, Duration::ZERO),
        retries: u32::try_from(asked.retries).ok().filter(|retries| *retries > 0).unwrap_or(RETRIES),
    })
}

/// Completes a request's check from the image's, field by field.
pub fn merge(asked: Option<Healthcheck>, image: Option<&Healthcheck>) -> Option<Healthcheck> {
    let (Some(mut asked), Some(image)) = (asked.clone(), image) else { return asked.or(image.cloned()) };
    if asked.test.is_empty() {
        asked.test.clone_from(&image.test);
    }
    let fields = [
        (&mut asked.interval, image.interval),
        (&mut asked.timeout, image.timeout),
        (&mut asked.start_period, image.start_period),
        (&mut asked.start_interval, image.start_interval),
        (&mut asked.retries, image.retries),
    ];
    fields.into_iter().filter(|(own, _)| **own == 0).for_each(|(own, inherited)| *own = inherited);
    Some(asked)
}

/// Checks what is asked for.
///
/// # Errors
/// Times and counts that make no sense, in Docker's words.
pub fn check(asked: &Healthcheck) -> Result<(), Error> {
    let times = [
        (asked.interval, "Interval"),
        (asked.timeout, "Timeout"),
        (asked.start_period, "StartPeriod"),
        (asked.start_interval, "StartInterval"),
    ];
    if let Some((_, name)) = times.iter().find(|(time, _)| *time != 0 && *time < LEAST) {
        return Err(Error::Invalid(format!("{name} in Healthcheck cannot be less than 1ms")));
    }
    if asked.retries < 0 {
        return Err(Error::Invalid("Retries in Healthcheck cannot be negative".into()));
    }
    Ok(())
}

impl Check {
    /// How long until the next probe, `since_start` after the program's start.
    pub fn wait(&self, status: HealthStatus, since_start: Duration) -> Duration {
        if status == HealthStatus::Starting && since_start < self.start_period {
            self.start_interval
        } else {
            self.interval
        }
    }
}

impl Health {
    /// Takes in an answer, given `since_start` after the program's start; the status if it changed.
    pub fn take(
        &mut self,
        answer: HealthcheckResult,
        check: &Check,
        since_start: Duration,
    ) -> Option<HealthStatus> {
        let before = self.status;
        let good = answer.exit_code == 0;
        if self.log.len() == KEPT {
            self.log.remove(0);
        }
        self.log.push(answer);
        if good {
            self.failing_streak = 0;
            self.status = HealthStatus::Healthy;
        } else if before != HealthStatus::Starting || since_start >= check.start_period {
            self.failing_streak += 1;
            if self.failing_streak >= check.retries {
                self.status = HealthStatus::Unhealthy;
            }
        }
        (self.status != before).then_some(self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(words: &[&str]) -> Config {
        let test = words.iter().map(|word| (*word).to_owned()).collect();
        Config { healthcheck: Some(Healthcheck { test, ..Healthcheck::default() }), ..Config::default() }
    }

    fn answer(exit_code: i64) -> HealthcheckResult {
        HealthcheckResult { exit_code, ..HealthcheckResult::default() }
    }

    #[test]
    fn a_line_goes_through_the_shell_and_none_is_no_check() {
        let check = of(&config(&["CMD-SHELL", "test -e /ok"])).unwrap();
        assert_eq!(check.argv, ["/bin/sh", "-c", "test -e /ok"]);
        assert_eq!((check.interval, check.retries, check.start_period), (INTERVAL, 3, Duration::ZERO));
        assert_eq!(of(&config(&["CMD", "ls", "/"])).unwrap().argv, ["ls", "/"]);
        assert_eq!(of(&config(&["NONE"])), None);
        assert_eq!(of(&Config::default()), None);
    }

    #[test]
    fn as_many_bad_answers_in_a_row_as_asked_for_make_it_unhealthy() {
        let check = of(&config(&["CMD", "x"])).unwrap();
        let mut health = Health::default();
        let late = Duration::from_secs(60);
        assert_eq!(health.take(answer(1), &check, late), None);
        assert_eq!(health.take(answer(0), &check, late), Some(HealthStatus::Healthy));
        assert_eq!(health.take(answer(1), &check, late), None);
        assert_eq!(health.take(answer(1), &check, late), None);
        assert_eq!(health.take(answer(1), &check, late), Some(HealthStatus::Unhealthy));
        assert_eq!((health.failing_streak, health.log.len()), (3, 5));
        assert_eq!(health.take(answer(0), &check, late), Some(HealthStatus::Healthy));
        assert_eq!((health.failing_streak, health.log.len()), (0, 5));
    }

    #[test]
    fn bad_answers_of_the_start_period_do_not_count() {
        let check = Check {
            start_period: Duration::from_secs(10),
            retries: 1,
            ..of(&config(&["CMD", "x"])).unwrap()
        };
        let mut health = Health::default();
        let early = Duration::from_secs(1);
        assert_eq!(health.take(answer(1), &check, early), None);
        assert_eq!(health.failing_streak, 0);
        assert_eq!(check.wait(health.status, early), START_INTERVAL);
        health.take(answer(0), &check, early);
        assert_eq!(check.wait(health.status, early), INTERVAL);
        assert_eq!(health.take(answer(1), &check, early), Some(HealthStatus::Unhealthy), "it had started");
    }

    #[test]
    fn what_is_not_asked_for_is_the_images() {
        let image = Healthcheck {
            test: vec!["CMD".into(), "x".into()],
            interval: 7,
            retries: 2,
            ..Healthcheck::default()
        };
        let asked = Healthcheck { interval: 9, ..Healthcheck::default() };
        let merged = merge(Some(asked), Some(&image)).unwrap();
        assert_eq!((merged.test, merged.interval, merged.retries), (image.test.clone(), 9, 2));
        assert_eq!(merge(None, Some(&image)), Some(image));
        assert_eq!(merge(None, None), None);
    }

    #[test]
    fn times_below_a_millisecond_are_refused_with_dockers_words() {
        let asked = Healthcheck { interval: 5, ..Healthcheck::default() };
        assert_eq!(check(&asked).unwrap_err().to_string(), "Interval in Healthcheck cannot be less than 1ms");
    }
}
