//! Points in time on the command line: `10m` ago, RFC 3339, a date, or seconds since the epoch.
//! The daemon is told seconds since the epoch.

use super::Failure;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

/// The moment of an option, if it was given.
///
/// # Errors
/// What is no moment, with the option's name.
pub fn option(flag: &str, given: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = given else { return Ok(None) };
    match parse(text, &Zoned::now()) {
        Some(moment) => Ok(Some(moment)),
        None => Err(Failure::Arguments(format!(
            "invalid value for \"{}\": failed to parse value as time or duration: {text:?}",
            flag.trim_start_matches('-')
        ))),
    }
}

fn parse(text: &str, now: &Zoned) -> Option<String> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !seconds.is_empty()
        && [seconds, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Some(text.to_owned());
    }
    // Go's durations: 1h30m, 10m, 1.5s. A point in time never ends in such a unit.
    if text.ends_with(['h', 'm', 's']) && text.starts_with(|first: char| first.is_ascii_digit()) {
        let ago: SignedDuration = text.parse().ok()?;
        return Some(show(now.timestamp().checked_sub(ago).ok()?));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(show(moment));
    }
    // Without an offset: the caller's own clock.
    let zone: &TimeZone = now.time_zone();
    let local = text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0)))?;
    Some(show(zone.to_timestamp(local).ok()?))
}

fn show(moment: Timestamp) -> String {
    format!("{}.{:09}", moment.as_second(), moment.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_become_seconds_since_the_epoch() {
        let now: Zoned = "2026-01-02T03:04:05+09:00[Asia/Seoul]".parse().unwrap();
        let cases = [
            ("10m", "1767290045.000000000"),
            ("1.5s", "1767290643.500000000"),
            ("1767290645", "1767290645"),
            ("1767290645.25", "1767290645.25"),
            ("2026-01-01T18:04:05Z", "1767290645.000000000"),
            ("2026-01-02T03:04:05", "1767290645.000000000"),
            ("2026-01-02", "1767279600.000000000"),
        ];
        for (text, moment) in cases {
            assert_eq!(parse(text, &now).as_deref(), Some(moment), "{text}");
        }
        for text in ["", "yesterday", "10x", "m"] {
            assert_eq!(parse(text, &now), None, "{text}");
        }
    }
}
