//! The command line: Docker's verbs, and `learn`'s own beside them.
//!
//! ```text
//!  words ─▶ parse (clap's tree, Docker's words for errors) ─▶ verb ─▶ client ─▶ daemon
//!                                                              │
//!                                              session ─▶ render (narration, on standard error)
//! ```
//!
//! One noun a directory or file. A verb's own output follows Docker's to the letter; what `learn`
//! says itself is in the learner's language and goes to standard error.

mod args;
mod container;
mod context;
mod daemon;
pub mod doctor;
pub mod exit;
pub mod explain;
mod failure;
mod filter;
mod format;
pub mod help;
mod image;
mod moment;
mod network;
mod output;
mod own_flags;
mod parse;
mod reference;
mod refuse;
pub mod render;
mod session;
mod system;
mod tell;
pub mod trace;
pub mod watch;

pub use failure::Failure;
pub use parse::language;

use crate::client::{Connector, Paths};
use crate::text::Lang;
use crate::wire::{Examination, Settings};
use args::{Command, ContainerCommand, Global, ImageCommand, NetworkCommand, RuntimeCommand, SystemCommand};
use container::{act, change, create, exec, files, list, logs, port, prune, run, start, stats, top};
use context::Context;
use daemon::DaemonCommand;
use parse::Asked;
use render::Options;
use session::Session;
use std::io::IsTerminal;
use std::path::Path;
use system::args::Kind;

/// Called once by the daemon when it listens.
pub type Ready = Box<dyn FnOnce() -> std::io::Result<()> + Send>;

/// What a role `main` plugs in ends with: its error is only printed.
pub type Role<T> = Result<T, Box<dyn std::error::Error>>;

/// Is the daemon of these places, as configured, until a signal ends it.
pub type Daemon = fn(Paths, Settings, Ready) -> Role<()>;

/// What `main` plugs in: the layers this one must not know.
#[derive(Clone, Copy, Default)]
pub struct Wiring {
    /// The daemon's role.
    pub daemon: Option<Daemon>,
    /// Runs the OCI bundle in a directory; Docker's exit code.
    pub runtime: Option<fn(&str) -> Role<i32>>,
    /// Connections to an engine of this very process, on the simulator; the language is that of
    /// the programs it cannot play.
    pub simulate: Option<fn(Lang) -> Role<Connector>>,
    /// Tries out what this machine can do, for an engine whose state is in the directory.
    pub examine: Option<fn(&Path) -> Examination>,
}

/// Does what the words ask for; the program's name comes first.
///
/// # Errors
/// What `main` prints and turns into an exit code.
pub fn main(words: &[String], lang: Lang, wiring: &Wiring) -> Result<(), Failure> {
    let cli = match parse::parse(words, lang)? {
        Asked::Text(text) => return output::text(&text),
        Asked::Command(cli) => cli,
    };
    let lang = cli.global.lang.unwrap_or(lang);
    match cli.command {
        Command::Daemon(command) => on_daemon(&cli.global, lang, wiring, command),
        // Before there is any thread: it tries things out in copies of this process.
        Command::Doctor(_) => doctor::doctor(&context::places(&cli.global)?, lang, wiring),
        Command::Runtime(RuntimeCommand::Run { bundle, id: _ }) => match wiring.runtime {
            Some(run) => {
                let code = run(&bundle).map_err(|error| Failure::Runtime(error.to_string()))?;
                output::exited(code.into())
            }
            None => Err(Failure::Runtime("this build has no runtime".to_owned())),
        },
        command => {
            let title = parse::title(words);
            // One thread: nothing here computes. Nothing of it is built for help or version.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let done = runtime.block_on(with_daemon(&cli.global, lang, wiring, &title, command));
            // A read of standard input that never ends must not hold up the exit.
            runtime.shutdown_background();
            done
        }
    }
}

fn on_daemon(global: &Global, lang: Lang, wiring: &Wiring, command: DaemonCommand) -> Result<(), Failure> {
    let paths = context::places(global)?;
    match command {
        DaemonCommand::Start { config } => daemon::start(paths, config, lang),
        DaemonCommand::Stop => daemon::stop(&paths, lang),
        DaemonCommand::Status => daemon::status(&paths, lang),
        DaemonCommand::Run { config, detached } => daemon::run(wiring, paths, config, lang, detached),
    }
}

/// A verb that talks to a daemon, told as it goes when that was asked for.
async fn with_daemon(
    global: &Global,
    lang: Lang,
    wiring: &Wiring,
    title: &str,
    command: Command,
) -> Result<(), Failure> {
    let depth = global.explain.unwrap_or_default();
    let options = Options {
        simulated: global.simulate,
        stepping: global.step,
        ..Options::for_stderr(lang, depth, global.color)
    };
    let mut context = Context::new(global, lang, wiring)?;
    if global.step && !std::io::stdin().is_terminal() {
        return Err(Failure::NoTerminal);
    }
    if global.step && command.reads_input() {
        return Err(Failure::Usage(crate::text::ui(lang, "refused.step-input", &[])));
    }
    let told = command.is_told() && (global.explain.is_some() || global.step);
    if global.simulate && !told {
        // What is told has the badge at its head.
        output::error_line(&render::badge(lang))?;
    }
    if told {
        let paths = context::places(global)?;
        let places =
            || vec![("LEARN_HOST", paths.host.to_string()), ("LEARN_ROOT", paths.root.display().to_string())];
        let step = global.step.then(places);
        context.session = Some(Session::open(&context.client, title, options, step).await?);
    }
    let done = verb(&context, options, command).await;
    let aborted = context.aborted();
    if let Some(session) = context.session.take() {
        // The verb's own failure matters more than that of its narration.
        session.close().await.or_else(|failure| if done.is_err() { Ok(()) } else { Err(failure) })?;
    }
    match done {
        Err(_) if aborted => Err(Failure::Aborted),
        done => done,
    }
}

