//! What the system verbs accept.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct Version {}

#[derive(Debug, Args)]
pub struct Info {}

#[derive(Debug, Args)]
pub struct Events {
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
}

/// What an object may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Container,
    Image,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn inspect [OPTIONS] NAME|ID [NAME|ID...]")]
pub struct Inspect {
    #[arg(long, short = 's')]
    pub size: bool,
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long = "type", value_name = "container|image")]
    pub kind: Option<Kind>,
    #[arg(required = true, value_name = "NAME|ID")]
    pub names: Vec<String>,
}

/// `learn container inspect` and `learn image inspect`: the kind is in the command.
#[derive(Debug, Args)]
pub struct InspectNamed {
    #[arg(long, short = 's')]
    pub size: bool,
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(required = true, value_name = "NAME|ID")]
    pub names: Vec<String>,
}
