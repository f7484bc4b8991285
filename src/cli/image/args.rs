//! What the image verbs accept.

use clap::Args;

#[derive(Debug, Args)]
pub struct List {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long)]
    pub digests: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn pull [OPTIONS] NAME[:TAG|@DIGEST]")]
pub struct Pull {
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    pub name: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn rmi [OPTIONS] IMAGE [IMAGE...]")]
pub struct Remove {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(long)]
    pub no_prune: bool,
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<String>,
}
