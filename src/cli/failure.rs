//! Why a command failed, in Docker's words.

use crate::client;
use crate::error::{Classify, Hint};
use crate::text::{Lang, ui};
use crate::wire::settings;
use std::io;

/// A failed command. `main` prints it and [`super::exit`] gives it a number.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A flag that is unknown, malformed or refused.
    #[error("{0}")]
    Usage(String),
    /// A command or an argument that is missing or unknown.
    #[error("{0}")]
    Arguments(String),
    /// A template that cannot be read.
    #[error("{0}")]
    Format(String),
    /// The daemon, or the way to it.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The same while a container was made or started.
    #[error("{}", in_container(verb, &source.to_string()))]
    Container {
        /// `run` or `create`.
        verb: &'static str,
        /// What the daemon said.
        source: client::Error,
    },
    /// `learn runtime run`: the bundle's program never ran.
    #[error("learn runtime: {0}")]
    Runtime(String),
    /// The daemon's configuration.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// A file the command line names.
    #[error("{0}")]
    File(String),
    /// Some of several objects; the others went well.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<Failure>),
    /// Our own output cannot be written.
    #[error("write output: {0}")]
    Output(#[from] io::Error),
    /// Ctrl-C during a pull.
    #[error("interrupted")]
    Interrupted,
    /// The learner stopped at a step; what was done is undone.
    #[error("aborted")]
    Aborted,
    /// `--step` has nobody to ask.
    #[error("--step needs a terminal on standard input")]
    NoTerminal,
    /// `daemon status`: there is none.
    #[error("no daemon answers on {0}")]
    NotRunning(client::Host),
    /// The program ran and ended with its own code: nothing to print.
    #[error("exit status {0}")]
    Exited(i64),
}

impl Failure {
    /// Turns several failures into one, none into success.
    pub fn all(failures: Vec<Failure>) -> Result<(), Failure> {
        match failures.len() {
            0 => Ok(()),
            _ => Err(Failure::Several(failures)),
        }
    }

    /// Whether there is anything to say.
    pub fn is_silent(&self) -> bool {
        match self {
            Failure::Exited(_) => true,
            Failure::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// The failure as the learner reads it: Docker's words as they are, `learn`'s own in the
    /// learner's language.
    pub fn say(&self, lang: Lang) -> String {
        match self {
            Failure::Interrupted => ui(lang, "run.interrupted", &[]),
            Failure::Aborted => ui(lang, "run.aborted", &[]),
            Failure::NoTerminal => ui(lang, "run.step-needs-terminal", &[]),
            Failure::NotRunning(host) => ui(lang, "daemon.not-running", &[("socket", host)]),
            Failure::Settings(error) => error.say(lang),
            Failure::Client(error) => say_of_client(error, lang),
            Failure::Container { verb, source } => in_container(verb, &say_of_client(source, lang)),
            other => other.to_string(),
        }
    }

    /// Advice for the person at the terminal.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Failure::Client(error) | Failure::Container { source: error, .. } => error.hint(),
            Failure::Several(failures) => failures.iter().find_map(Failure::hint),
            _ => None,
        }
    }
}

/// What the client alone does, without a daemon, is said by `learn` itself.
fn say_of_client(error: &client::Error, lang: Lang) -> String {
    match error {
        client::Error::Launch(client::launch::Error::Settings(error)) => error.say(lang),
        client::Error::Credentials(error) => error.say(lang),
        other => other.to_string(),
    }
}

/// Docker's frame around a refusal of `run` and `create`.
fn in_container(verb: &str, refusal: &str) -> String {
    format!("learn: {refusal}\n\nRun 'learn {verb} --help' for more information")
}

/// For `map_err`: names the verb, as Docker does for `run` and `create`.
pub fn while_at(verb: &'static str) -> impl Fn(client::Error) -> Failure {
    move |source| Failure::Container { verb, source }
}
