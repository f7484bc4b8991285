//! Where command lines are run: a client, an engine, a directory, and a registry that answers for
//! Docker Hub, all in a network of their own.

use super::normal;
use super::peer::{DockerEngine, DockerRegistry};
use super::session::{Session, Step, Way};
use super::transcript::{Answer, Entry};
use super::{live, shelf};
use live::Live;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long one command may take. Only a failing suite waits that long.
const LIMIT: Duration = Duration::from_secs(60);

/// A network that ends with the thread that asked for it: nothing but loopback, so that neither
/// engine touches the machine's interfaces and rules.
pub fn own_network() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace: root");
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip(8)");
    assert!(up.success(), "loopback is up");
}

/// The engine a room's client speaks to.
enum Engine {
    Docker(String),
    Learn(Box<Live>),
}

/// A client, an engine and a directory.
pub struct Room {
    way: Way,
    engine: Engine,
    directory: TempDir,
    registry: String,
}

impl Room {
    /// A room with Docker Engine at this address.
    pub fn docker(host: &str, registry: &str) -> Room {
        Room::new(Way::Docker, Engine::Docker(host.to_owned()), registry)
    }

    /// A room with a daemon of its own.
    pub fn learn(way: Way, registry: &DockerRegistry) -> Room {
        let mut live = Live::new();
        let settings = live.home().join("config.json");
        fs::create_dir_all(live.home()).expect("a home");
        let mirror = format!("{{\"registry-mirrors\": [\"http://{}\"]}}", registry.address());
        fs::write(&settings, mirror).expect("settings");
        live.set("LEARN_CONFIG", &settings.display().to_string());
        live.start();
        Room::new(way, Engine::Learn(Box::new(live)), registry.address())
    }

    fn new(way: Way, engine: Engine, registry: &str) -> Room {
        let directory = tempfile::Builder::new().prefix("learn-parity-").tempdir().expect("a directory");
        for name in ["bin", "home", "here"] {
            fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        let room = Room { way, engine, directory, registry: registry.to_owned() };
        // The notes' machine has it; whoever runs the suite is root already.
        room.program("sudo", "\"$@\"");
        if way == Way::Learn {
            room.program("docker", concat!(env!("CARGO_BIN_EXE_learn"), " \"$@\""));
        }
        room
    }

    /// Puts a program in front of the machine's.
    fn program(&self, name: &str, becomes: &str) {
        let program = self.path("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\nexec {becomes}\n")).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn host(&self) -> String {
        match &self.engine {
            Engine::Docker(host) => host.clone(),
            Engine::Learn(live) => live.host(),
        }
    }

    /// A shell command with this room's client in front of the machine's programs.
    fn shell(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("timeout");
        command
            .args(["--signal=KILL", &LIMIT.as_secs().to_string(), "sh", "-c", script])
            .env_clear()
            .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("DOCKER_HOST", self.host())
            .env("LEARN_HOST", self.host())
            .env("DOCKER_CLI_HINTS", "false")
            .env("LEARN_LANG", "en")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(self.path("here"))
            .stdin(Stdio::null());
        if let Engine::Learn(live) = &self.engine {
            command.env("LEARN_ROOT", live.root());
        }
        command
    }

    fn run(&self, script: &str) -> Output {
        self.shell(script).output().expect("a shell")
    }

    /// The output of a command that has to succeed.
    fn ok(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(output.status.success(), "{:?}: {script}: {}", self.way, live::said(&output));
        live::stdout(&output)
    }

    /// Plays a session and gives what each line answered. Images are there when it begins.
    pub fn play(&self, session: &Session) -> Vec<Entry> {
        self.stock(&session.images);
        let mut words = vec![("<registry>".to_owned(), self.registry.clone())];
        let meant = |words: &[(String, String)], command: &str| {
            words.iter().fold(command.to_owned(), |command, (word, value)| command.replace(word, value))
        };
        let mut entries = Vec::new();
        for step in &session.steps {
            match step {
                Step::Setup(command) if self.way == Way::Docker => drop(self.ok(&meant(&words, command))),
                // Whether ours could shows in the lines that follow.
                Step::Setup(command) => drop(self.run(&meant(&words, command))),
                Step::Let { word, command } => {
                    let output = self.run(&meant(&words, command));
                    words.push((word.clone(), live::stdout(&output).trim().to_owned()));
                }
                Step::Line(line) => {
                    let output = self.run(&meant(&words, &line.command));
                    entries.push((line.command.clone(), self.answer(&output).text()));
                }
            }
        }
        entries
    }

    fn answer(&self, output: &Output) -> Answer {
        let own = [
            (self.host(), "<host>"),
            (self.host().trim_start_matches("unix://").to_owned(), "<socket>"),
            (self.path("here").display().to_string(), "<here>"),
            (self.directory.path().display().to_string(), "<room>"),
            (self.registry.clone(), "<registry>"),
        ];
        let text = |bytes: &[u8]| normal::text(self.way, &String::from_utf8_lossy(bytes), &own);
        let code = output.status.code().unwrap_or(-1);
        Answer { stdout: text(&output.stdout), stderr: text(&output.stderr), code }
    }

    /// Puts the images there, and no others.
    fn stock(&self, images: &[String]) {
        match &self.engine {
            Engine::Docker(_) => {
                let mut wanted: Vec<String> = images.iter().map(|name| format!("{name}:latest")).collect();
                wanted.sort();
                let listed = self.ok("docker images -a --format '{{.Repository}}:{{.Tag}}'");
                let mut there: Vec<String> = listed.lines().map(str::to_owned).collect();
                there.sort();
                if there != wanted {
                    self.ok("docker image prune -af");
                    self.ok(&shelf::pulls(images));
                }
            }
            Engine::Learn(_) if images.is_empty() => {}
            Engine::Learn(_) => drop(self.ok(&shelf::pulls(images))),
        }
    }

    /// Takes away what a session left on an engine that stays.
    pub fn tidy(&self) {
        if let Engine::Docker(_) = self.engine {
            self.ok("docker ps -aq | xargs -r docker rm -fv >/dev/null\n\
                 docker network prune -f >/dev/null\n\
                 docker volume prune -f >/dev/null");
        }
        let here = self.path("here");
        fs::remove_dir_all(&here).and_then(|()| fs::create_dir(&here)).expect("a directory");
    }
}

/// A Docker Engine and its address.
pub enum Peer {
    /// Somebody else's.
    Given(String),
    /// One of our own, which ends with this.
    Own(Box<DockerEngine>),
}

impl Peer {
    pub fn host(&self) -> String {
        match self {
            Peer::Given(host) => host.clone(),
            Peer::Own(engine) => engine.host(),
        }
    }
}
