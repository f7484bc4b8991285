//! An engine of a test's own, used as a person uses it: by the command line, which starts the
//! daemon. Socket, state, home and processes are gone when the test ends.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub struct Place {
    directory: TempDir,
    /// Who uses it, when that is not who runs the tests: then also a copy of the program, for the
    /// user may not reach the original.
    user: Option<u32>,
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
        Place { directory, user: None }
    }

    /// A place of an ordinary user's: `uid` when root runs the tests, else whoever does.
    pub fn of_user(uid: u32) -> Place {
        let mut place = Place::new();
        if nix::unistd::geteuid().is_root() {
            // Not by this process: a test that forks meanwhile would hold the copy open for
            // writing, and such a file cannot be run.
            let copied =
                Command::new("cp").arg(env!("CARGO_BIN_EXE_learn")).arg(place.path("learn")).status();
            assert!(copied.expect("cp").success(), "a copy of the program");
            for path in [place.path(""), place.path("home")] {
                chown(path, Some(uid), Some(uid)).expect("the user's own");
            }
            // Others may pass through: what keeps them out is further down.
            fs::set_permissions(place.path(""), Permissions::from_mode(0o711)).expect("its mode");
            place.user = Some(uid);
        }
        place
    }

    /// The program as the place's user reaches it.
    pub fn program(&self) -> PathBuf {
        match self.user {
            Some(_) => self.path("learn"),
            None => env!("CARGO_BIN_EXE_learn").into(),
        }
    }

    /// The user's id.
    pub fn uid(&self) -> u32 {
        self.user.unwrap_or_else(|| nix::unistd::geteuid().as_raw())
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
        let mut command = Command::new(self.program());
        command.args(words);
        self.dress(&mut command);
        command
    }

    /// Gives any command the place's user and environment.
    pub fn dress(&self, command: &mut Command) {
        command.env_clear().stdin(Stdio::null());
        if let Some(uid) = self.user {
            // With the user, std gives the other groups up too.
            command.uid(uid).gid(uid);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let settings = [
            ("PATH", format!("{}:{path}", self.path("bin").display())),
            ("HOME", self.path("home").display().to_string()),
            ("LEARN_HOST", format!("unix://{}", self.path("run/learn.sock").display())),
            ("LEARN_ROOT", self.path("root").display().to_string()),
            ("LEARN_LANG", "en".to_owned()),
        ];
        command.envs(settings);
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
        if !Path::exists(&self.path("run/learn.sock")) {
            return;
        }
        // The engine can remove what it made, such as directories without permissions; whoever runs
        // the tests might not. No container, and no daemon either, is as good.
        if let Ok(listed) = self.command(&["ps", "-aq"]).output() {
            let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
            for id in ids.lines() {
                let _ = self.command(&["rm", "-f", id]).output();
            }
        }
        let _ = self.command(&["daemon", "stop"]).output();
    }
}

pub fn seen(output: Output) -> Seen {
    Seen {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
