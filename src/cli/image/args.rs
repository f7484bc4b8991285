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
    #[arg(long, short = 'f', value_name = "NAME=VALUE", value_parser = crate::cli::filter::filter)]
    pub filter: Vec<String>,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn pull [OPTIONS] NAME[:TAG|@DIGEST]")]
pub struct Pull {
    #[arg(long, short = 'a')]
    pub all_tags: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    pub name: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn push [OPTIONS] NAME[:TAG]")]
pub struct Push {
    #[arg(long, short = 'a')]
    pub all_tags: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(value_name = "NAME[:TAG]")]
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

#[derive(Debug, Args)]
#[command(override_usage = "learn tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]")]
pub struct Tag {
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    pub source: String,
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    pub target: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn history [OPTIONS] IMAGE")]
pub struct History {
    /// Given without a value or as `true` it is what it is anyway.
    #[arg(
        long,
        short = 'H',
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        hide_default_value = true
    )]
    pub human: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(value_name = "IMAGE")]
    pub image: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn save [OPTIONS] IMAGE [IMAGE...]")]
pub struct Save {
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<String>,
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn load [OPTIONS]")]
pub struct Load {
    #[arg(long, short = 'i', value_name = "FILE")]
    pub input: Option<String>,
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    #[arg(long, short = 'q')]
    pub quiet: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]")]
pub struct Import {
    #[arg(long, short = 'c', value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub message: Option<String>,
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    #[arg(value_name = "file|URL|-")]
    pub source: String,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn image prune [OPTIONS]")]
pub struct Prune {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(long, short = 'f')]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn search [OPTIONS] TERM")]
pub struct Search {
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<i64>,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(value_name = "TERM")]
    pub term: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn login [OPTIONS] [SERVER]")]
pub struct Login {
    #[arg(long, short = 'p', value_name = "PASSWORD")]
    pub password: Option<String>,
    #[arg(long)]
    pub password_stdin: bool,
    #[arg(long, short = 'u', value_name = "NAME")]
    pub username: Option<String>,
    #[arg(value_name = "SERVER")]
    pub server: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn logout [SERVER]")]
pub struct Logout {
    #[arg(value_name = "SERVER")]
    pub server: Option<String>,
}
