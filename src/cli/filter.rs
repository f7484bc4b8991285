//! `--filter NAME=VALUE`, any number of times.

use super::Failure;
use crate::client::query::Filters;

/// Collects filters.
///
/// # Errors
/// A filter without a value.
pub fn collect(given: &[String]) -> Result<Filters, Failure> {
    let mut filters = Filters::new();
    for text in given {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::Usage(format!(
                "invalid argument \"{text}\" for \"-f, --filter\" flag: invalid filter '{text}': expected NAME=VALUE"
            ))
        })?;
        filters.entry(name.trim().to_lowercase()).or_default().push(value.trim().to_owned());
    }
    Ok(filters)
}
