//! Ages as Docker prints them: `About a minute ago`.

use crate::wire::duration;

/// The age of a moment (seconds since the epoch), seen from `now`.
pub fn ago(moment: i64, now: i64) -> String {
    format!("{} ago", duration::human(u64::try_from(now.saturating_sub(moment)).unwrap_or(0)))
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_to_come_is_just_now() {
        assert_eq!(ago(10, 5), "Less than a second ago");
    }
}
