//! The command line as a tree: what is accepted, not what it means. Help texts are not here but
//! in `lessons/help.yaml`, in two languages (see [`super::help`]).

use super::container::args as container;
use super::container::files::args as files;
use super::daemon::DaemonCommand;
use super::image::args as image;
use super::network::args as network;
use super::render::{ColorChoice, Depth};
use super::system::args as system;
use super::{doctor, tell, trace};
use crate::text::Lang;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "learn",
    bin_name = "learn",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    disable_version_flag = true,
    args_override_self = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    version: Option<bool>,
}

/// `learn`'s own options: none of them is Docker's, all of them go with every verb.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Learn Options")]
pub struct Global {
    #[arg(long, global = true, value_name = "unix://PATH")]
    pub host: Option<String>,
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    #[arg(long, global = true, value_name = "ko|en")]
    pub lang: Option<Lang>,
    #[arg(
        long,
        global = true,
        value_name = "auto|always|never",
        default_value = "auto",
        hide_default_value = true
    )]
    pub color: ColorChoice,
    #[arg(long, global = true)]
    pub simulate: bool,
    #[arg(long, global = true, value_name = "docker|builtin|URL")]
    pub hub: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "story|stage|kernel",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "stage"
    )]
    pub explain: Option<Depth>,
    #[arg(long, global = true)]
    pub step: bool,
    #[arg(long, global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// The verbs, in the order of the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<container::Run>),
    Create(Box<container::Create>),
    Start(container::Start),
    Attach(container::Attach),
    Exec(container::Exec),
    Top(container::Top),
    Stop(container::Stop),
    Restart(container::Restart),
    Kill(container::Kill),
    Pause(container::Pause),
    Unpause(container::Unpause),
    Rm(container::Rm),
    Rename(container::Rename),
    Update(Box<container::Update>),
    Ps(container::Ps),
    Logs(container::Logs),
    Port(container::Port),
    Stats(container::Stats),
    Wait(container::Wait),
    Cp(files::Copy),
    Diff(files::Diff),
    Export(files::Export),
    Commit(files::Commit),
    Inspect(system::Inspect),
    Images(image::List),
    Pull(image::Pull),
    Rmi(image::Remove),
    Version(system::Version),
    Info(system::Info),
    Events(system::Events),
    Explain(tell::Explain),
    #[command(subcommand)]
    Trace(trace::TraceCommand),
    Watch(tell::Watch),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Daemon(DaemonCommand),
    #[command(subcommand)]
    Runtime(RuntimeCommand),
    #[command(subcommand)]
    Container(ContainerCommand),
    #[command(subcommand)]
    Image(ImageCommand),
    #[command(subcommand)]
    Network(NetworkCommand),
    #[command(subcommand)]
    System(SystemCommand),
}

/// `learn runtime …`: the OCI runtime alone, without a daemon.
#[derive(Debug, Subcommand)]
pub enum RuntimeCommand {
    #[command(override_usage = "learn runtime run --bundle DIR ID")]
    Run {
        #[arg(long, short = 'b', value_name = "DIR", default_value = ".", hide_default_value = true)]
        bundle: String,
        /// Other runtimes keep state under this name; a run from start to exit keeps none.
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// `learn container …`.
#[derive(Debug, Subcommand)]
pub enum ContainerCommand {
    Run(Box<container::Run>),
    Create(Box<container::Create>),
    Start(container::Start),
    Attach(container::Attach),
    Exec(container::Exec),
    Top(container::Top),
    Stop(container::Stop),
    Restart(container::Restart),
    Kill(container::Kill),
    Pause(container::Pause),
    Unpause(container::Unpause),
    #[command(visible_alias = "remove")]
    Rm(container::Rm),
    Rename(container::Rename),
    Update(Box<container::Update>),
    Prune(container::Prune),
    #[command(visible_aliases = ["ps", "list"])]
    Ls(container::Ps),
    Logs(container::Logs),
    Port(container::Port),
    Stats(container::Stats),
    Wait(container::Wait),
    Cp(files::Copy),
    Diff(files::Diff),
    Export(files::Export),
    Commit(files::Commit),
    Inspect(system::InspectNamed),
}

/// `learn image …`.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    #[command(visible_alias = "list")]
    Ls(image::List),
    Pull(image::Pull),
    #[command(visible_alias = "remove")]
    Rm(image::Remove),
    Inspect(system::InspectNamed),
}

/// `learn network …`.
#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    Connect(network::Connect),
    Create(network::Create),
    Disconnect(network::Disconnect),
    Inspect(network::Inspect),
    #[command(visible_alias = "list")]
    Ls(network::List),
    Prune(network::Prune),
    #[command(visible_alias = "remove")]
    Rm(network::Remove),
}

/// `learn system …`.
#[derive(Debug, Subcommand)]
pub enum SystemCommand {
    Info(system::Info),
    Events(system::Events),
}

impl Command {
    /// The words of `run` and `create`, whose flags end at the image, with the verb's name.
    pub fn shape_mut(&mut self) -> Option<(&'static str, &mut container::Shape)> {
        match self {
            Command::Run(run) | Command::Container(ContainerCommand::Run(run)) => {
                Some(("run", &mut run.shape))
            }
            Command::Create(create) | Command::Container(ContainerCommand::Create(create)) => {
                Some(("create", &mut create.shape))
            }
            _ => None,
        }
    }

    /// Whether the verb is work of the engine's, and not a look at its traces.
    pub fn is_told(&self) -> bool {
        !matches!(self, Command::Explain(_) | Command::Trace(_) | Command::Watch(_)) && !self.is_local()
    }

    /// Whether the verb needs no connection.
    pub fn is_local(&self) -> bool {
        matches!(self, Command::Daemon(_) | Command::Doctor(_) | Command::Runtime(_))
    }

    /// Whether standard input belongs to the container's program.
    pub fn reads_input(&self) -> bool {
        match self {
            Command::Run(run) | Command::Container(ContainerCommand::Run(run)) => run.shape.interactive,
            Command::Start(start) | Command::Container(ContainerCommand::Start(start)) => start.interactive,
            Command::Attach(attach) | Command::Container(ContainerCommand::Attach(attach)) => {
                !attach.no_stdin
            }
            Command::Exec(exec) | Command::Container(ContainerCommand::Exec(exec)) => exec.interactive,
            _ => false,
        }
    }
}
