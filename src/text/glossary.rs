//! `lessons/glossary.yaml`: the words for every scope, operation, note and stage.

use super::{Text, book};
use crate::trace::{Note, Scope, Stage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const GLOSSARY: &str = include_str!(concat!(env!("OUT_DIR"), "/texts/glossary.json"));

/// What is said of one scope, operation or stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// A few words.
    pub title: Text,
    /// What happens and why: one or two sentences.
    pub say: Text,
    /// A command that shows it on this machine; placeholders are facts seen so far. It is run
    /// without a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What a learner's notes often have less exactly; shown once per narration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Text>,
}

/// The whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glossary {
    /// By [`Stage`]'s name.
    pub stages: BTreeMap<String, Entry>,
    /// By [`Scope::name`].
    pub scopes: BTreeMap<String, Entry>,
    /// By [`Op::name`](crate::op::Op::name).
    pub ops: BTreeMap<String, Entry>,
    /// By [`Note::name`]; placeholders are the note's facts.
    pub notes: BTreeMap<String, Text>,
    /// What a fact is called: `pid` → "process id on the host".
    pub facts: BTreeMap<String, Text>,
    /// What a value of a fact is called: `subject.layer` → "layer".
    pub values: BTreeMap<String, Text>,
}

/// The glossary, read when first asked for.
pub fn glossary() -> &'static Glossary {
    static WORDS: LazyLock<Glossary> = LazyLock::new(|| book::embedded("glossary", GLOSSARY));
    &WORDS
}

impl Glossary {
    /// What is said of a scope; a test holds that there is an entry for each.
    pub fn scope(&self, scope: Scope) -> Option<&Entry> {
        self.scopes.get(scope.name())
    }

    /// What is said of an operation, by its name; an unknown name may come from a newer trace.
    pub fn op(&self, name: &str) -> Option<&Entry> {
        self.ops.get(name)
    }

    /// What is said of a note.
    pub fn note(&self, note: Note) -> Option<&Text> {
        self.notes.get(note.name())
    }

    /// What is said of a stage of the story.
    pub fn stage(&self, stage: Stage) -> Option<&Entry> {
        let name: &'static str = stage.into();
        self.stages.get(name)
    }
}
