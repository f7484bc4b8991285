//! What the container verbs accept.

use clap::{Args, ValueEnum};

/// When an image is pulled before a container is made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PullPolicy {
    /// Also when it is here.
    Always,
    /// When it is not here.
    #[default]
    Missing,
    /// Never.
    Never,
}

/// The options `run` and `create` share.
#[derive(Debug, Args)]
pub struct Shape {
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[arg(long)]
    pub rm: bool,
    #[arg(long, short = 'i')]
    pub interactive: bool,
    #[arg(long, short = 'e', value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<std::path::PathBuf>,
    #[arg(long, short = 'w', value_name = "DIR")]
    pub workdir: Option<String>,
    #[arg(long, short = 'u', value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    #[arg(long, short = 'h', value_name = "NAME")]
    pub hostname: Option<String>,
    #[arg(long, visible_alias = "net", value_name = "default|host|none")]
    pub network: Option<String>,
    #[arg(long, value_name = "PROGRAM")]
    pub entrypoint: Option<String>,
    #[arg(long, short = 'l', value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    #[arg(long, value_name = "missing|always|never", default_value = "missing", hide_default_value = true)]
    pub pull: PullPolicy,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    #[arg(long)]
    pub read_only: bool,
    #[arg(long, value_name = "CAPABILITY")]
    pub cap_add: Vec<String>,
    #[arg(long, value_name = "CAPABILITY")]
    pub cap_drop: Vec<String>,
    #[arg(long)]
    pub privileged: bool,
    #[arg(long, value_name = "OPTION")]
    pub security_opt: Vec<String>,
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub ulimit: Vec<String>,
    #[arg(long, value_name = "SIGNAL")]
    pub stop_signal: Option<String>,
    #[arg(long, value_name = "SECONDS")]
    pub stop_timeout: Option<i64>,
    /// The image, then everything that belongs to the command: one list, so that flags end at the
    /// image's name.
    #[arg(required = true, trailing_var_arg = true, hide = true, value_name = "IMAGE")]
    pub image_and_command: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn run [OPTIONS] IMAGE [COMMAND] [ARG...]")]
pub struct Run {
    #[arg(long, short = 'd')]
    pub detach: bool,
    #[command(flatten)]
    pub shape: Shape,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn create [OPTIONS] IMAGE [COMMAND] [ARG...]")]
pub struct Create {
    #[command(flatten)]
    pub shape: Shape,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn start [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Start {
    #[arg(long, short = 'a')]
    pub attach: bool,
    #[arg(long, short = 'i')]
    pub interactive: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn attach [OPTIONS] CONTAINER")]
pub struct Attach {
    #[arg(long)]
    pub no_stdin: bool,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn stop [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Stop {
    #[arg(long, short = 's', value_name = "SIGNAL")]
    pub signal: Option<String>,
    #[arg(long, short = 't', visible_alias = "time", value_name = "SECONDS", allow_negative_numbers = true)]
    pub timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn kill [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Kill {
    #[arg(long, short = 's', value_name = "SIGNAL")]
    pub signal: Option<String>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn rm [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Rm {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(long, short = 'v')]
    pub volumes: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Ps {
    #[arg(long, short = 'a')]
    pub all: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(long, short = 'n', value_name = "COUNT", allow_negative_numbers = true)]
    pub last: Option<i64>,
    #[arg(long, short = 'l')]
    pub latest: bool,
    /// Whether to ask for sizes; undecided, the format decides.
    #[arg(long, short = 's', num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub size: Option<bool>,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn logs [OPTIONS] CONTAINER")]
pub struct Logs {
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
#[command(override_usage = "learn wait CONTAINER [CONTAINER...]")]
pub struct Wait {
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}
