//! `--ulimit nofile=1024:2048`.

use super::value::int;
use crate::wire::Ulimit;

/// What setrlimit(2) knows.
const NAMES: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Reads one limit; one number is both, -1 is none.
///
/// # Errors
/// Docker's words.
pub fn ulimit(text: &str) -> Result<Ulimit, String> {
    let (name, limits) = text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let parts: Vec<&str> = limits.split(':').collect();
    let (soft, hard) = match parts.as_slice() {
        [both] => (int(both)?, int(both)?),
        [soft, hard] => {
            let hard = int(hard)?;
            (int(soft)?, hard)
        }
        _ => {
            return Err(format!(
                "too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`"
            ));
        }
    };
    let order = "ulimit soft limit must be less than or equal to hard limit";
    match (soft, hard) {
        (_, -1) => {}
        (-1, hard) => return Err(format!("{order}: soft: -1 (unlimited), hard: {hard}")),
        (soft, hard) if soft > hard => return Err(format!("{order}: {soft} > {hard}")),
        _ => {}
    }
    Ok(Ulimit { name: name.to_owned(), hard, soft })
}
