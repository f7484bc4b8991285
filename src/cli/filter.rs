//! `--filter NAME=VALUE`, any number of times.

use super::Failure;
use crate::client::query::Filters;

/// Reads one filter, as a flag's value; an empty one asks for nothing.
///
/// # Errors
/// Docker's words for one without a value.
pub fn filter(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err("bad format of filter (expected name=value)".to_owned()),
    }
}

/// Collects filters.
///
/// # Errors
/// A filter without a value.
pub fn collect(given: &[String]) -> Result<Filters, Failure> {
    let mut filters = Filters::new();
    for text in given.iter().filter(|text| !text.is_empty()) {
        filter(text).map_err(Failure::Usage)?;
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        filters.entry(name.trim().to_lowercase()).or_default().push(value.trim().to_owned());
    }
    Ok(filters)
}
