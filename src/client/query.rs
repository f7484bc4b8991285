//! Query strings in the Engine API's manner: zero values are left out, keys are sorted, filters
//! are a map of maps in JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Filters as `name → values`: `--filter status=exited --filter name=web`.
pub type Filters = BTreeMap<String, Vec<String>>;

/// The query of one request.
#[derive(Default)]
pub struct Query(BTreeMap<&'static str, Vec<String>>);

impl Query {
    /// `key=1` if `on`.
    pub fn flag(mut self, key: &'static str, on: bool) -> Query {
        if on {
            self.0.insert(key, vec!["1".to_owned()]);
        }
        self
    }

    /// `key=value` if there is a value.
    pub fn opt(mut self, key: &'static str, value: Option<impl ToString>) -> Query {
        if let Some(value) = value {
            self.0.insert(key, vec![value.to_string()]);
        }
        self
    }

    /// `key=value` for each value.
    pub fn all(mut self, key: &'static str, values: &[String]) -> Query {
        if !values.is_empty() {
            self.0.insert(key, values.to_vec());
        }
        self
    }

    /// `filters={"status":{"exited":true}}` if there are any.
    pub fn filters(self, filters: &Filters) -> Query {
        let map: BTreeMap<&str, BTreeMap<&str, bool>> = filters
            .iter()
            .map(|(name, values)| {
                (name.as_str(), values.iter().map(|value| (value.as_str(), true)).collect())
            })
            .collect();
        self.opt("filters", (!map.is_empty()).then(|| serde_json::json!(map)))
    }

    /// `path?key=value&…`.
    pub fn onto(&self, path: &str) -> String {
        let mut text = path.to_owned();
        let pairs = self.0.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        for (index, (key, value)) in pairs.enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            text.push_str(&escape(value, ""));
        }
        text
    }
}

/// Percent-encodes one path segment. Image names keep their slashes, as Docker's client sends
/// them.
pub(super) fn segment(text: &str) -> String {
    escape(text, "/:@")
}

/// RFC 3986: everything but unreserved characters and `keep` becomes `%XX`.
fn escape(text: &str, keep: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        let char = char::from(byte);
        if char.is_ascii_alphanumeric() || "-._~".contains(char) || keep.contains(char) {
            out.push(char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_values_are_left_out_and_keys_are_sorted() {
        let query = Query::default().opt("tag", Some("a b")).flag("all", true).flag("size", false);
        assert_eq!(query.opt("limit", None::<u32>).onto("/x"), "/x?all=1&tag=a%20b");
    }

    #[test]
    fn filters_are_a_map_of_maps() {
        let filters = Filters::from([("status".to_owned(), vec!["exited".to_owned()])]);
        let path = Query::default().filters(&filters).onto("/x");
        assert_eq!(path, "/x?filters=%7B%22status%22%3A%7B%22exited%22%3Atrue%7D%7D");
    }

    #[test]
    fn image_names_keep_their_slashes_and_lose_their_tricks() {
        assert_eq!(segment("r:5000/a/b:1@sha256:0"), "r:5000/a/b:1@sha256:0");
        assert_eq!(segment("a?b#c%"), "a%3Fb%23c%25");
    }
}
