//! The daemon's configuration file: one JSON object. Its keys are those of Docker's `daemon.json`
//! where Docker has them; `hub` and `unpack-limit` are `learn`'s own.
//!
//! The command line reads it before a daemon starts, so that what is wrong with it is said at once
//! and in the learner's language.

use crate::text::{Lang, ui};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the file says; a key that is not there leaves the engine's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `registry-mirrors`: URLs asked before Docker Hub.
    pub registry_mirrors: Vec<String>,
    /// `insecure-registries`: hosts, `host:port`, or networks as `10.0.0.0/8`.
    pub insecure_registries: Vec<String>,
    /// `hub`: `auto`, `docker`, `builtin`, a URL or `host[:port]`.
    pub hub: Option<String>,
    /// `max-concurrent-downloads`: layers on their way at one time.
    pub max_concurrent_downloads: Option<usize>,
    /// `max-download-attempts`: tries in all.
    pub max_download_attempts: Option<usize>,
    /// `unpack-limit`: most bytes one layer may unpack to.
    pub unpack_limit: Option<u64>,
}

/// What belongs at a place of the file; its words are in `lessons/ui.yaml` under
/// `settings.expected-<kebab-case>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Expected {
    /// The whole file.
    Object,
    /// One of the keys there are.
    Key,
    /// A list of `http://` or `https://` URLs.
    Urls,
    /// A list of hosts or networks.
    Hosts,
    /// Who answers for Docker Hub.
    Hub,
    /// A whole number of at least 1.
    Count,
    /// Bytes, as a number or as `64g`.
    Size,
}

/// Why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is there, or was asked for by name, and cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// It says something it should not.
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What belongs there.
        expected: Expected,
        /// What is there: a piece of the file, or the parser's word.
        found: String,
    },
}

impl Error {
    /// The failure in the learner's language.
    pub fn say(&self, lang: Lang) -> String {
        match self {
            Error::Read { path, reason } => {
                ui(lang, "settings.read", &[("path", &path.display()), ("reason", reason)])
            }
            Error::Malformed { path, line, column, expected, found } => {
                let name: &'static str = expected.into();
                let expected = ui(lang, &format!("settings.expected-{name}"), &[("keys", &KEYS.join(", "))]);
                let place = format!("{}:{line}:{column}", path.display());
                ui(
                    lang,
                    "settings.malformed",
                    &[("place", &place), ("expected", &expected), ("found", found)],
                )
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.say(Lang::En))
    }
}

impl std::error::Error for Error {}

/// Every key there is.
pub const KEYS: [&str; 6] = [
    "registry-mirrors",
    "insecure-registries",
    "hub",
    "max-concurrent-downloads",
    "max-download-attempts",
    "unpack-limit",
];

impl Settings {
    /// Reads the file at `path`. A file nobody asked for by name (`required` is false) need not be
    /// there.
    ///
    /// # Errors
    /// The file cannot be read or is malformed.
    pub fn load(path: &Path, required: bool) -> Result<Settings, Error> {
        match fs::read_to_string(path) {
            Ok(text) => Settings::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(Settings::default()),
            Err(error) => Err(Error::Read { path: path.to_owned(), reason: error.to_string() }),
        }
    }

