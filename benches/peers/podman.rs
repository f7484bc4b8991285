//! podman with a store of its own. It has no daemon.

use crate::peer::{CgroupParent, find};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// podman and where it keeps its things.
pub struct Podman {
    directory: PathBuf,
    run: PathBuf,
    cgroups: CgroupParent,
}

impl Podman {
    /// What this machine lacks to run it; `None` when it can.
    pub fn missing() -> Option<&'static str> {
        ["podman", "conmon"].into_iter().find(|program| find(program).is_none())
    }

    /// A store below `directory`, with alpine in it, and what does not outlive a boot below `run`.
    ///
    /// # Errors
    /// When `podman import` fails.
    pub fn new(directory: &Path, run: &Path, alpine: &Path) -> io::Result<Podman> {
        let podman = Podman {
            directory: directory.join("podman"),
            run: run.join("podman"),
            cgroups: CgroupParent::new("learn-podman"),
        };
        fs::create_dir_all(&podman.directory)?;
        let status = podman
            .command()
            .arg("import")
            .arg(alpine)
            .arg("alpine")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if status.success() { Ok(podman) } else { Err(io::Error::other(format!("podman import: {status}"))) }
    }

    /// The CLI, with this store.
    pub fn command(&self) -> Command {
        let mut command = Command::new("podman");
        command.arg("--root").arg(self.directory.join("storage"));
        for (option, name) in [("--runroot", "run"), ("--tmpdir", "tmp")] {
            command.arg(option).arg(self.run.join(name));
        }
        // No systemd and no journal are needed this way.
        command.args(["--storage-driver=overlay", "--cgroup-manager=cgroupfs", "--events-backend=none"]);
        command
    }

    /// Options of `run`, for a machine whose root may not raise limits and that has no systemd.
    pub fn run_options(&self) -> [String; 3] {
        [
            "--ulimit=nofile=1024:1024".to_owned(),
            "--ulimit=nproc=4096:4096".to_owned(),
            format!("--cgroup-parent={}", self.cgroups.name()),
        ]
    }
}
