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
