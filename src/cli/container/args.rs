//! What the container verbs accept.

mod look;

use super::flags::files::Files;
use super::flags::limits::Limits;
use super::flags::machine::Machine;
use super::flags::network::Network;
use super::flags::value;
use clap::Args;
pub use look::*;

/// One of a program's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it reads.
    Stdin,
    /// What it writes.
    Stdout,
    /// What it complains.
    Stderr,
}

fn stream(word: &str) -> Result<Stream, String> {
    match word.to_ascii_lowercase().as_str() {
        "stdin" => Ok(Stream::Stdin),
        "stdout" => Ok(Stream::Stdout),
        "stderr" => Ok(Stream::Stderr),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}

/// How we stay with a program whose streams are joined to ours.
#[derive(Debug, Args)]
pub struct Terminal {
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        hide_default_value = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub sig_proxy: bool,
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
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
    #[arg(long)]
    pub init: bool,
    #[arg(long, short = 't')]
    pub tty: bool,
    #[arg(long, short = 'a', value_name = "stdin|stdout|stderr", value_parser = stream)]
    pub attach: Vec<Stream>,
    #[arg(long, short = 'e', value_name = "NAME=VALUE", value_parser = super::environment::variable)]
    pub env: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<std::path::PathBuf>,
    #[arg(long, short = 'w', value_name = "DIR")]
    pub workdir: Option<String>,
    #[arg(long, short = 'u', value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    #[arg(long, short = 'h', value_name = "NAME")]
    pub hostname: Option<String>,
    #[arg(long, value_name = "PROGRAM")]
    pub entrypoint: Option<String>,
    #[arg(long, short = 'l', value_name = "KEY=VALUE", value_parser = value::label)]
    pub label: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub label_file: Vec<std::path::PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub cidfile: Option<std::path::PathBuf>,
    #[arg(long, value_name = "missing|always|never", default_value = "missing", hide_default_value = true)]
    pub pull: String,
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
    #[arg(long, value_name = "NAME=SOFT[:HARD]", value_parser = super::flags::ulimit::ulimit)]
    pub ulimit: Vec<crate::wire::Ulimit>,
    #[arg(long, value_name = "SIGNAL")]
    pub stop_signal: Option<String>,
    #[arg(long, value_name = "SECONDS", value_parser = value::int)]
    pub stop_timeout: Option<i64>,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub limits: Limits,
    #[arg(long, value_name = "no|always|unless-stopped|on-failure[:COUNT]")]
    pub restart: Option<String>,
    #[command(flatten)]
    pub health: Health,
    #[arg(long, value_name = "json-file|local|none")]
    pub log_driver: Option<String>,
    #[arg(long, value_name = "NAME=VALUE")]
    pub log_opt: Vec<String>,
    #[arg(long)]
    pub oom_kill_disable: bool,
    #[arg(long, value_name = "-1000..1000", value_parser = value::int)]
    pub oom_score_adj: Option<i64>,
    /// Image and command are one list, so that flags end at the image's name.
    #[arg(required = true, trailing_var_arg = true, hide = true, value_name = "IMAGE")]
    pub image_and_command: Vec<String>,
}

/// How the program's health is checked.
#[derive(Debug, Default, Args)]
pub struct Health {
    #[arg(long, value_name = "COMMAND")]
    pub health_cmd: Option<String>,
    #[arg(long, value_name = "DURATION")]
    pub health_interval: Option<String>,
    #[arg(long, value_name = "COUNT", value_parser = value::int)]
    pub health_retries: Option<i64>,
    #[arg(long, value_name = "DURATION")]
    pub health_start_interval: Option<String>,
    #[arg(long, value_name = "DURATION")]
    pub health_start_period: Option<String>,
    #[arg(long, value_name = "DURATION")]
    pub health_timeout: Option<String>,
    #[arg(long)]
    pub no_healthcheck: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn run [OPTIONS] IMAGE [COMMAND] [ARG...]")]
pub struct Run {
    #[arg(long, short = 'd')]
    pub detach: bool,
    #[command(flatten)]
    pub session: Terminal,
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
    #[command(flatten)]
    pub session: Terminal,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn attach [OPTIONS] CONTAINER")]
pub struct Attach {
    #[arg(long)]
    pub no_stdin: bool,
    #[command(flatten)]
    pub session: Terminal,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn exec [OPTIONS] CONTAINER COMMAND [ARG...]")]
pub struct Exec {
    #[arg(long, short = 'd')]
    pub detach: bool,
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    #[arg(long, short = 'e', value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<std::path::PathBuf>,
    #[arg(long, short = 'i')]
    pub interactive: bool,
    #[arg(long)]
    pub privileged: bool,
    #[arg(long, short = 't')]
    pub tty: bool,
    #[arg(long, short = 'u', value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    #[arg(long, short = 'w', value_name = "DIR")]
    pub workdir: Option<String>,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn stop [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Stop {
    #[arg(long, short = 's', value_name = "SIGNAL")]
    pub signal: Option<String>,
    #[arg(long, short = 't', visible_alias = "time", value_name = "SECONDS", value_parser = value::int)]
    pub timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn restart [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Restart {
    #[arg(long, short = 's', value_name = "SIGNAL")]
    pub signal: Option<String>,
    #[arg(long, short = 't', visible_alias = "time", value_name = "SECONDS", value_parser = value::int)]
    pub timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn pause CONTAINER [CONTAINER...]")]
pub struct Pause {
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn unpause CONTAINER [CONTAINER...]")]
pub struct Unpause {
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn rename CONTAINER NEW_NAME")]
pub struct Rename {
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    #[arg(value_name = "NEW_NAME")]
    pub new_name: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn update [OPTIONS] CONTAINER [CONTAINER...]")]
pub struct Update {
    #[arg(long, value_name = "WEIGHT")]
    pub blkio_weight: Option<u16>,
    #[arg(long, value_name = "MICROSECONDS")]
    pub cpu_period: Option<i64>,
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub cpu_quota: Option<i64>,
    #[arg(long, short = 'c', value_name = "SHARES")]
    pub cpu_shares: Option<i64>,
    #[arg(long, value_name = "NUMBER")]
    pub cpus: Option<String>,
    #[arg(long, value_name = "0-3,5")]
    pub cpuset_cpus: Option<String>,
    #[arg(long, value_name = "0-1")]
    pub cpuset_mems: Option<String>,
    #[arg(long, short = 'm', value_name = "BYTES")]
    pub memory: Option<String>,
    #[arg(long, value_name = "BYTES")]
    pub memory_reservation: Option<String>,
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub memory_swap: Option<String>,
    #[arg(long, value_name = "COUNT", value_parser = value::int)]
    pub pids_limit: Option<i64>,
    #[arg(long, value_name = "POLICY")]
    pub restart: Option<String>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn container prune [OPTIONS]")]
pub struct Prune {
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    #[arg(long, short = 'f')]
    pub force: bool,
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
    #[arg(long, short = 'l')]
    pub link: bool,
    #[arg(long, short = 'v')]
    pub volumes: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    pub containers: Vec<String>,
}
