//! Verbs that only look.

use super::super::flags::value;
use clap::Args;

#[derive(Debug, Args)]
#[command(override_usage = "learn top CONTAINER [ps OPTIONS]")]
pub struct Top {
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    pub arguments: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn port CONTAINER [PRIVATE_PORT[/PROTO]]")]
pub struct Port {
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    #[arg(value_name = "PRIVATE_PORT[/PROTO]")]
    pub port: Option<String>,
}

#[derive(Debug, Args)]
pub struct Ps {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(long, short = 'n', value_name = "COUNT", value_parser = value::int)]
    pub last: Option<i64>,
    #[arg(long, short = 'l')]
    pub latest: bool,
    /// Whether to ask for sizes; undecided, the format decides.
    #[arg(
        long,
        short = 's',
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = value::boolean
    )]
    pub size: Option<bool>,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long, short = 'f', value_name = "NAME=VALUE", value_parser = crate::cli::filter::filter)]
    pub filter: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn logs [OPTIONS] CONTAINER")]
pub struct Logs {
    #[arg(long)]
    pub details: bool,
    #[arg(long, short = 'f')]
    pub follow: bool,
    #[arg(long, short = 'n', value_name = "LINES", default_value = "all", hide_default_value = true)]
    pub tail: String,
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    #[arg(long, short = 't')]
    pub timestamps: bool,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn stats [OPTIONS] [CONTAINER...]")]
pub struct Stats {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long)]
    pub no_stream: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn wait CONTAINER [CONTAINER...]")]
pub struct Wait {
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}
