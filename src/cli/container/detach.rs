//! The keys that leave a terminal: the flag's, else those of Docker's own `config.json`
//! (`detachKeys`), else ctrl-p and ctrl-q.

use crate::wire::detach;
use serde::Deserialize;
use std::path::PathBuf;

/// What Docker's client says when somebody left.
pub const LEFT: &str = "read escape sequence";

/// The one setting that is looked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configured {
    detach_keys: Option<String>,
}

/// The keys to watch for, and their names for the daemon where they are not the usual ones. Names
/// that are no keys are the daemon's to refuse.
pub fn keys(flag: Option<&str>) -> (Vec<u8>, Option<String>) {
    let named = flag.map(str::to_owned).or_else(configured).filter(|named| !named.is_empty());
    let keys = named.as_deref().and_then(|named| detach::parse(named).ok());
    (keys.unwrap_or_else(|| detach::DEFAULT.to_vec()), named)
}

/// A file that is not there, or not to be read, sets nothing.
fn configured() -> Option<String> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    let directory = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home)?;
    let text = std::fs::read_to_string(directory.join("config.json")).ok()?;
    serde_json::from_str::<Configured>(&text).ok()?.detach_keys
}
