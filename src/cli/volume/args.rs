//! What `learn volume …` accepts.

use clap::{Args, Subcommand};

/// `learn volume …`.
#[derive(Debug, Subcommand)]
pub enum VolumeCommand {
    Create(Create),
    Inspect(Inspect),
    #[command(visible_alias = "list")]
    Ls(List),
    Prune(Prune),
    #[command(visible_alias = "remove")]
    Rm(Remove),
}

#[derive(Debug, Args)]
#[command(override_usage = "learn volume create [OPTIONS] [VOLUME]")]
pub struct Create {
    #[arg(long, short = 'd', value_name = "DRIVER", default_value = "local", hide_default_value = true)]
    pub driver: String,
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    #[arg(long, short = 'o', value_name = "KEY=VALUE")]
    pub opt: Vec<String>,
    #[arg(value_name = "VOLUME")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn volume inspect VOLUME [VOLUME...]")]
pub struct Inspect {
    #[arg(required = true, value_name = "VOLUME")]
    pub names: Vec<String>,
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(long, short = 'q')]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct Prune {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(long, short = 'f')]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn volume rm [OPTIONS] VOLUME [VOLUME...]")]
pub struct Remove {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(required = true, value_name = "VOLUME")]
    pub names: Vec<String>,
}
