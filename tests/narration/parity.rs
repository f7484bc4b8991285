//! Everything that can happen has words, in both languages, with placeholders that are answered.

use learn::error::Hint;
use learn::lesson::known;
use learn::op::Op;
use learn::text::book::ui_texts;
use learn::text::{self, Text, glossary, placeholders};
use learn::trace::{Note, Scope, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use strum::VariantArray;

/// Every sentence there is, with a name to find it by.
fn sentences() -> Vec<(String, &'static Text)> {
    let words = glossary();
    let mut all = Vec::new();
    for (kind, entries) in [("stages", &words.stages), ("scopes", &words.scopes), ("ops", &words.ops)] {
        for (name, entry) in entries {
            all.push((format!("{kind}.{name}.title"), &entry.title));
            all.push((format!("{kind}.{name}.say"), &entry.say));
            all.extend(entry.corrects.iter().map(|text| (format!("{kind}.{name}.corrects"), text)));
        }
    }
    for (kind, texts) in [("notes", &words.notes), ("facts", &words.facts), ("values", &words.values)] {
        all.extend(texts.iter().map(|(name, text)| (format!("{kind}.{name}"), text)));
    }
    for (section, texts) in ui_texts() {
        all.extend(texts.iter().map(|(name, text)| (format!("ui {section}.{name}"), text)));
    }
    all
}

fn same<'a>(
    what: &str,
    there: impl IntoIterator<Item = &'a String>,
    needed: impl IntoIterator<Item = String>,
) {
    let there: BTreeSet<String> = there.into_iter().cloned().collect();
    let needed: BTreeSet<String> = needed.into_iter().collect();
    let missing: Vec<_> = needed.difference(&there).collect();
    let dead: Vec<_> = there.difference(&needed).collect();
    assert!(missing.is_empty() && dead.is_empty(), "{what}: without words {missing:?}, never said {dead:?}");
}

