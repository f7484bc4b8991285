//! What the network verbs accept.

use clap::Args;

#[derive(Debug, Args)]
#[command(override_usage = "learn network create [OPTIONS] NETWORK")]
pub struct Create {
    #[arg(long, short = 'd', value_name = "DRIVER", default_value = "bridge", hide_default_value = true)]
    pub driver: String,
    #[arg(long, value_name = "CIDR")]
    pub subnet: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Vec<String>,
    #[arg(long, value_name = "CIDR")]
    pub ip_range: Vec<String>,
    #[arg(long, value_name = "NAME=ADDRESS")]
    pub aux_address: Vec<String>,
    #[arg(long)]
    pub internal: bool,
    #[arg(long)]
    pub attachable: bool,
    #[arg(long)]
    pub ipv6: bool,
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,
    #[arg(long, short = 'o', value_name = "NAME=VALUE")]
    pub opt: Vec<String>,
    #[arg(value_name = "NETWORK")]
    pub network: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network ls [OPTIONS]")]
pub struct List {
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub format: String,
    #[arg(long, short = 'f', value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network inspect NETWORK [NETWORK...]")]
pub struct Inspect {
    #[arg(required = true, value_name = "NETWORK")]
    pub networks: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network rm [OPTIONS] NETWORK [NETWORK...]")]
pub struct Remove {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(required = true, value_name = "NETWORK")]
    pub networks: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network connect [OPTIONS] NETWORK CONTAINER")]
pub struct Connect {
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub alias: Vec<String>,
    #[arg(value_name = "NETWORK")]
    pub network: String,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network disconnect [OPTIONS] NETWORK CONTAINER")]
pub struct Disconnect {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(value_name = "NETWORK")]
    pub network: String,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn network prune [OPTIONS]")]
pub struct Prune {
    #[arg(long, short = 'f')]
    pub force: bool,
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
}
