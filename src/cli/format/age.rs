//! Ages as Docker prints them: `About a minute ago`. The steps and roundings are those of
//! go-units' `HumanDuration`.

/// Names a length of time given in seconds.
pub fn duration(seconds: u64) -> String {
    let minutes = seconds / 60;
    // Hours are rounded, everything else is cut off.
    let hours = (seconds + 1800) / 3600;
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3600 => format!("{minutes} minutes"),
        _ => match hours {
            0 | 1 => "About an hour".to_owned(),
            2..48 => format!("{hours} hours"),
            48..336 => format!("{} days", hours / 24),
            336..1440 => format!("{} weeks", hours / 24 / 7),
            1440..17520 => format!("{} months", hours / 24 / 30),
            _ => format!("{} years", seconds / 3600 / 24 / 365),
        },
    }
}

/// The age of a moment (seconds since the epoch), seen from `now`.
pub fn ago(moment: i64, now: i64) -> String {
    format!("{} ago", duration(u64::try_from(now.saturating_sub(moment)).unwrap_or(0)))
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_named_as_docker_names_it() {
        let (minute, hour, day) = (60, 3600, 86400);
        let cases = [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (minute, "About a minute"),
            (2 * minute - 1, "About a minute"),
            (2 * minute, "2 minutes"),
            (hour - 1, "59 minutes"),
            (hour, "About an hour"),
            (hour + 1799, "About an hour"),
            (hour + 1800, "2 hours"),
            (47 * hour, "47 hours"),
            (2 * day, "2 days"),
            (13 * day, "13 days"),
            (14 * day, "2 weeks"),
            (59 * day, "8 weeks"),
            (60 * day, "2 months"),
            (729 * day, "24 months"),
            (730 * day, "2 years"),
        ];
        for (seconds, name) in cases {
            assert_eq!(duration(seconds), name, "{seconds} s");
        }
    }

    #[test]
    fn a_moment_to_come_is_just_now() {
        assert_eq!(ago(10, 5), "Less than a second ago");
    }
}