#[test]
fn every_stage_scope_op_and_note_has_words_and_no_words_are_dead() {
    let words = glossary();
    same("stages", words.stages.keys(), Stage::VARIANTS.iter().map(|s| <&'static str>::from(s).to_owned()));
    same("scopes", words.scopes.keys(), Scope::VARIANTS.iter().map(|s| s.name().to_owned()));
    same("ops", words.ops.keys(), Op::names());
    same("notes", words.notes.keys(), Note::VARIANTS.iter().map(|n| n.name().to_owned()));
}

#[test]
fn the_words_in_the_program_are_those_of_the_files() {
    let source = |name: &str| fs::read_to_string(root().join(format!("lessons/{name}.yaml"))).unwrap();
    let read: text::Glossary = text::parse("glossary.yaml", &source("glossary")).unwrap();
    let shown = |words: &text::Glossary| serde_json::to_value(words).unwrap();
    assert!(shown(glossary()) == shown(&read), "lessons/glossary.yaml says something else");
    let read: text::book::Ui = text::parse("ui.yaml", &source("ui")).unwrap();
    assert!(*ui_texts() == read, "lessons/ui.yaml says something else");
}

#[test]
fn every_hint_has_words() {
    let hints = Hint::VARIANTS.iter().map(|hint| <&'static str>::from(hint).to_owned());
    same("hints", ui_texts()["hints"].keys(), hints);
}

#[test]
fn no_sentence_is_empty_and_korean_is_korean() {
    for (name, text) in sentences() {
        assert!(!text.ko.trim().is_empty() && !text.en.trim().is_empty(), "{name} is empty");
        let sentence = text.en.contains(' ') && text.en.chars().filter(|c| c.is_alphabetic()).count() > 25;
        let hangul = text.ko.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(hangul || !sentence, "{name} has an English sentence but no Korean one: {:?}", text.ko);
        assert!(!text.en.chars().any(|c| ('가'..='힣').contains(&c)), "{name}: Hangul in the English");
    }
}

#[test]
fn korean_sentences_end_politely() {
    let words = glossary();
    for entry in words.stages.values().chain(words.scopes.values()).chain(words.ops.values()) {
        for sentence in [Some(&entry.say), entry.corrects.as_ref()].into_iter().flatten() {
            let end = sentence.ko.trim_end_matches('.');
            assert!(end.ends_with("니다"), "not 합니다체: {}", sentence.ko);
        }
    }
}

#[test]
fn placeholders_are_the_same_in_both_languages() {
    for (name, text) in sentences() {
        let set = |template| placeholders(template).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(set(&text.ko), set(&text.en), "{name}");
    }
}

/// The facts each note documents: the names in backticks of its doc comment, up to the next
/// variant.
fn documented_facts() -> BTreeMap<String, Vec<String>> {
    let source = fs::read_to_string(root().join("src/trace/record.rs")).unwrap();
    let body = source.split_once("pub enum Note {").unwrap().1;
    let body = body.split_once("\n}").unwrap().0;
    let mut facts = BTreeMap::new();
    let mut docs = String::new();
    for line in body.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push_str(doc);
        } else if let Some(variant) = line.strip_suffix(',') {
            let names = docs.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            facts.insert(variant.to_owned(), names);
            docs.clear();
        }
    }
    facts
}

#[test]
fn a_note_names_only_facts_it_carries_and_every_other_fact_has_a_label() {
    let documented = documented_facts();
    for note in Note::VARIANTS {
        let facts = &documented[&format!("{note:?}")];
        let said = placeholders(&glossary().notes[note.name()].ko);
        for name in &said {
            assert!(facts.iter().any(|fact| fact == name), "{}: unknown fact {{{name}}}", note.name());
        }
        if *note == Note::NamespaceInodes {
            continue; // shown as a table of namespaces
        }
        let silent = facts.iter().filter(|fact| !said.contains(&fact.as_str()));
        for fact in silent.filter(|fact| !["image", "request"].contains(&fact.as_str())) {
            let labelled = glossary().facts.contains_key(fact) || is_value(fact);
            assert!(labelled, "{}: fact {fact} is neither said nor labelled", note.name());
        }
    }
}

/// Words a doc comment lists as values, not as facts.
fn is_value(word: &str) -> bool {
    ["v1", "v2", "hybrid", "none", "--hub", "<kind>", "host-<kind>"].contains(&word)
}

#[test]
fn evidence_commands_split_and_ask_only_for_what_a_trace_shows() {
    for (name, entry) in &glossary().scopes {
        let Some(evidence) = &entry.evidence else { continue };
        assert!(!shell_words::split(evidence).unwrap().is_empty(), "{name}");
        for placeholder in placeholders(evidence) {
            assert!(known::is_name(placeholder), "{name}: nobody knows {{{placeholder}}}");
        }
    }
}

#[test]
fn every_interface_key_used_in_the_source_exists() {
    let mut used = 0;
    for file in sources(&root().join("src")) {
        let source = fs::read_to_string(&file).unwrap();
        for key in quoted_after(&source, &["text::ui(", "ui("]) {
            let Some((section, name)) = key.split_once('.').filter(|_| !key.contains('{')) else { continue };
            let there = ui_texts().get(section).is_some_and(|texts| texts.contains_key(name));
            assert!(there, "{}: no interface text {key}", file.display());
            used += 1;
        }
    }
    assert!(used > 10, "the search finds keys at all: {used}");
}

/// The first quoted word after each of `marks`, within the same call.
fn quoted_after(source: &str, marks: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for mark in marks {
        for (at, _) in source.match_indices(mark) {
            let call: String = source[at + mark.len()..].chars().take(80).collect();
            if let Some(word) =
                call.split('"').nth(1).filter(|_| !call[..call.find('"').unwrap()].contains(')'))
            {
                words.push(word.to_owned());
            }
        }
    }
    words
}

#[test]
fn malformed_text_is_named_by_file_line_and_what_was_expected() {
    let source = "hints:\n  a:\n    ko: \"가\"\n";
    let error = text::parse::<text::book::Ui>("lessons/ui.yaml", source).unwrap_err().to_string();
    assert!(error.starts_with("lessons/ui.yaml:") && error.contains("en"), "{error}");
    let error = text::parse::<text::book::Ui>("ui.yaml", "a: [\n").unwrap_err();
    assert!(error.line.is_some(), "{error}");
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(sources(&entry.path()));
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            files.push(entry.path());
        }
    }
    files
}
