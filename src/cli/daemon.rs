//! `learn daemon`: the other side of the socket, started, stopped, looked at.

use super::{Failure, Wiring, output};
use crate::client::launch::{self, READY};
use crate::client::{Client, ConfigFile, Paths, from_path};
use crate::text::{Lang, ui};
use clap::Subcommand;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{PidfdFlags, pidfd_open};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use tokio::net::UnixStream;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum DaemonCommand {
    Start {
        /// The daemon's configuration.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    Stop,
    Status,
    Run {
        /// The daemon's configuration.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Given by the automatic start: leave the caller's session and tell it by one line when
        /// ready.
        #[arg(long, hide = true)]
        detached: bool,
    },
}

/// The same places, with the configuration `--config` names.
fn configured(mut paths: Paths, config: Option<PathBuf>) -> Result<Paths, Failure> {
    if let Some(path) = config {
        paths.config = Some(ConfigFile::named(&path).map_err(crate::client::Error::from)?);
    }
    Ok(paths)
}

/// Starts a daemon and leaves it running.
pub fn start(paths: Paths, config: Option<PathBuf>, lang: Lang) -> Result<(), Failure> {
    let paths = &configured(paths, config)?;
    match launch::start(paths).map_err(crate::client::Error::from)? {
        Some(started) => announce(lang, "daemon.started", started.pid, paths),
        None => {
            let pid = runtime()?.block_on(listener(paths))?.unwrap_or_default();
            announce(lang, "daemon.already-running", pid, paths)
        }
    }
}

/// Ends the daemon; containers go on.
pub fn stop(paths: &Paths, lang: Lang) -> Result<(), Failure> {
    let Some(pid) = runtime()?.block_on(listener(paths))? else {
        return Err(Failure::NotRunning(paths.host.clone()));
    };
    // The socket may be another engine's, `dockerd`'s say. Ours writes its pid down.
    let path = paths.pid_file();
    let written = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u32>().ok());
    if written != Some(pid) {
        return Err(Failure::File(format!(
            "not stopped: pid {pid} listens on {}, but {} does not name it",
            paths.host,
            path.display()
        )));
    }
    let raw = i32::try_from(pid).map_err(io::Error::other)?;
    // A descriptor first: the pid may belong to another process once the daemon is gone.
    let process = rustix::process::Pid::from_raw(raw).ok_or_else(|| io::Error::other("pid 0"))?;
    let ended = pidfd_open(process, PidfdFlags::empty()).map_err(io::Error::from)?;
    kill(Pid::from_raw(raw), Signal::SIGTERM).map_err(|errno| match errno {
        nix::errno::Errno::EPERM => {
            Failure::File(format!("not stopped: the daemon (pid {pid}) belongs to another user; try sudo"))
        }
        other => Failure::Output(other.into()),
    })?;
    poll(&mut [PollFd::new(&ended, PollFlags::IN)], None).map_err(io::Error::from)?;
    output::error_line(&ui(lang, "daemon.stopped", &[]))
}

/// Says whether a daemon answers: its pid, version and places.
pub fn status(paths: &Paths, lang: Lang) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let Some(pid) = listener(paths).await? else {
            return Err(Failure::NotRunning(paths.host.clone()));
        };
        let client = Client::new(from_path(paths.host.socket().to_owned()));
        let version = client.server_version().await?;
        output::line(&ui(lang, "daemon.running", &[("pid", &pid), ("socket", &paths.host)]))?;
        output::line(&format!("  version  {} (API {})", version.version, version.api_version))?;
        output::line(&format!("  root     {}", paths.root.display()))?;
        output::line(&format!("  log      {}", paths.log().display()))
    })
}

/// Is the daemon, until a signal ends it.
pub fn run(
    wiring: &Wiring,
    paths: Paths,
    config: Option<PathBuf>,
    lang: Lang,
    detached: bool,
) -> Result<(), Failure> {
    let paths = configured(paths, config)?;
    let settings = paths.settings()?;
    let Some(serve) = wiring.daemon else {
        return Err(Failure::File("this build has no daemon".to_owned()));
    };
    if detached {
        // A session of its own: the terminal's Ctrl-C and hang-up are not for the daemon. It
        // fails only for a process that leads a session already, which is as good.
        let _ = nix::unistd::setsid();
    }
    let at = paths.clone();
    let ready = move || {
        if detached {
            tell_starter()
        } else {
            let pid = std::process::id();
            let line = ui(lang, "daemon.running", &[("pid", &pid), ("socket", &at.host)]);
            writeln!(io::stderr(), "{line}")
        }
    };
    serve(paths, settings, Box::new(ready)).map_err(|error| Failure::File(format!("learn daemon: {error}")))
}

/// One line to whoever started us; from then on standard output is the log.
fn tell_starter() -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{READY}")?;
    stdout.flush()?;
    Ok(rustix::stdio::dup2_stdout(io::stderr())?)
}

/// The pid of whoever listens on the socket; `None` when nobody does.
async fn listener(paths: &Paths) -> Result<Option<u32>, Failure> {
    match from_path(paths.host.socket().to_owned())().await {
        Ok(stream) => {
            let stream: UnixStream = stream;
            Ok(stream.peer_cred()?.pid().and_then(|pid| u32::try_from(pid).ok()))
        }
        Err(crate::client::Error::Unreachable { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn announce(lang: Lang, key: &str, pid: u32, paths: &Paths) -> Result<(), Failure> {
    output::error_line(&ui(lang, key, &[("pid", &pid), ("socket", &paths.host)]))
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
