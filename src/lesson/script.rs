//! A lesson's script: what `lessons/<slug>/lesson.yaml` may say, how it is loaded, and what a
//! linter holds it to.

use super::known;
use crate::op::Op;
use crate::text::{self, Error, Text};
use crate::trace::{Note, Scope, Stage};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_yaml::Spanned;
use strum::VariantArray;

/// The version this program reads.
pub const SCHEMA: u32 = 1;

#[derive(RustEmbed)]
#[folder = "lessons/"]
struct Files;

/// A whole lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// [`SCHEMA`].
    pub schema: Spanned<u32>,
    /// The directory's name.
    pub id: Spanned<String>,
    /// What the lesson is called.
    pub title: Text,
    /// Sections of the notes it goes with.
    pub mirrors: Vec<Mirror>,
    /// Command lines, run in order.
    pub runs: Vec<String>,
    /// What is told, in the order it happens.
    pub steps: Vec<Step>,
    /// What holds at the end and not before.
    pub checks: Vec<Check>,
}

/// One section of one note.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// File name.
    pub note: String,
    /// The section's heading, without its marks.
    pub head: String,
}

/// One thing to look at.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A [`Stage`] or a [`Scope`], by its stable name.
    pub stage: Spanned<String>,
    /// What to tell; placeholders are [`known`] names.
    pub say: Spanned<Text>,
    /// Asked before the stage begins.
    #[serde(default)]
    pub predict: Option<Predict>,
    /// Names of notes and operations that prove what is told.
    #[serde(default)]
    pub evidence: Vec<Spanned<String>>,
    /// What a learner's notes often have less exactly.
    #[serde(default)]
    pub corrects: Option<Spanned<Text>>,
}

/// A question with its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// The question.
    pub ask: Text,
    /// What can be answered.
    pub choices: Vec<Text>,
    /// Which is right, from 1.
    pub answer: Spanned<usize>,
    /// Why.
    pub because: Text,
}

/// A state of the machine, looked up, never taken from what was typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "check")]
pub enum Check {
    /// The image is in the local store.
    ImagePresent {
        /// As it would be typed.
        image: String,
    },
    /// So many containers of an image ended with a code.
    ContainersExited {
        /// As it would be typed.
        image: String,
        /// Their exit code.
        code: u8,
        /// How many.
        count: usize,
    },
    /// The trace of a run holds no request to a registry.
    NoRegistryRequest {
        /// Which of `runs`, from 1.
        run: usize,
    },
}

/// Every embedded lesson's id, sorted.
pub fn ids() -> Vec<String> {
    let mut ids: Vec<String> =
        Files::iter().filter_map(|path| path.strip_suffix("/lesson.yaml").map(str::to_owned)).collect();
    ids.sort();
    ids
}

/// Loads an embedded lesson; `None` when there is none of that id.
///
/// # Errors
/// File, line, and what was expected there.
pub fn load(id: &str) -> Option<Result<Lesson, Error>> {
    let path = format!("{id}/lesson.yaml");
    let file = Files::get(&path)?;
    let source = String::from_utf8_lossy(&file.data).into_owned();
    Some(read(&format!("lessons/{path}"), &source))
}

/// Reads and lints a lesson; `file` is the name an error carries.
///
/// # Errors
/// File, line, and what was expected there: the first problem.
pub fn read(file: &str, source: &str) -> Result<Lesson, Error> {
    let lesson: Lesson = text::parse(file, source)?;
    match lint(file, &lesson).into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(lesson),
    }
}

/// Everything wrong with a lesson whose shape is right.
pub fn lint(file: &str, lesson: &Lesson) -> Vec<Error> {
    let mut lint = Lint { file, problems: Vec::new() };
    if lesson.schema.value != SCHEMA {
        lint.problem(&lesson.schema, format!("expected schema {SCHEMA}, found {}", lesson.schema.value));
    }
    let slug = file.split('/').rev().nth(1).unwrap_or_default();
    if lesson.id.value != slug {
        lint.problem(&lesson.id, format!("expected id {slug:?}, the directory's name"));
    }
    for step in &lesson.steps {
        lint.step(step);
    }
    if lesson.steps.is_empty() {
        lint.problem(&lesson.id, "expected at least one step".into());
    }
    if lesson.checks.is_empty() {
        lint.problem(&lesson.id, "expected at least one check".into());
    }
    lint.problems
}

struct Lint<'a> {
    file: &'a str,
    problems: Vec<Error>,
}

impl Lint<'_> {
    fn step(&mut self, step: &Step) {
        if !is_stage(&step.stage.value) {
            let problem = format!("expected a stage or scope, found {:?}", step.stage.value);
            self.problem(&step.stage, problem);
        }
        self.text(&step.say);
        for evidence in &step.evidence {
            if !is_evidence(&evidence.value) {
                let problem =
                    format!("expected the name of a note or an operation, found {:?}", evidence.value);
                self.problem(evidence, problem);
            }
        }
        if let Some(corrects) = &step.corrects {
            self.text(corrects);
        }
        if let Some(predict) = &step.predict {
            let choices = predict.choices.len();
            if !(1..=choices).contains(&predict.answer.value) {
                self.problem(&predict.answer, format!("expected an answer from 1 to {choices}"));
            }
        }
    }

    /// Placeholders that can be answered, the same in both languages, and no empty sentence.
    fn text(&mut self, text: &Spanned<Text>) {
        let (ko, en) = (text::placeholders(&text.value.ko), text::placeholders(&text.value.en));
        for name in ko.iter().chain(&en) {
            if !known::is_name(name) {
                self.problem(text, format!("unknown placeholder {{{name}}}"));
            }
        }
        if !ko.iter().all(|name| en.contains(name)) || ko.len() != en.len() {
            self.problem(text, "expected the same placeholders in ko and en".into());
        }
        if text.value.ko.trim().is_empty() || text.value.en.trim().is_empty() {
            self.problem(text, "expected a sentence in ko and en".into());
        }
    }

    fn problem<T>(&mut self, at: &Spanned<T>, problem: String) {
        let line = Some(at.referenced.line());
        self.problems.push(Error { file: self.file.to_owned(), line, problem });
    }
}

fn is_stage(name: &str) -> bool {
    Scope::VARIANTS.iter().any(|scope| scope.name() == name)
        || Stage::VARIANTS.iter().any(|stage| <&'static str>::from(stage) == name)
}

fn is_evidence(name: &str) -> bool {
    Note::VARIANTS.iter().any(|note| note.name() == name) || Op::names().iter().any(|op| op == name)
}
