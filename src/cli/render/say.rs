//! Records as words: the pieces every display puts together.

use crate::text::{self, Lang, glossary};
use crate::trace::{Facts, Note};
use std::collections::HashSet;

/// Finds the words for one narration, and remembers what needs no second saying.
#[derive(Debug)]
pub struct Speaker {
    /// The learner's language.
    pub lang: Lang,
    said: HashSet<String>,
    last_error: String,
    /// Scheme and host asked last.
    host: String,
}

impl Speaker {
    /// A speaker who has said nothing yet.
    pub fn new(lang: Lang) -> Speaker {
        Speaker { lang, said: HashSet::new(), last_error: String::new(), host: String::new() }
    }

    /// Interface text under `narration.`.
    pub fn word(&self, key: &str) -> String {
        text::ui(self.lang, &format!("narration.{key}"), &[])
    }

    /// Whether `key` is asked for the first time.
    pub fn first_time(&mut self, key: &str) -> bool {
        self.said.insert(key.to_owned())
    }

    /// A note's sentence, and those of its facts that the sentence does not hold.
    pub fn note(&self, note: Note, facts: &Facts) -> (String, Vec<(String, String)>) {
        let Some(text) = glossary().note(note) else { return (note.name().to_owned(), rest(facts, "")) };
        let template = text.get(self.lang);
        let value = |name: &str| {
            let value = facts.get(name).filter(|value| !value.is_empty());
            Some(value.map_or_else(|| "?".to_owned(), |value| self.value(name, value)))
        };
        let sentence = text::fill(template, value).unwrap_or_default();
        match note {
            Note::NamespaceInodes => (sentence, self.inodes(facts)),
            _ => (sentence, rest(facts, template)),
        }
    }

    /// The same, where one fact more finds room behind the sentence.
    pub fn remark(&self, note: Note, facts: &Facts) -> (String, Vec<(String, String)>) {
        let (sentence, rest) = self.note(note, facts);
        match rest.len() {
            1 => (format!("{sentence} ({})", self.list(&rest)), Vec::new()),
            _ => (sentence, rest),
        }
    }

    /// Whether this client is heard of for the first time.
    pub fn first_request(&mut self, facts: &Facts) -> bool {
        self.first_time(&format!("peer {:?} {:?}", facts.get("client"), facts.get("pid")))
    }

    /// A fact's value: words of the vocabulary (`layer`, `image`) in the learner's language.
    fn value(&self, name: &str, value: &str) -> String {
        match glossary().values.get(&format!("{name}.{value}")) {
            Some(text) => text.get(self.lang).to_owned(),
            None => shorten(value),
        }
    }

    /// Facts as `label value`, joined so that a screen reader pauses between them.
    pub fn list(&self, facts: &[(String, String)]) -> String {
        let items: Vec<String> = facts
            .iter()
            .map(|(name, value)| match glossary().facts.get(name) {
                Some(label) => format!("{} {value}", label.get(self.lang)),
                None => format!("{name} {value}"),
            })
            .collect();
        items.join(", ")
    }

    /// `error` once: enclosing scopes repeat the error of what they enclose.
    pub fn error(&mut self, error: &str) -> Option<String> {
        if !self.last_error.is_empty() && error.contains(&self.last_error) {
            return None;
        }
        error.clone_into(&mut self.last_error);
        Some(shorten(error))
    }

    /// The whole address once, then the path, as long as the same host is asked; without the query,
    /// whose facts are told before it.
    pub fn target(&mut self, url: &str) -> String {
        let (url, query) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?…"));
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let path = url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
        if self.host == url[..path] {
            return format!("{}{query}", &url[path..]);
        }
        url[..path].clone_into(&mut self.host);
        format!("{url}{query}")
    }

    /// One row per namespace: inside and outside.
    fn inodes(&self, facts: &Facts) -> Vec<(String, String)> {
        let columns = |value: &str| text::pad(value, 10);
        facts
            .iter()
            .filter_map(|(name, host)| {
                let kind = name.strip_prefix("host-")?;
                let inside = facts.get(kind)?;
                let key = if inside == host { "narration.shared" } else { "narration.outside" };
                let other = text::ui(self.lang, key, &[("host", host)]);
                Some((text::pad(kind, 6), format!("{}  {other}", columns(inside))))
            })
            .collect()
    }
}

/// Facts that say something (not empty, not a plain no) and that `template` does not mention.
fn rest(facts: &Facts, template: &str) -> Vec<(String, String)> {
    let said = text::placeholders(template);
    facts
        .iter()
        .filter(|(name, value)| {
            !["", "no", "false"].contains(&value.as_str()) && !said.contains(&name.as_str())
        })
        .map(|(name, value)| (name.clone(), shorten(value)))
        .collect()
}

/// Shortens every run of 32 hex digits or more to 12, as Docker does for ids.
pub fn shorten(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_hexdigit()).map_or(rest.len(), |len| start + len);
        let keep = if end - start >= 32 { start + 12 } else { end };
        short.push_str(&rest[..keep]);
        if keep < end {
            short.push('…');
        }
        rest = &rest[end..];
    }
    short.push_str(rest);
    short
}

/// Microseconds as a person reads them: `0.3 ms`, `48 ms`, `1.2 s`.
pub fn duration(micros: u64) -> String {
    match micros {
        0..=99 => format!("{micros} µs"),
        100..=9_999 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..=999_999 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// errno(3)'s number with its name: `errno 2 ENOENT`.
pub fn errno(lang: Lang, number: i32) -> String {
    let name = format!("{:?}", nix::errno::Errno::from_raw(number));
    text::ui(lang, "narration.errno", &[("number", &number), ("name", &name)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_digests_keep_twelve_digits() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(shorten(&format!("{digest} and deadbeef")), "sha256:abababababab… and deadbeef");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(
            [duration(42), duration(300), duration(48_200), duration(1_240_000)],
            ["42 µs", "0.3 ms", "48 ms", "1.2 s"]
        );
    }
}
