//! A Dockerfile as data: its lines, its instructions, its stages.
//!
//! Source: the Dockerfile reference, and where that is silent BuildKit's
//! `frontend/dockerfile/{parser,instructions}`, whose messages these are.

pub mod directive;
pub mod error;
pub mod flag;
pub mod form;
pub mod heredoc;
pub mod instruction;
pub mod line;
pub mod pairs;
mod parse;
mod transfer;

pub use directive::Directives;
pub use error::{Error, Problem};
pub use form::CommandForm;
pub use heredoc::Heredoc;
pub use instruction::{Instruction, Mount, NameValue, Source};
pub use line::Line;

/// An instruction with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// First line, counted from 1.
    pub line: usize,
    /// The instruction as Docker prints it after `Step 1/2 : `.
    pub original: String,
    /// What it says.
    pub instruction: Instruction,
}

/// One `FROM` with what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Line of the `FROM`.
    pub line: usize,
    /// The `FROM` as Docker prints it.
    pub original: String,
    /// Image or earlier stage, before variables are put in.
    pub base: String,
    /// `AS name`, in lower case.
    pub name: Option<String>,
    /// `--platform`, before variables are put in.
    pub platform: Option<String>,
    /// The other instructions.
    pub steps: Vec<Step>,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// `# syntax=…` and its like.
    pub directives: Directives,
    /// `ARG`s before the first `FROM`: they count in `FROM` lines only.
    pub global_args: Vec<NameValue>,
    /// At least one.
    pub stages: Vec<Stage>,
    /// What is odd but no error, in Docker's words.
    pub warnings: Vec<String>,
}

impl Dockerfile {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing wrong, with its line.
    pub fn parse(text: &str) -> Result<Dockerfile, Error> {
        parse::dockerfile(text)
    }
}

/// Reads one instruction by itself, without here-documents: a change of `commit`, a trigger.
///
/// # Errors
/// What is wrong with it.
pub fn one(text: &str) -> Result<Instruction, Problem> {
    parse::one(text, '\\')
}
