//! `learn doctor`: one line per thing this machine can or cannot do, with the command that mends
//! what it cannot. The sentences are in `lessons/doctor.yaml`.

pub mod check;
mod words;

use super::{Failure, Wiring, output};
use crate::client::Paths;
use crate::text::{Lang, pad};
use check::{Daemon, Finding};
use clap::Args;
use nix::unistd::{Gid, Group};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// It takes no words.
#[derive(Debug, Args)]
pub struct Doctor {}

/// Columns of the longest status word and of the longest name.
const STATUS_WIDTH: usize = 6;
const NAME_WIDTH: usize = 22;

/// Examines the machine and tells what was found.
///
/// # Errors
/// [`Failure::Exited`] with 1 when containers cannot run for real.
pub fn doctor(paths: &Paths, lang: Lang, wiring: &Wiring) -> Result<(), Failure> {
    let Some(examine) = wiring.examine else {
        return Err(Failure::Usage(words::say(lang, "report.unavailable", &[])));
    };
    let found = examine(&paths.root);
    let socket = paths.host.socket();
    let findings = check::all(&found, &paths.host.to_string(), &knock(socket));
    output::text(&report(&findings, lang))?;
    output::exited(i64::from(!check::can_run(&findings)))
}

/// The whole report.
pub fn report(findings: &[Finding], lang: Lang) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = words::say(lang, &format!("status.{}", finding.status.name()), &[]);
        let name = words::say(lang, &format!("{}.name", finding.key), &[]);
        let said = words::say(lang, &format!("{}.{}", finding.key, finding.status.name()), &finding.facts);
        text.push_str(&format!("{} {} {said}\n", pad(&word, STATUS_WIDTH), pad(&name, NAME_WIDTH)));
        if let Some(command) = &finding.mend {
            text.push_str(&format!("{}$ {command}\n", " ".repeat(STATUS_WIDTH + 1)));
        }
    }
    let verdict = if check::can_run(findings) { "report.can-run" } else { "report.cannot-run" };
    text.push_str(&format!("\n{}\n", words::say(lang, verdict, &[])));
    text
}

/// Whether somebody opens; nothing is started by it.
fn knock(socket: &Path) -> Daemon {
    match UnixStream::connect(socket) {
        Ok(_) => Daemon::Listening,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Daemon::Denied { group: group(socket) },
        Err(_) => Daemon::Absent,
    }
}

fn group(socket: &Path) -> String {
    // A directory may hide the socket itself; `learn` is then as good a guess as any.
    let Ok(there) = socket.metadata() else { return "learn".into() };
    let found = Group::from_gid(Gid::from_raw(there.gid())).ok().flatten();
    found.map_or_else(|| there.gid().to_string(), |group| group.name)
}
