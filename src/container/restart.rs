//! Restart policies: whether a program that ended is started again, and after how long.

use super::{Error, Record};
use crate::runtime::protocol::Exit;
use crate::wire::HostConfig;
use std::time::Duration;

/// Docker's first wait.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// Docker's longest wait.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A program that ran this long works: the next wait is the first again.
const STEADY: Duration = Duration::from_secs(10);

/// Checks a policy as it is asked for.
///
/// # Errors
/// What makes no sense, in Docker's words.
pub fn check(host: &HostConfig) -> Result<(), Error> {
    let policy = &host.restart_policy;
    let fail = |message: String| Err(Error::Invalid(message));
    let retries = policy.maximum_retry_count;
    match policy.name.as_str() {
        "" | "no" | "always" | "unless-stopped" if retries != 0 => {
            fail(format!("maximum retry count cannot be used with restart policy '{}'", policy.name))
        }
        "on-failure" if retries < 0 => fail("maximum retry count cannot be negative".into()),
        "" | "no" => Ok(()),
        "always" | "unless-stopped" | "on-failure" if host.auto_remove => {
            fail("can't create 'AutoRemove' container with restart policy".into())
        }
        "always" | "unless-stopped" | "on-failure" => Ok(()),
        name => fail(format!("invalid restart policy '{name}'")),
    }
}

/// Checks a policy that is to take another's place; an empty one leaves it.
///
/// # Errors
/// For a container that is removed when it ends.
pub fn check_update(asked: &HostConfig, present: &HostConfig) -> Result<(), Error> {
    if has_policy(asked) && present.auto_remove {
        let message = "Restart policy cannot be updated because AutoRemove is enabled for the container";
        return Err(Error::Invalid(message.into()));
    }
    Ok(())
}

/// Whether there is a policy at all.
pub fn has_policy(host: &HostConfig) -> bool {
    !matches!(host.restart_policy.name.as_str(), "" | "no")
}

/// Whether a program that has just ended is started again. One that was stopped or killed by hand
/// never is, whatever the policy.
pub fn after_exit(record: &Record, exit: &Exit) -> bool {
    !record.state.stopped_by_hand && wanted(record, exit.code)
}

/// Whether a daemon that has just started starts the container: with `always` even one that was
/// stopped by hand.
pub fn after_boot(record: &Record) -> bool {
    let spared = record.state.stopped_by_hand && record.host_config.restart_policy.name != "always";
    record.state.started_at.is_some() && !spared && wanted(record, record.state.exit_code)
}

fn wanted(record: &Record, code: i32) -> bool {
    let policy = &record.host_config.restart_policy;
    let most = policy.maximum_retry_count;
    match policy.name.as_str() {
        "always" | "unless-stopped" => true,
        "on-failure" => code != 0 && (most == 0 || i64::from(record.state.restarts) < most),
        _ => false,
    }
}

/// The wait before the next start: doubled each time, from the first again after a steady run.
pub fn delay(last: Option<Duration>, ran: Duration) -> Duration {
    match last {
        Some(last) if ran < STEADY => (last * 2).min(LONGEST_DELAY),
        _ => FIRST_DELAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Snapshot, State};
    use crate::wire::RestartPolicy;

    fn record(policy: &str, most: i64, restarts: u32, by_hand: bool) -> Record {
        let restart_policy = RestartPolicy { name: policy.into(), maximum_retry_count: most };
        let started_at = Some("2026-01-02T03:04:04Z".into());
        Record {
            id: String::new(),
            name: String::new(),
            created: String::new(),
            image_id: String::new(),
            argv: vec![],
            config: Default::default(),
            host_config: HostConfig { restart_policy, ..HostConfig::default() },
            networking: Default::default(),
            network: Default::default(),
            mounts: Default::default(),
            snapshot: Snapshot::default(),
            state: State { restarts, stopped_by_hand: by_hand, exit_code: 1, started_at, ..State::default() },
        }
    }

    fn exit(code: i32) -> Exit {
        Exit { code, signal: None, oom: false, at: String::new() }
    }

    #[test]
    fn each_policy_decides_as_dockers_does() {
        let again = |policy: &str, code| after_exit(&record(policy, 0, 0, false), &exit(code));
        assert_eq!([again("no", 1), again("always", 0), again("unless-stopped", 0)], [false, true, true]);
        assert_eq!([again("on-failure", 0), again("on-failure", 1)], [false, true]);
        assert!(after_exit(&record("on-failure", 3, 2, false), &exit(1)));
        assert!(!after_exit(&record("on-failure", 3, 3, false), &exit(1)), "as often as asked for");
        for policy in ["always", "unless-stopped", "on-failure"] {
            assert!(!after_exit(&record(policy, 0, 0, true), &exit(1)), "{policy}: stopped by hand");
        }
    }

    #[test]
    fn a_new_daemon_starts_always_but_not_what_was_stopped_by_hand() {
        assert!(after_boot(&record("always", 0, 0, true)));
        assert!(!after_boot(&record("unless-stopped", 0, 0, true)));
        assert!(after_boot(&record("unless-stopped", 0, 0, false)));
        assert!(!after_boot(&record("no", 0, 0, false)));
        let mut never_started = record("always", 0, 0, false);
        never_started.state.started_at = None;
        assert!(!after_boot(&never_started));
    }

    #[test]
    fn waits_double_up_to_a_minute_and_begin_anew_after_ten_seconds() {
        let brief = Duration::from_secs(1);
        let mut waits = vec![delay(None, brief)];
        for _ in 0..11 {
            waits.push(delay(waits.last().copied(), brief));
        }
        assert_eq!(waits[..4], [100, 200, 400, 800].map(Duration::from_millis));
        assert_eq!(waits[11], LONGEST_DELAY);
        assert_eq!(delay(waits.last().copied(), STEADY), FIRST_DELAY);
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_refused_with_dockers_words() {
        let of = |name: &str, most, auto_remove| {
            let restart_policy = RestartPolicy { name: name.into(), maximum_retry_count: most };
            check(&HostConfig { restart_policy, auto_remove, ..HostConfig::default() })
        };
        assert_eq!(of("sometimes", 0, false).unwrap_err().to_string(), "invalid restart policy 'sometimes'");
        let message = "maximum retry count cannot be used with restart policy 'always'";
        assert_eq!(of("always", 3, false).unwrap_err().to_string(), message);
        let message = "can't create 'AutoRemove' container with restart policy";
        assert_eq!(of("always", 0, true).unwrap_err().to_string(), message);
        assert!(of("on-failure", 3, false).is_ok() && of("no", 0, true).is_ok());
    }
}
