//! An engine of a test's own, used as a person uses it: by the command line, which starts the
//! daemon. Socket, state, home and processes are gone when the test ends.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub struct Place {
    directory: TempDir,
}

/// What a person sees.
#[derive(Debug)]
pub struct Seen {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Seen {
    /// The output of a command that had to succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The complaints of a command that had to fail so.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.stderr
    }
}

impl Place {
    pub fn new() -> Place {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(directory.path().join("home")).expect("a home");
        Place { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, with the directories above it, and tells its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("its directory");
        fs::write(&path, text).expect("a file");
        path.to_str().expect("utf-8").to_owned()
    }

    /// `learn` with an environment of its own: no settings of whoever runs the tests.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_learn"));
        command.args(words).env_clear().stdin(Stdio::null());
        let path = std::env::var("PATH").unwrap_or_default();
        let settings = [
            ("PATH", format!("{}:{path}", self.path("bin").display())),
            ("HOME", self.path("home").display().to_string()),
            ("LEARN_HOST", format!("unix://{}", self.path("run/learn.sock").display())),
            ("LEARN_ROOT", self.path("root").display().to_string()),
            ("LEARN_LANG", "en".to_owned()),
        ];
        command.envs(settings);
        command
    }

    pub fn learn(&self, words: &[&str]) -> Seen {
        seen(self.command(words).output().expect("learn"))
    }

    /// The same in Korean.
    pub fn korean(&self, words: &[&str]) -> Seen {
        seen(self.command(words).env("LEARN_LANG", "ko").output().expect("learn"))
    }

    /// Whether a daemon answers.
    pub fn is_up(&self) -> bool {
        self.learn(&["daemon", "status"]).code == Some(0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if Path::exists(&self.path("run/learn.sock")) {
            // None running is as good.
            let _ = self.command(&["daemon", "stop"]).output();
        }
    }
}

pub fn seen(output: Output) -> Seen {
    Seen {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
