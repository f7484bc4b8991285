//! A Docker Engine of our own, started by hand.
//!
//! Debian's `docker.io` brings `dockerd`, `containerd` and `runc`. This starts
//!
//! ```text
//! echo '{}' >DIR/daemon.json
//! unshare --mount --propagation private \
//!     dockerd --config-file=DIR/daemon.json --data-root=DIR/data --exec-root=RUN/exec \
//!             --pidfile=DIR/dockerd.pid --host=unix://DIR/docker.sock \
//!             --cgroup-parent=/learn-docker-PID \
//!             --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false
//! ```
//!
//! beside whatever else runs on the machine. It starts a containerd of its own below `--exec-root`,
//! makes no bridge and no firewall rule, and keeps its mounts in a namespace that ends with it. So
//! `docker run --network none` and `--network host` work, and so does a pull from a registry on
//! loopback; a bridge does not. [`DockerEngine::with_network`] leaves the last line away: for a
//! caller who is in a network namespace of its own.

use super::{CgroupParent, Server, find};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What dockerd logs when clients may connect.
const READY: &str = "API listen on";

/// What has to be installed.
const PROGRAMS: [&str; 6] = ["dockerd", "containerd", "runc", "docker", "unshare", "setpriv"];

/// A running engine. Dropping it stops it and removes everything it made.
#[derive(Debug)]
pub struct DockerEngine {
    // In the order they go: the server, its cgroups, its files.
    server: Server,
    _cgroups: CgroupParent,
    directory: TempDir,
}

impl DockerEngine {
    /// What this machine lacks to run one; `None` when it can.
    pub fn missing() -> Option<&'static str> {
        if !nix::unistd::geteuid().is_root() {
            return Some("root");
        }
        PROGRAMS.into_iter().find(|program| find(program).is_none())
    }

    /// Starts an engine and waits until it answers.
    ///
    /// # Errors
    /// With the end of dockerd's log when it gave up.
    pub fn start() -> io::Result<DockerEngine> {
        let directory = tempfile::Builder::new().prefix("learn-docker.").tempdir()?;
        let run = directory.path().to_owned();
        DockerEngine::start_in(directory, &run)
    }

    /// The same with its files in `directory`, and in `run` what it otherwise has in `/run/docker`.
    ///
    /// # Errors
    /// As [`DockerEngine::start`].
    pub fn start_in(directory: TempDir, run: &Path) -> io::Result<DockerEngine> {
        let no_network = [
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
        ];
        DockerEngine::launch(directory, run, "{}", &no_network)
    }

    /// Starts an engine with Docker's default network in the caller's network namespace, which has
    /// to be none of the machine's. It pulls from `mirror` (`127.0.0.1:5000`) before Docker Hub.
    ///
    /// # Errors
    /// With the end of dockerd's log when it gave up.
    pub fn with_network(mirror: &str) -> io::Result<DockerEngine> {
        let directory = tempfile::Builder::new().prefix("learn-docker.").tempdir()?;
        let run = directory.path().to_owned();
        let settings = format!("{{\"registry-mirrors\": [\"http://{mirror}\"]}}");
        DockerEngine::launch(directory, &run, &settings, &[])
    }

    fn launch(directory: TempDir, run: &Path, settings: &str, network: &[&str]) -> io::Result<DockerEngine> {
        fs::write(directory.path().join("daemon.json"), settings)?;
        let cgroups = CgroupParent::new("learn-docker");
        let mut arguments = arguments(directory.path(), run, &cgroups);
        arguments.extend(network.iter().copied().map(String::from));
        let server = Server::start("unshare", &arguments, READY)?;
        Ok(DockerEngine { server, _cgroups: cgroups, directory })
    }

    /// Its address, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        host(self.directory.path())
    }

    /// dockerd's process id; containerd is a child of it.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The docker CLI, talking to this engine and reading nobody's settings.
    pub fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_CONFIG", self.directory.path()).env("DOCKER_HOST", self.host());
        command.env_remove("DOCKER_CONTEXT");
        command
    }

    /// Makes an image of one layer from a tar file.
    ///
    /// # Errors
    /// When `docker import` fails.
    pub fn import(&self, tar: &Path, name: &str) -> io::Result<()> {
        let status = self.docker().arg("import").arg(tar).arg(name).stdout(Stdio::null()).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("docker import {name}: {status}")))
        }
    }
}

fn host(directory: &Path) -> String {
    format!("unix://{}", directory.join("docker.sock").display())
}

/// What follows `unshare`; it becomes dockerd, so the process id is dockerd's.
fn arguments(directory: &Path, run: &Path, cgroups: &CgroupParent) -> Vec<String> {
    let file = |name: &str| directory.join(name).display().to_string();
    let mut arguments = ["--mount", "--propagation", "private", "dockerd"].map(String::from).to_vec();
    arguments.extend([
        // Not the machine's own settings; the file has to hold an object.
        format!("--config-file={}", file("daemon.json")),
        format!("--data-root={}", file("data")),
        format!("--exec-root={}", run.join("exec").display()),
        format!("--pidfile={}", file("dockerd.pid")),
        format!("--host={}", host(directory)),
        format!("--cgroup-parent=/{}", cgroups.name()),
    ]);
    arguments
}
