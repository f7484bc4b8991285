//! An engine of `learn`'s own for this run.

use crate::peer::Server;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program that was built with this bench.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_learn");

/// A running daemon with a state directory and a socket of its own.
pub struct Learn {
    _daemon: Server,
    directory: PathBuf,
    run: PathBuf,
}

impl Learn {
    /// Starts the daemon, with files below `directory` and its socket below `run`, and pulls alpine
    /// from the built-in hub.
    ///
    /// # Errors
    /// When the daemon does not start.
    pub fn start(directory: &Path, run: &Path) -> io::Result<Learn> {
        let (directory, run) = (directory.join("learn"), run.join("learn"));
        fs::create_dir_all(&directory)?;
        fs::create_dir_all(&run)?;
        let (host, root) = places(&directory, &run);
        let arguments = ["--lang=en", "--host", &host, "--root", &root, "daemon", "run"];
        let daemon = Server::start(PROGRAM, &arguments.map(String::from), "learn.sock")?;
        let learn = Learn { _daemon: daemon, directory, run };
        let status =
            learn.command().args(["--hub=builtin", "pull", "alpine"]).stdout(Stdio::null()).status()?;
        if status.success() {
            Ok(learn)
        } else {
            Err(io::Error::other(format!("learn pull alpine: {status}")))
        }
    }

    /// The CLI, talking to this daemon.
    pub fn command(&self) -> Command {
        let (host, root) = places(&self.directory, &self.run);
        let mut command = Command::new(PROGRAM);
        command.env("LEARN_HOST", host).env("LEARN_ROOT", root).env("LEARN_LANG", "en");
        command
    }

    /// The daemon's process id.
    ///
    /// # Errors
    /// When the daemon has not written it down.
    pub fn pid(&self) -> io::Result<u32> {
        let text = fs::read_to_string(self.run.join("learn.pid"))?;
        text.trim().parse().map_err(io::Error::other)
    }
}

fn places(directory: &Path, run: &Path) -> (String, String) {
    (format!("unix://{}", run.join("learn.sock").display()), directory.join("state").display().to_string())
}