    /// Reads `text`; `path` is the name errors carry.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(path: &Path, text: &str) -> Result<Settings, Error> {
        let entries: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|error| Error::Malformed {
                path: path.to_owned(),
                line: error.line(),
                column: error.column(),
                expected: Expected::Object,
                found: without_place(&error.to_string()),
            })?;
        let mut settings = Settings::default();
        for (key, value) in entries {
            let wrong = |expected| {
                let (line, column) = place(text, value.get());
                let found = if expected == Expected::Key { &*key } else { value.get() };
                Error::Malformed { path: path.to_owned(), line, column, expected, found: shorten(found) }
            };
            settings.take(&key, value.get()).map_err(wrong)?;
        }
        Ok(settings)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), Expected> {
        match key {
            "registry-mirrors" => self.registry_mirrors = list(value, is_url).ok_or(Expected::Urls)?,
            "insecure-registries" => {
                self.insecure_registries = list(value, is_host).ok_or(Expected::Hosts)?
            }
            "hub" => {
                let hub = read::<String>(value).filter(|hub| is_url(hub) || is_host(hub));
                self.hub = Some(hub.ok_or(Expected::Hub)?);
            }
            "max-concurrent-downloads" => self.max_concurrent_downloads = Some(count(value)?),
            "max-download-attempts" => self.max_download_attempts = Some(count(value)?),
            "unpack-limit" => self.unpack_limit = Some(size(value).ok_or(Expected::Size)?),
            _ => return Err(Expected::Key),
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_str(value).ok()
}

fn list(value: &str, fits: fn(&str) -> bool) -> Option<Vec<String>> {
    read::<Vec<String>>(value).filter(|words| words.iter().all(|word| fits(word)))
}

fn count(value: &str) -> Result<usize, Expected> {
    read::<usize>(value).filter(|count| *count > 0).ok_or(Expected::Count)
}

/// Bytes: a number, or digits with Docker's suffix (`k`, `m`, `g`, `t`: powers of 1024).
fn size(value: &str) -> Option<u64> {
    if let Some(bytes) = read::<u64>(value) {
        return Some(bytes).filter(|bytes| *bytes > 0);
    }
    let text = read::<String>(value)?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

fn is_url(text: &str) -> bool {
    let url = Url::parse(text).ok();
    url.is_some_and(|url| ["http", "https"].contains(&url.scheme()) && url.host_str().is_some())
}

/// `host`, `host:port`, `[::1]:5000` or a network: no scheme, no path but a network's length.
fn is_host(text: &str) -> bool {
    let (name, length) = text.split_once('/').map_or((text, None), |(name, length)| (name, Some(length)));
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let is_network = |length: &str| {
        name.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 128)
    };
    !name.is_empty() && name.chars().all(sound) && length.is_none_or(is_network)
}

/// Line and column, both from 1, of `part`, a slice of `text`.
fn place(text: &str, part: &str) -> (usize, usize) {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let before = &text.as_bytes()[..offset];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// serde_json ends its messages with the place, which stands before them here.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message).to_owned()
}

/// Enough of a value to know it again, on one line.
fn shorten(value: &str) -> String {
    const MOST: usize = 60;
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("/etc/learn/config.json"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"{"registry-mirrors": ["https://mirror.example"], "hub": "builtin",
            "insecure-registries": ["reg.local:5000", "10.0.0.0/8"], "unpack-limit": "2g",
            "max-concurrent-downloads": 5, "max-download-attempts": 2}"#;
        let settings = parse(text).unwrap();
        assert_eq!(settings.registry_mirrors, ["https://mirror.example"]);
        assert_eq!(settings.insecure_registries, ["reg.local:5000", "10.0.0.0/8"]);
        assert_eq!((settings.hub.as_deref(), settings.unpack_limit), (Some("builtin"), Some(2 << 30)));
        assert_eq!((settings.max_concurrent_downloads, settings.max_download_attempts), (Some(5), Some(2)));
        assert_eq!(parse("{}"), Ok(Settings::default()));
        for key in KEYS {
            assert!(text.contains(key));
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_by_what_belongs_there() {
        for (text, place, part) in [
            ("{\n  \"hub\": \"ftp://x\"\n}", ":2:10: ", "\"ftp://x\""),
            ("{\n\n  \"registry-mirrors\": \"https://x\"}", ":3:23: ", "list of URLs"),
            ("{\"registry-mirrors\": [\"mirror\"]}", ":1:22: ", "[\"mirror\"]"),
            ("{\"insecure-registries\": [\"http://x\"]}", ":1:25: ", "hosts"),
            ("{\"max-concurrent-downloads\": 0}", ":1:30: ", "at least 1"),
            ("{\"unpack-limit\": \"2 parsecs\"}", ":1:18: ", "64g"),
            ("{\"mirrors\": []}", ":1:13: ", "registry-mirrors"),
            ("{\n\"hub\" 7}", ":2:7: ", "`:`"),
            ("[]", ":1:0: ", "one JSON object"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.starts_with("/etc/learn/config.json:"), "{message}");
            assert!(message.contains(place) && message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn everything_that_can_be_expected_has_words() {
        for expected in Expected::VARIANTS {
            let name: &'static str = expected.into();
            for lang in Lang::ALL {
                assert!(!ui(lang, &format!("settings.expected-{name}"), &[]).starts_with("settings."));
            }
        }
    }
}