async fn verb(context: &Context, options: Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Container(command) => container_verb(context, command).await,
        Command::Image(command) => image_verb(context, command).await,
        Command::Network(command) => network_verb(context, command).await,
        Command::System(SystemCommand::Info(_)) | Command::Info(_) => system::info::info(context).await,
        Command::System(SystemCommand::Events(events)) | Command::Events(events) => {
            system::events::events(context, events).await
        }
        Command::Run(args) => run::run(context, *args).await,
        Command::Create(args) => create::create(context, *args).await,
        Command::Start(args) => start::start(context, args).await,
        Command::Attach(args) => start::attach(context, args).await,
        Command::Exec(args) => exec::exec(context, args).await,
        Command::Top(args) => top::top(context, args).await,
        Command::Stop(args) => act::stop(context, args).await,
        Command::Restart(args) => act::restart(context, args).await,
        Command::Kill(args) => act::kill(context, args).await,
        Command::Pause(args) => act::pause(context, args).await,
        Command::Unpause(args) => act::unpause(context, args).await,
        Command::Rename(args) => change::rename(context, args).await,
        Command::Update(args) => change::update(context, *args).await,
        Command::Port(args) => port::port(context, args).await,
        Command::Stats(args) => stats::stats(context, args).await,
        Command::Rm(args) => act::remove(context, args).await,
        Command::Ps(args) => list::list(context, args).await,
        Command::Logs(args) => logs::logs(context, args).await,
        Command::Wait(args) => act::wait(context, args).await,
        Command::Cp(args) => files::copy(context, args).await,
        Command::Diff(args) => files::diff(context, args).await,
        Command::Export(args) => files::export(context, args).await,
        Command::Commit(args) => files::commit::commit(context, args).await,
        Command::Inspect(args) => system::inspect::inspect(context, args).await,
        Command::Images(args) => image::list::list(context, args).await,
        Command::Pull(args) => image::pull::verb(context, args).await,
        Command::Rmi(args) => image::remove::remove(context, args).await,
        Command::Version(_) => system::version::version(context).await,
        Command::Explain(args) => tell::explain(context, options, args).await,
        Command::Trace(command) => tell::traces(context, options, command).await,
        Command::Watch(_) => tell::everything(context, options).await,
        // Handled before there was a connection.
        Command::Daemon(_) | Command::Doctor(_) | Command::Runtime(_) => Ok(()),
    }
}

async fn container_verb(context: &Context, command: ContainerCommand) -> Result<(), Failure> {
    match command {
        ContainerCommand::Run(args) => run::run(context, *args).await,
        ContainerCommand::Create(args) => create::create(context, *args).await,
        ContainerCommand::Start(args) => start::start(context, args).await,
        ContainerCommand::Attach(args) => start::attach(context, args).await,
        ContainerCommand::Exec(args) => exec::exec(context, args).await,
        ContainerCommand::Top(args) => top::top(context, args).await,
        ContainerCommand::Stop(args) => act::stop(context, args).await,
        ContainerCommand::Restart(args) => act::restart(context, args).await,
        ContainerCommand::Kill(args) => act::kill(context, args).await,
        ContainerCommand::Pause(args) => act::pause(context, args).await,
        ContainerCommand::Unpause(args) => act::unpause(context, args).await,
        ContainerCommand::Rename(args) => change::rename(context, args).await,
        ContainerCommand::Update(args) => change::update(context, *args).await,
        ContainerCommand::Prune(args) => prune::prune(context, args).await,
        ContainerCommand::Port(args) => port::port(context, args).await,
        ContainerCommand::Stats(args) => stats::stats(context, args).await,
        ContainerCommand::Rm(args) => act::remove(context, args).await,
        ContainerCommand::Ls(args) => list::list(context, args).await,
        ContainerCommand::Logs(args) => logs::logs(context, args).await,
        ContainerCommand::Wait(args) => act::wait(context, args).await,
        ContainerCommand::Cp(args) => files::copy(context, args).await,
        ContainerCommand::Diff(args) => files::diff(context, args).await,
        ContainerCommand::Export(args) => files::export(context, args).await,
        ContainerCommand::Commit(args) => files::commit::commit(context, args).await,
        ContainerCommand::Inspect(args) => system::inspect::named(context, args, Kind::Container).await,
    }
}

async fn network_verb(context: &Context, command: NetworkCommand) -> Result<(), Failure> {
    use network::{change, list};
    match command {
        NetworkCommand::Connect(args) => change::connect(context, args).await,
        NetworkCommand::Create(args) => change::create(context, args).await,
        NetworkCommand::Disconnect(args) => change::disconnect(context, args).await,
        NetworkCommand::Inspect(args) => list::inspect(context, args).await,
        NetworkCommand::Ls(args) => list::list(context, args).await,
        NetworkCommand::Prune(args) => change::prune(context, args).await,
        NetworkCommand::Rm(args) => change::remove(context, args).await,
    }
}

async fn image_verb(context: &Context, command: ImageCommand) -> Result<(), Failure> {
    match command {
        ImageCommand::Ls(args) => image::list::list(context, args).await,
        ImageCommand::Pull(args) => image::pull::verb(context, args).await,
        ImageCommand::Rm(args) => image::remove::remove(context, args).await,
        ImageCommand::Inspect(args) => system::inspect::named(context, args, Kind::Image).await,
    }
}
