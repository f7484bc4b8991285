//! Moments as Docker prints them: `About a minute ago`, and Go's `Time.String`.

use crate::wire::duration;
use jiff::{Timestamp, tz::TimeZone};

/// The age of a moment (seconds since the epoch), seen from `now`.
pub fn ago(moment: i64, now: i64) -> String {
    format!("{} ago", duration::human(u64::try_from(now.saturating_sub(moment)).unwrap_or(0)))
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A moment (seconds since the epoch) in the machine's time zone: `2026-01-02 15:04:05 +0900 KST`.
pub fn at(moment: i64) -> String {
    in_zone(moment, TimeZone::system())
}

fn in_zone(moment: i64, zone: TimeZone) -> String {
    let timestamp = Timestamp::from_second(moment).unwrap_or_default();
    timestamp.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_to_come_is_just_now() {
        assert_eq!(ago(10, 5), "Less than a second ago");
    }

    #[test]
    fn a_moment_names_its_zone() {
        assert_eq!(in_zone(1_767_290_645, TimeZone::UTC), "2026-01-01 18:04:05 +0000 UTC");
    }
}
