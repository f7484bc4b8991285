//! The one program in all its roles: command line, daemon, shim. The only place that prints an
//! error and lets go of an exit code (which [`learn::cli::exit`] chooses).

use learn::api::daemon::{DaemonOptions, run as run_daemon};
use learn::api::simulate::Simulator;
use learn::cli::{self, Failure, Ready, Role, Wiring};
use learn::client::{Connector, Error as ClientError, Paths};
use learn::image::RegistryConfig;
use learn::kernel::linux::{LinuxJail, nursery, probe};
use learn::runtime::{proxy, run, shim};
use learn::text::{self, Lang};
use learn::wire::Settings;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::UnixStream;

/// The layers the command line does not know.
const WIRING: Wiring = Wiring {
    daemon: Some(daemon),
    runtime: Some(run_bundle),
    simulate: Some(simulate),
    examine: Some(learn::kernel::linux::examine::examine),
};

fn main() -> ExitCode {
    // Words that are not UTF-8 name nothing Docker could name either.
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if plays(&words, "tree") {
        return tree();
    }
    if plays(&words, nursery::ROLE) {
        return nursery();
    }
    if plays(&words, "shim") {
        return end_of("shim", shim::main(&mut LinuxJail::default()));
    }
    if plays(&words, "proxy") {
        return end_of("proxy", proxy::main());
    }
    let lang = cli::language(&words);
    match cli::main(&words, lang, &WIRING) {
        Ok(()) => cli::exit::Exit::Success.into(),
        Err(failure) => {
            report(&failure, lang);
            cli::exit::of(&failure)
        }
    }
}

/// Where shims come from; returns in each of them, too.
fn nursery() -> ExitCode {
    match nursery::serve() {
        Ok(Some(control)) => end_of("shim", shim::run(&mut LinuxJail::default(), control)),
        Ok(None) => cli::exit::Exit::Success.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "learn-{}: {error}", nursery::ROLE);
            cli::exit::Exit::Failure.into()
        }
    }
}

/// The daemon calls its helpers `learn-shim`, `learn-tree` and `learn-proxy`; a person may say `learn shim`.
fn plays(words: &[String], role: &str) -> bool {
    let name = words.first().map(|name| name.rsplit('/').next().unwrap_or(name));
    name.and_then(|name| name.strip_prefix("learn-")) == Some(role)
        || words.get(1).is_some_and(|word| word == role)
}

/// The end of a helper; its standard error is its log.
fn end_of(role: &str, end: Result<(), learn::runtime::error::Error>) -> ExitCode {
    match end {
        Ok(()) => cli::exit::Exit::Success.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "learn-{role}: {error}");
            cli::exit::Exit::Failure.into()
        }
    }
}

/// Mounts the files of a container that does not run, hands them to the daemon, and ends.
fn tree() -> ExitCode {
    match learn::kernel::linux::tree::helper_main() {
        Ok(()) => cli::exit::Exit::Success.into(),
        // The daemon that asked is gone: nobody is left to tell.
        Err(_) => cli::exit::Exit::Failure.into(),
    }
}

/// `learn daemon run`. Two threads are enough: what computes has threads of its own.
fn daemon(paths: Paths, settings: Settings, ready: Ready) -> Role<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let options = DaemonOptions {
        root: paths.root.clone(),
        socket: paths.host.socket().to_owned(),
        registry: RegistryConfig::of(settings)?,
    };
    // Whoever waited for the word may be gone; the daemon is wanted all the same.
    Ok(runtime.block_on(run_daemon(options, || drop(ready())))?)
}

/// `learn runtime run`.
fn run_bundle(bundle: &str) -> Role<i32> {
    Ok(run::run(&mut LinuxJail::default(), &probe::probe(), bundle)?)
}

/// `--simulate`: the daemon's work, done in this process on a modelled machine.
fn simulate(lang: Lang) -> Role<Connector> {
    let refusal = move |program: &str| text::ui(lang, "simulate.not-modelled", &[("program", &program)]);
    let simulator = Simulator::start(Arc::new(refusal))?;
    Ok(Arc::new(move || {
        let connected = simulator.connect().and_then(UnixStream::from_std);
        let failed = |source| ClientError::Connect { socket: "simulator".into(), source };
        Box::pin(std::future::ready(connected.map_err(failed)))
    }))
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
