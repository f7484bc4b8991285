//! Query parameters, read as Docker reads them.

use super::status::Refusal;
use crate::wire::Filters;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// The parameters of a request; of a repeated one the last counts.
#[derive(Clone, Debug, Default)]
pub struct Query(pub HashMap<String, String>);

impl Query {
    /// A text; empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A text that is not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Docker's truth: everything but a few words is true.
    pub fn flag(&self, name: &str) -> bool {
        !matches!(self.text(name).trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// A whole number.
    ///
    /// # Errors
    /// A text that is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| Refusal::invalid(format!("strconv.Atoi: parsing {text:?}: invalid syntax")))
        };
        self.given(name).map(parse).transpose()
    }

    /// `h` and `w`: lines and columns of a window.
    ///
    /// # Errors
    /// One that is missing or no number.
    pub fn window(&self) -> Result<(u16, u16), Refusal> {
        let size = |name: &str| -> Result<u16, Refusal> {
            let text = self.text(name);
            let number: i64 = text
                .parse()
                .map_err(|_| Refusal::invalid(format!("strconv.Atoi: parsing {text:?}: invalid syntax")))?;
            Ok(u16::try_from(number.max(0)).unwrap_or(u16::MAX))
        };
        Ok((size("h")?, size("w")?))
    }

    /// Filters.
    ///
    /// # Errors
    /// JSON that is none.
    pub fn filters(&self) -> Result<Filters, Refusal> {
        Filters::parse(self.text("filters"))
            .map_err(|error| Refusal::invalid(format!("invalid filter: {error}")))
    }

    /// Unix seconds with a fraction, or RFC 3339; `0` and nothing are no time at all.
    ///
    /// # Errors
    /// A text that is neither.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.given(name).filter(|text| *text != "0") else { return Ok(None) };
        let bad = || Refusal::invalid(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Some(time));
        }
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds: i64 = seconds.parse().map_err(|_| bad())?;
        let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        let nanoseconds: i32 = digits.parse().map_err(|_| bad())?;
        let time = Timestamp::from_duration(SignedDuration::new(seconds, nanoseconds));
        time.map(Some).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(value: &str) -> Query {
        Query([("x".to_owned(), value.to_owned())].into())
    }

    #[test]
    fn most_words_are_true() {
        for (word, truth) in
            [("1", true), ("true", true), ("yes", true), ("0", false), ("False", false), ("", false)]
        {
            assert_eq!(query(word).flag("x"), truth, "{word:?}");
        }
    }

    #[test]
    fn times_are_seconds_with_a_fraction_or_dates() {
        let time = |text: &str| query(text).time("x").unwrap().unwrap().to_string();
        assert_eq!(time("1767225600.5"), "2026-01-01T00:00:00.5Z");
        assert_eq!(time("1767225600.000000001"), "2026-01-01T00:00:00.000000001Z");
        assert_eq!(time("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
        assert!(query("0").time("x").unwrap().is_none());
        assert!(query("tomorrow").time("x").is_err());
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        assert_eq!(query("7").number("x").unwrap(), Some(7));
        assert!(query("7s").number("x").is_err());
    }
}
