//! Rules of this engine's own, by nft(8): one table, replaced as a whole in one transaction. Tables
//! of others are read and never changed.

use crate::error::{Hint, Kind};
use crate::kernel::Fault;
use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

/// Replaces a table. It is named before it is deleted, so that a missing one is no failure.
///
/// # Errors
/// [`Kind::Unsupported`] when there is no nft; what nft says.
pub(super) fn replace(table: &str, rules: &str) -> Result<(), Fault> {
    feed(&format!("table {table}\ndelete table {table}\n{rules}"))
}

/// Removes a table; one that is gone already is gone.
///
/// # Errors
/// As [`replace`].
pub(super) fn remove(table: &str) -> Result<(), Fault> {
    feed(&format!("table {table}\ndelete table {table}\n"))
}

/// The table of somebody else's that drops whatever passes through this machine unless it is
/// allowed there, as Docker's and ufw's do; what is accepted elsewhere is dropped all the same.
pub(super) fn dropped_by(own: &str) -> Option<String> {
    let listed = Command::new("nft").args(["list", "chains"]).env("PATH", path()).output().ok()?;
    blocking_table(&String::from_utf8_lossy(&listed.stdout), own)
}

/// Reads nft's list of chains.
fn blocking_table(chains: &str, own: &str) -> Option<String> {
    let mut table = "";
    for line in chains.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches('{').trim();
        }
        if line.contains("hook forward") && line.ends_with("policy drop;") && table != own {
            return Some(table.to_owned());
        }
    }
    None
}

fn feed(script: &str) -> Result<(), Fault> {
    let output = run(script).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::new(Kind::Unsupported, "the program nft is not installed"),
        _ => Fault::from(error),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().next().unwrap_or_default().trim().to_owned();
    Err(Fault::new(Kind::Internal, format!("nft: {reason}")).hint(Hint::RunDoctor))
}

fn run(script: &str) -> io::Result<Output> {
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .env("PATH", path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = nft.stdin.take() {
        // A program that ended early says why on its standard error.
        let _ = stdin.write_all(script.as_bytes());
    }
    nft.wait_with_output()
}

/// Administrators' programs are not in everybody's `PATH`.
fn path() -> String {
    let own = std::env::var("PATH").unwrap_or_default();
    format!("{own}:/usr/local/sbin:/usr/sbin:/sbin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_somebody_elses_that_drops_is_found() {
        let chain = |table: &str, policy: &str| {
            format!(
                "table {table} {{\n\tchain FORWARD {{\n\t\ttype filter hook forward priority filter; policy {policy};\n\t}}\n}}\n"
            )
        };
        let listed = chain("ip learn", "accept") + &chain("ip filter", "drop");
        assert_eq!(blocking_table(&listed, "ip learn"), Some("ip filter".into()));
        assert_eq!(blocking_table(&chain("ip filter", "accept"), "ip learn"), None);
        assert_eq!(blocking_table(&chain("ip learn", "drop"), "ip learn"), None);
    }
}
