//! What is wrong with a Dockerfile, and on which line.

use crate::error::{Classify, Kind};

/// A problem with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dockerfile parse error line {line}: {problem}")]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong, in Docker's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No instruction at all.
    #[error("file with no instructions")]
    Empty,
    /// Not a word of the language; with the nearest one.
    #[error("unknown instruction: {word}{}", did_you_mean(nearest))]
    UnknownInstruction {
        /// As written, in capitals.
        word: String,
        /// The nearest instruction.
        nearest: Option<&'static str>,
    },
    /// Something before the first `FROM`.
    #[error("no build stage in current context")]
    NoStage,
    /// Wrong number of words.
    #[error("{0} requires exactly one argument")]
    ExactlyOne(&'static str),
    /// Wrong number of words.
    #[error("{0} requires at least one argument")]
    AtLeastOne(&'static str),
    /// Wrong number of words.
    #[error(
        "{0} requires at least two arguments, but only one was provided. Destination could not be determined."
    )]
    NoDestination(&'static str),
    /// `FROM a b`.
    #[error("FROM requires either one or three arguments")]
    FromWords,
    /// `FROM a AS 1`.
    #[error("invalid name for build stage: {0:?}, name can't start with a number or contain symbols")]
    StageName(String),
    /// `ENV name`.
    #[error("{0} must have two arguments")]
    TwoArguments(&'static str),
    /// `ENV a=b c`.
    #[error("Syntax error - can't find = in {0:?}. Must be of the form: name=value")]
    NoEquals(String),
    /// `ENV =x`.
    #[error("{0} names can not be blank")]
    BlankName(&'static str),
    /// An option this instruction does not have.
    #[error("unknown flag: {0}")]
    UnknownFlag(String),
    /// An option that wants one.
    #[error("missing a value on flag: {0}")]
    MissingValue(String),
    /// Given twice.
    #[error("duplicate flag specified: {0}")]
    DuplicateFlag(String),
    /// An option that is yes or no.
    #[error("expecting boolean value for flag {flag}, not: {value}")]
    NotBoolean {
        /// Its name without dashes.
        flag: String,
        /// What was given.
        value: String,
    },
    /// An option's value.
    #[error("invalid value {value:?} for flag {flag}: {reason}")]
    BadValue {
        /// Its name.
        flag: String,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `SHELL /bin/sh`.
    #[error("SHELL requires the arguments to be in JSON form")]
    ShellForm,
    /// `HEALTHCHECK FOO`.
    #[error("Unknown type {0:?} in HEALTHCHECK (try CMD)")]
    HealthType(String),
    /// `HEALTHCHECK NONE x`.
    #[error("HEALTHCHECK NONE takes no arguments")]
    HealthNone,
    /// `HEALTHCHECK CMD`.
    #[error("Missing command after HEALTHCHECK CMD")]
    HealthCommand,
    /// `--interval=1us`.
    #[error("Interval {0:?} cannot be less than 1ms")]
    HealthInterval(String),
    /// `--interval=x`.
    #[error("invalid duration {0:?}")]
    Duration(String),
    /// `--retries=-1`.
    #[error("--retries cannot be negative ({0})")]
    HealthRetries(String),
    /// `ONBUILD ONBUILD …`.
    #[error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")]
    ChainedOnbuild,
    /// `ONBUILD FROM …`.
    #[error("{0} isn't allowed as an ONBUILD trigger")]
    OnbuildTrigger(&'static str),
    /// `VOLUME ""`.
    #[error("VOLUME specified can not be an empty string")]
    EmptyVolume,
    /// `# escape=x`.
    #[error("invalid escape token '{0}' does not match ` or \\")]
    EscapeToken(String),
    /// Two of one kind.
    #[error("only one {0} parser directive can be used")]
    DirectiveTwice(String),
    /// `<<EOF` without `EOF`.
    #[error("unterminated heredoc")]
    UnterminatedHeredoc,
    /// An instruction inside `ONBUILD` or elsewhere where here-documents cannot be.
    #[error("heredocs are not supported in {0}")]
    HeredocHere(&'static str),
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest}?)"))
}

impl Problem {
    /// The same, with its line.
    pub fn at(self, line: usize) -> Error {
        Error { line, problem: self }
    }
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
