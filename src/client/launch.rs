//! Starts a daemon when none is there: this very program again, detached, in the role
//! `daemon run`.
//!
//! The daemon's standard output is a pipe to us. It writes [`READY`] once it listens; the end of
//! the pipe without that line means that it gave up, and its log says why.

use super::host::Paths;
use super::{Connector, Error as ClientError, from_path};
use crate::wire::settings;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The line a daemon writes to its standard output when it listens.
pub const READY: &str = "ready";

/// Lines of the log shown when a daemon gives up.
const LAST_LINES: usize = 8;

/// A daemon this client started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its pid.
    pub pid: u32,
    /// Its socket.
    pub socket: PathBuf,
}

/// Why no daemon could be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state directory cannot be made or written.
    #[error("daemon did not start: {}: {source}", path.display())]
    State {
        /// What was to be made.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The daemon's configuration cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// This program could not be executed again.
    #[error("daemon did not start: /proc/self/exe: {0}")]
    Spawn(io::Error),
    /// The daemon ended before it listened.
    #[error("daemon did not start: it ended with {status}; the end of {}:\n{tail}", log.display())]
    GaveUp {
        /// `exit status: 1`, `signal: 9`.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines, indented.
        tail: String,
    },
}

/// Dials the socket of `paths`; when nobody listens, starts a daemon, tells `announce` about it
/// and dials again.
pub fn starting(paths: Paths, announce: impl Fn(&Started) + Send + Sync + 'static) -> Connector {
    let announce = Arc::new(announce);
    let dial = from_path(paths.host.socket().to_owned());
    Arc::new(move || {
        let (dial, paths, announce) = (dial.clone(), paths.clone(), announce.clone());
        Box::pin(async move {
            match dial().await {
                Err(ClientError::Unreachable { .. }) => {}
                other => return other,
            }
            let started = tokio::task::spawn_blocking(move || start(&paths)).await;
            if let Some(started) = started.map_err(|error| Error::Spawn(io::Error::other(error)))?? {
                announce(&started);
            }
            dial().await
        })
    })
}

/// Starts a daemon and waits until it listens. `None` when another one was there first.
///
/// # Errors
/// When it cannot be started, or ends before it listens.
pub fn start(paths: &Paths) -> Result<Option<Started>, Error> {
    let state = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::State { path, source }
    };
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o711).create(&paths.root).map_err(state(&paths.root))?;
    // Two clients that find no daemon must not start two: the second waits here, then finds one.
    let turn = paths.root.join("start.lock");
    let turn_file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&turn)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(state(&turn))?;
    if UnixStream::connect(paths.host.socket()).is_ok() {
        return Ok(None);
    }
    // What is wrong with it is said here, in the learner's language, and not by way of a log.
    paths.settings()?;
    let started = spawn(paths)?;
    drop(turn_file);
    Ok(Some(started))
}

fn spawn(paths: &Paths) -> Result<Started, Error> {
    let log = paths.log();
    let mut log_file = File::options()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .open(&log)
        .map_err(|source| Error::State { path: log.clone(), source })?;
    let before = log_file.seek(SeekFrom::End(0)).unwrap_or(0);
    let stderr = log_file.try_clone().map_err(Error::Spawn)?;
    let config = paths.config.iter().filter(|config| config.required);
    let mut daemon = Command::new("/proc/self/exe")
        .arg0("learn")
        .arg("--host")
        .arg(paths.host.to_string())
        .arg("--root")
        .arg(&paths.root)
        .args(["daemon", "run", "--detached"])
        .args(config.flat_map(|config| [Path::new("--config"), &config.path]))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(Error::Spawn)?;
    let mut line = String::new();
    if let Some(output) = daemon.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(Error::Spawn)?;
    }
    if line.trim_end() == READY {
        return Ok(Started { pid: daemon.id(), socket: paths.host.socket().to_owned() });
    }
    let status = daemon.wait().map_err(Error::Spawn)?.to_string();
    Err(Error::GaveUp { status, tail: tail(&mut log_file, before), log })
}

/// The last lines written after `before`.
fn tail(log: &mut File, before: u64) -> String {
    let mut text = Vec::new();
    let read = log.seek(SeekFrom::Start(before)).and_then(|_| log.read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    match read {
        Err(error) => format!("  ({error})"),
        Ok(_) if lines.is_empty() => "  (empty)".to_owned(),
        Ok(_) => lines[lines.len().saturating_sub(LAST_LINES)..]
            .iter()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}
