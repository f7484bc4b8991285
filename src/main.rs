//! The one program in all its roles: command line, daemon, shim. The only place that prints an
//! error and lets go of an exit code (which [`learn::cli::exit`] chooses).

use learn::cli::{self, Failure, Wiring};
use learn::text::{self, Lang};
use std::io::Write;
use std::process::ExitCode;

/// The layers the command line does not know.
const WIRING: Wiring =
    Wiring { daemon: None, simulate: None, examine: Some(learn::kernel::linux::examine::examine) };

fn main() -> ExitCode {
    // Words that are not UTF-8 name nothing Docker could name either.
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let lang = cli::language(&words);
    match cli::main(&words, lang, &WIRING) {
        Ok(()) => cli::exit::Exit::Success.into(),
        Err(failure) => {
            report(&failure, lang);
            cli::exit::of(&failure)
        }
    }
}

/// The error in Docker's words, then advice in the learner's, apart from it.
fn report(failure: &Failure, lang: Lang) {
    if failure.is_silent() {
        return;
    }
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(stderr, "{}", failure.say(lang));
    if let Some(hint) = failure.hint() {
        let _ = writeln!(stderr, "\n{}: {}", text::ui(lang, "label.hint", &[]), text::hint(lang, hint));
    }
}
