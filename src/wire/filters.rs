//! The `filters` parameter of lists and of events.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Name → wanted values; all names must match, of each any value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Reads `{"status":{"exited":true}}`, or the older `{"status":["exited"]}`. Empty is none.
    ///
    /// # Errors
    /// The parser's word when it is neither.
    pub fn parse(json: &str) -> Result<Filters, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Values {
            Set(BTreeMap<String, bool>),
            List(Vec<String>),
        }
        if json.is_empty() {
            return Ok(Filters::default());
        }
        let filters: BTreeMap<String, Values> = serde_json::from_str(json)?;
        let values = |values| match values {
            Values::Set(set) => {
                set.into_iter().filter(|(_, wanted)| *wanted).map(|(value, _)| value).collect()
            }
            Values::List(list) => list,
        };
        Ok(Filters(filters.into_iter().map(|(name, set)| (name, values(set))).collect()))
    }

    /// As a client sends it.
    pub fn to_json(&self) -> String {
        let set = |values: &Vec<String>| values.iter().map(|value| (value.clone(), true)).collect();
        let sets: BTreeMap<&String, BTreeMap<String, bool>> =
            self.0.iter().map(|(name, values)| (name, set(values))).collect();
        serde_json::to_string(&sets).unwrap_or_default()
    }

    /// Adds a value.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_default().push(value.to_owned());
    }

    /// The first name outside `known`.
    pub fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|name| !known.contains(name))
    }

    /// The values of a name.
    pub fn get(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether any value of `name` passes; also when the name is not there.
    pub fn any(&self, name: &str, pass: impl Fn(&str) -> bool) -> bool {
        let values = self.get(name);
        values.is_empty() || values.iter().any(|value| pass(value))
    }

    /// Whether the labels hold none of what `label!` filters name.
    pub fn labels_absent(&self, labels: &BTreeMap<String, String>) -> bool {
        self.get("label!").iter().all(|unwanted| match unwanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_none_or(|has| has != value),
            None => !labels.contains_key(unwanted),
        })
    }

    /// Whether the labels hold every `label` filter: `key` or `key=value`.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        self.get("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|has| has == value),
            None => labels.contains_key(wanted),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let new = Filters::parse(r#"{"status":{"exited":true,"dead":false}}"#).unwrap();
        assert_eq!(new.get("status"), ["exited"]);
        assert_eq!(Filters::parse(r#"{"status":["exited"]}"#).unwrap(), new);
        assert_eq!(Filters::parse(&new.to_json()).unwrap(), new);
        assert_eq!(Filters::parse("").unwrap(), Filters::default());
        assert!(Filters::parse("{").is_err());
    }

    #[test]
    fn every_label_must_be_there() {
        let labels = [("a".to_owned(), "1".to_owned())].into();
        let mut filters = Filters::default();
        filters.add("label", "a");
        filters.add("label", "a=1");
        assert!(filters.labels(&labels));
        filters.add("label", "a=2");
        assert!(!filters.labels(&labels));
    }
}
