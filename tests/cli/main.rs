//! The command line alone: its words, its tables, its exit codes, and the requests it makes to a
//! daemon that answers from a script.

#[path = "../support/canned.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod canned;
mod daemon;
mod formats;
mod help;
mod lists;
mod narrated;
mod places;
mod pull;
mod run;
mod usage;

use daemon::Daemon;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `learn` with an environment of its own: no settings of whoever runs the tests.
fn learn(host: &str, root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learn"));
    command
        .env_clear()
        .env("LEARN_HOST", host)
        .env("LEARN_ROOT", root)
        .env("LEARN_LANG", "en")
        .env("COLUMNS", "100")
        .env("TZ", "UTC")
        .args(words)
        .stdin(Stdio::null());
    command
}

/// Runs `learn` against a scripted daemon.
fn against(daemon: &Daemon, words: &[&str]) -> Output {
    learn(&daemon.host(), &daemon.root(), words).output().unwrap()
}

/// Runs `learn` where no daemon is and none can be started.
fn alone(words: &[&str]) -> Output {
    learn("unix:///dev/null/learn.sock", Path::new("/dev/null"), words).output().unwrap()
}

/// What a person sees: both streams and the exit code.
fn seen(output: &Output) -> String {
    format!(
        "[stdout]\n{}[stderr]\n{}[exit {}]\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().map_or("signal".to_owned(), |code| code.to_string())
    )
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Compares with `snapshots/<name>.snap`.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
