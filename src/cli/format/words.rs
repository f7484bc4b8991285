//! Names cut short and quoted as Docker does.

use std::collections::BTreeMap;

/// Digits of an id shown in lists.
const SHORT_ID: usize = 12;

/// An id without its algorithm, cut to 12 digits unless `whole`.
pub fn id(id: &str, whole: bool) -> String {
    match whole {
        true => id.to_owned(),
        false => id.rsplit(':').next().unwrap_or(id).chars().take(SHORT_ID).collect(),
    }
}

/// At most `length` characters; what is cut leaves a `…` as the last.
pub fn ellipsis(text: &str, length: usize) -> String {
    match text.chars().count() <= length {
        true => text.to_owned(),
        false => text.chars().take(length - 1).chain(['…']).collect(),
    }
}

/// `key=value,key=value` in the order of the keys.
pub fn labels(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// In double quotes, as Go's `%q`.
pub use super::template::quote;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_end_in_an_ellipsis() {
        assert_eq!(quote(&ellipsis("/docker-entrypoint.sh nginx", 20)), "\"/docker-entrypoint.…\"");
        assert_eq!(quote(&ellipsis("/hello", 20)), "\"/hello\"");
    }

    #[test]
    fn ids_lose_their_algorithm() {
        assert_eq!(id("sha256:0123456789abcdef", false), "0123456789ab");
        assert_eq!(id("sha256:0123456789abcdef", true), "sha256:0123456789abcdef");
    }
}
