//! The sentences inside the binary, read once, when first asked for. They come from
//! `lessons/*.yaml`, as JSON: see `src/text/build.rs`.

use super::{Error, Lang, Text};
use crate::error::Hint;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

/// `lessons/ui.yaml`: section → key → text.
pub type Ui = BTreeMap<String, BTreeMap<String, Text>>;

const UI: &str = include_str!(concat!(env!("OUT_DIR"), "/texts/ui.json"));

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

/// Reads a document the build made of `lessons/<name>.yaml`.
///
/// # Panics
/// When there is something else in it than expected, which `tests/narration` rules out.
pub fn embedded<T: DeserializeOwned>(name: &str, json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("lessons/{name}.yaml: {error}"))
}

/// All interface text.
pub fn ui_texts() -> &'static Ui {
    static TEXTS: LazyLock<Ui> = LazyLock::new(|| embedded("ui", UI));
    &TEXTS
}

/// Reads the words now, where there is time for it.
pub fn prepare() {
    ui_texts();
    super::glossary();
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
