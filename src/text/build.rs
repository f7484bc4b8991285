//! Reads `lessons/*.yaml` while `learn` is built and leaves each as JSON in `OUT_DIR/texts`.
//!
//! YAML is for people: reading the glossary takes some three milliseconds, a third of a whole
//! `run`. The same words as JSON take a tenth of that, at every start that says anything.

use super::{fail, variable};
use std::fs;
use std::path::Path;

/// Where the sentences are kept.
const LESSONS: &str = "lessons";

pub fn make() {
    println!("cargo::rerun-if-changed=src/text/build.rs");
    println!("cargo::rerun-if-changed={LESSONS}");
    let target = Path::new(&variable("OUT_DIR")).join("texts");
    fs::create_dir_all(&target).unwrap_or_else(|error| refuse("create", &target, &error));
    let entries = fs::read_dir(LESSONS).unwrap_or_else(|error| refuse("list", Path::new(LESSONS), &error));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| refuse("list", Path::new(LESSONS), &error)).path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            translate(&path, &target);
        }
    }
}

/// What is expected in a file is its reader's business, and that of the tests: here it is only YAML.
fn translate(source: &Path, target: &Path) {
    let yaml = fs::read_to_string(source).unwrap_or_else(|error| refuse("read", source, &error));
    let words: serde_json::Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| {
        let line = error.location().map_or(0, |location| location.line());
        fail(&format!("{}:{line}: {}", source.display(), error.without_snippet()))
    });
    let target = target.join(source.with_extension("json").file_name().unwrap_or_default());
    fs::write(&target, words.to_string()).unwrap_or_else(|error| refuse("write", &target, &error));
}

fn refuse(doing: &str, path: &Path, error: &dyn std::fmt::Display) -> ! {
    fail(&format!("cannot {doing} {}: {error}", path.display()))
}
