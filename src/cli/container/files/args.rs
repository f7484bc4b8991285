//! What the verbs about files accept.

use clap::Args;

#[derive(Debug, Args)]
#[command(
    override_usage = "learn cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       learn cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH"
)]
pub struct Copy {
    #[arg(long, short = 'a')]
    pub archive: bool,
    #[arg(long, short = 'L')]
    pub follow_link: bool,
    #[arg(long, short = 'q')]
    pub quiet: bool,
    #[arg(value_name = "SOURCE", allow_hyphen_values = true)]
    pub source: String,
    #[arg(value_name = "DESTINATION", allow_hyphen_values = true)]
    pub destination: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn diff CONTAINER")]
pub struct Diff {
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn export [OPTIONS] CONTAINER")]
pub struct Export {
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<String>,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

#[derive(Debug, Args)]
#[command(override_usage = "learn commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]")]
pub struct Commit {
    #[arg(long, short = 'a', value_name = "AUTHOR")]
    pub author: Option<String>,
    #[arg(long, short = 'c', value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub message: Option<String>,
    #[arg(
        long,
        short = 'p',
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        hide_default_value = true
    )]
    pub pause: bool,
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub name: Option<String>,
}
