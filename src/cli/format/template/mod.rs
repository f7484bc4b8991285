//! Go's text/template, as far as data needs it: the language of Docker's `--format`.
//!
//! ```text
//!  text ─▶ lex ─▶ parse ─▶ tree of parts ─▶ run (call, function) ─▶ text
//! ```
//!
//! Everything a person can see is Go's, error texts and their places included. What is missing:
//! complex numbers, and values that are functions, of which Docker's data has none.

mod call;
mod compare;
mod docker;
mod function;
mod json;
mod lex;
mod literal;
mod node;
mod parse;
mod pipeline;
mod print;
mod printf;
mod run;
mod text;
mod token;
mod value;

pub use print::quote;
pub use value::{Method, Object, Value};

use parse::Templates;
use run::{At, Run, Stop};

/// A template that was read.
pub struct Template {
    text: String,
    templates: Templates,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Go's complaint: `template: :1: function "x" not defined`.
    pub fn parse(text: &str) -> Result<Template, String> {
        Ok(Template { text: text.to_owned(), templates: parse::parse(text, function::is_known)? })
    }

    /// The text for some data, and Go's complaint when it stopped before its end.
    pub fn execute(&self, data: &Value) -> (String, Result<(), String>) {
        self.run(data, &[], false)
    }

    /// The same, where a map that has not the key asked for is an error.
    pub fn execute_strictly(&self, data: &Value) -> (String, Result<(), String>) {
        self.run(data, &[], true)
    }

    /// The heading of a table: functions leave its words as they are.
    pub fn execute_for_heading(&self, data: &Value) -> (String, Result<(), String>) {
        self.run(data, function::HEADING, false)
    }

    fn run(
        &self,
        data: &Value,
        instead: &[function::Function],
        strict: bool,
    ) -> (String, Result<(), String>) {
        let mut out = String::new();
        let mut run = Run {
            text: &self.text,
            templates: &self.templates,
            instead,
            strict,
            out: &mut out,
            variables: vec![("$".to_owned(), data.clone())],
            name: "",
            depth: 0,
            at: (0, At::Nothing),
        };
        let done = match self.templates.get("") {
            Some(parts) => run.parts(data, parts),
            None => Ok(()),
        };
        let done = match done {
            Err(Stop::Error(problem)) => Err(problem),
            // Outside of a loop they do not parse.
            Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(()),
        };
        (out, done)
    }
}
