//! What a learner reads: two languages, placeholders, and the width of a line.
//!
//! Every sentence is a [`Text`] with both languages in it; sentences live in `lessons/*.yaml`,
//! never in code. [`ui`] looks up interface text, [`glossary()`] the words for scopes, operations,
//! notes and stages.

pub mod book;
pub mod glossary;
pub mod lang;
pub mod layout;
mod particle;
pub mod template;

pub use book::{hint, parse, prepare, ui};
pub use glossary::{Entry, Glossary, glossary};
pub use lang::Lang;
pub use layout::{pad, width, wrap};
pub use template::{Missing, fill, placeholders};

use serde::{Deserialize, Serialize};
use std::fmt;

/// One sentence in both languages; YAML that lacks one of them does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Korean, the source language.
    pub ko: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The sentence in one language, its placeholders unfilled.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ko => &self.ko,
            Lang::En => &self.en,
        }
    }

    /// The sentence with its placeholders filled; `value` answers a placeholder's name.
    ///
    /// # Errors
    /// The name nobody answers.
    pub fn fill(&self, lang: Lang, value: impl FnMut(&str) -> Option<String>) -> Result<String, Missing> {
        template::fill(self.get(lang), value)
    }
}

/// Why a YAML file cannot be used. Names file and line, and what was expected there.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// The file's name.
    pub file: String,
    /// Line, from 1; absent where the parser knows none.
    pub line: Option<u64>,
    /// What was expected, or what is wrong: one line, lower case.
    pub problem: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}
