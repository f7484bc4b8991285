//! The YAML files inside the binary, parsed once, when first asked for.

use super::{Error, Lang, Text};
use crate::error::Hint;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

/// `lessons/ui.yaml`: section → key → text.
pub type Ui = BTreeMap<String, BTreeMap<String, Text>>;

const UI: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/ui.yaml"));

/// Reads a YAML document; `file` is the name an error carries.
///
/// # Errors
/// What was expected, and on which line.
pub fn parse<T: DeserializeOwned>(file: &str, source: &str) -> Result<T, Error> {
    serde_yaml::from_str(source).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let problem = error.without_snippet().to_string();
        Error { file: file.to_owned(), line, problem: problem.lines().next().unwrap_or_default().to_owned() }
    })
}

/// All interface text.
///
/// # Panics
/// When the embedded file is malformed, which `tests/narration.rs` rules out.
pub fn ui_texts() -> &'static Ui {
    static TEXTS: LazyLock<Ui> = LazyLock::new(|| {
        parse("lessons/ui.yaml", UI).unwrap_or_else(|error| panic!("embedded text: {error}"))
    });
    &TEXTS
}

/// Interface text: `ui(lang, "daemon.started", &[("pid", &pid)])`. A key is `section.key` of
/// `lessons/ui.yaml`; a test finds every key used in the source there. A key or argument that is
/// missing all the same prints as itself, never as nothing.
pub fn ui(lang: Lang, key: &str, args: &[(&str, &dyn Display)]) -> String {
    let text = key.split_once('.').and_then(|(section, name)| ui_texts().get(section)?.get(name));
    let Some(text) = text else { return key.to_owned() };
    let value = |name: &str| args.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
    text.fill(lang, |name| value(name).or_else(|| Some(format!("{{{name}}}")))).unwrap_or_default()
}

/// Advice for an error, printed apart from it.
pub fn hint(lang: Lang, hint: Hint) -> String {
    let name: &'static str = hint.into();
    ui(lang, &format!("hints.{name}"), &[])
}
