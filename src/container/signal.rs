//! Signals by name and number: signal(7).

use super::Error;
use nix::sys::signal::Signal;
use std::str::FromStr;

/// Reads `TERM`, `SIGTERM`, `sigterm` or `15`; real-time signals as `RTMIN+3` or their number.
///
/// # Errors
/// [`Error::Signal`] for anything else.
pub fn parse(text: &str) -> Result<i32, Error> {
    let unknown = || Error::Signal(text.to_owned());
    if let Ok(number) = text.parse::<i32>() {
        return if (1..=64).contains(&number) { Ok(number) } else { Err(unknown()) };
    }
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(number) = real_time(bare) {
        return Ok(number);
    }
    Signal::from_str(&format!("SIG{bare}")).map(|signal| signal as i32).map_err(|_| unknown())
}

/// `SIGTERM` for 15; `SIGRTMIN+n` for real-time signals.
pub fn name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("SIGRTMIN+{}", number - 34),
    }
}

/// glibc keeps 32 and 33 to itself: SIGRTMIN is 34, SIGRTMAX is 64.
fn real_time(bare: &str) -> Option<i32> {
    let number = match (bare.strip_prefix("RTMIN"), bare.strip_prefix("RTMAX")) {
        (Some(""), _) => 34,
        (_, Some("")) => 64,
        (Some(rest), _) => 34 + rest.strip_prefix('+')?.parse::<i32>().ok()?,
        (_, Some(rest)) => 64 - rest.strip_prefix('-')?.parse::<i32>().ok()?,
        (None, None) => return None,
    };
    (34..=64).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read() {
        let cases =
            [("KILL", 9), ("sigterm", 15), ("SIGINT", 2), ("10", 10), ("RTMIN+3", 37), ("SIGRTMAX", 64)];
        for (text, number) in cases {
            assert_eq!(parse(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn an_unknown_signal_is_refused_with_dockers_words() {
        assert_eq!(parse("NOPE").unwrap_err().to_string(), "Invalid signal: NOPE");
        assert!(parse("0").is_err());
        assert!(parse("65").is_err());
        assert!(parse("RTMIN+40").is_err());
    }
}
