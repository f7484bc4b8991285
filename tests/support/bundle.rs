//! OCI bundles that really run: Docker's default configuration over a small Alpine tree, edited a
//! little by each test, and run by the runtime in a process of its own.

#![allow(dead_code, reason = "shared by several test binaries; each uses a part")]

use flate2::read::GzDecoder;
use learn::hub::Catalog;
use learn::kernel::Machine;
use learn::kernel::linux::{LinuxJail, probe};
use learn::runtime::guard::{capability, paths, profile};
use learn::runtime::protocol::StartFailure;
use learn::runtime::{OVERLAY_ANNOTATION, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// First argument of a process that is to run a bundle; the machine and the bundle follow.
pub const ROLE: &str = "runtime-role";
/// What such a process says before a [`StartFailure`].
const FAILURE: &str = "start failure: ";
/// A user without privilege.
pub const NOBODY: u32 = 65_534;

/// The role's whole life: single-threaded, as clone(2) wants it.
pub fn role(arguments: &[String]) -> i32 {
    let [machine, bundle] = arguments else { panic!("machine and bundle, not {arguments:?}") };
    let machine: Machine = serde_json::from_str(machine).expect("a machine as JSON");
    match run::run(&mut LinuxJail::default(), &machine, bundle) {
        Ok(code) => code,
        Err(error) => {
            let failure = StartFailure::from(&error);
            eprintln!("{FAILURE}{}", serde_json::to_string(&failure).expect("plain data"));
            failure.exit_code
        }
    }
}

/// The tree every container starts from, unpacked once and never written to.
fn alpine() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| {
        let image = Catalog::builtin().image("library/alpine").expect("programs").expect("in the catalogue");
        let tree = workshop().join("alpine");
        let mut archive = tar::Archive::new(GzDecoder::new(&image.layer.bytes[..]));
        archive.set_preserve_permissions(true);
        archive.unpack(&tree).expect("a whole layer");
        tree
    })
}

/// Where this test process keeps its bundles; [`clean_up`] removes it.
fn workshop() -> PathBuf {
    let path = std::env::temp_dir().join(group());
    fs::create_dir_all(&path).expect("room for bundles");
    path
}

/// The control group above all of this process's containers.
fn group() -> String {
    format!("learn-test-{}", std::process::id())
}

/// Removes what the tests themselves made.
pub fn clean_up() {
    fs::remove_dir_all(workshop()).expect("bundles of ours");
    for mount in hierarchies() {
        let parent = mount.join(group());
        if parent.exists() {
            fs::remove_dir(&parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
        }
    }
}

/// Mount points of every cgroup hierarchy.
fn hierarchies() -> Vec<PathBuf> {
    let cgroups = probe::probe().cgroups;
    let v2 = cgroups.v2.map(|v2| v2.mount);
    cgroups.v1.into_values().chain(v2).map(PathBuf::from).collect()
}

/// What a container left to say.
#[derive(Debug)]
pub struct Ran {
    /// Docker's exit code, or that of a failed start.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error, without the failure.
    pub stderr: String,
    /// Why the program never ran.
    pub failure: Option<StartFailure>,
}

impl Ran {
    /// Output of a program that succeeded.
    #[track_caller]
    pub fn said(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The failure of a start that had to fail.
    #[track_caller]
    pub fn failed(self) -> StartFailure {
        let Some(failure) = self.failure else { panic!("it ran: {self:?}") };
        assert_eq!(self.code, failure.exit_code);
        failure
    }
}

/// A bundle in the making.
pub struct Bundle {
    directory: PathBuf,
    /// `config.json`.
    pub spec: Value,
    /// What the runtime is told the machine offers.
    pub machine: Machine,
}

impl Bundle {
    /// A container with Docker's defaults that runs `arguments`; `name` is unique among the tests.
    pub fn new(name: &str, arguments: &[&str]) -> Bundle {
        let machine = probe::probe();
        let directory = workshop().join(name);
        for part in ["rootfs", "upper", "work"] {
            fs::create_dir_all(directory.join(part)).expect("a bundle's directories");
        }
        let mut bundle = Bundle { spec: spec(name, arguments, &machine), directory, machine };
        bundle.set("/linux/cgroupsPath", json!(format!("/{}/{name}", group())));
        bundle.overlay("");
        bundle
    }

    /// The same, for a line of shell.
    pub fn shell(name: &str, line: &str) -> Bundle {
        Bundle::new(name, &["/bin/sh", "-c", line])
    }

    /// Puts `value` at a place of the configuration, given as a JSON pointer.
    pub fn set(&mut self, pointer: &str, value: Value) -> &mut Bundle {
        let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = self.spec.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is in no spec"));
        parent[key] = value;
        self
    }

    /// Stacks the container's own layer over Alpine, with more overlay options.
    pub fn overlay(&mut self, more: &str) -> &mut Bundle {
        let part = |name: &str| self.directory.join(name).display().to_string();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}{more}",
            alpine().display(),
            part("upper"),
            part("work")
        );
        self.set("/annotations", json!({ OVERLAY_ANNOTATION: options }))
    }

    /// The writable layer, to prepare.
    pub fn upper(&self) -> PathBuf {
        self.directory.join("upper")
    }

    /// Directory of the bundle.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Puts a file into the writable layer.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> &mut Bundle {
        let path = self.upper().join(path);
        fs::create_dir_all(path.parent().expect("below upper")).expect("a directory");
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        self
    }

    /// Turns the bundle into one that a user without privilege runs.
    pub fn unprivileged(&mut self) -> &mut Bundle {
        self.machine.uid = NOBODY;
        self.machine.gid = NOBODY;
        if let Some(v2) = &mut self.machine.cgroups.v2 {
            v2.writable = false;
        }
        self.spec["linux"]["namespaces"].as_array_mut().expect("a list").push(json!({"type": "user"}));
        for part in ["", "rootfs", "upper", "work"] {
            chown(self.directory.join(part), Some(NOBODY), Some(NOBODY)).expect("root gives away");
        }
        // One id is mapped, so no file can belong to group 5; the engine leaves it out as well.
        for mount in self.spec["mounts"].as_array_mut().expect("a list") {
            mount["options"].as_array_mut().expect("a list").retain(|option| option != "gid=5");
        }
        self.overlay(",userxattr")
    }

    /// Control files of this container's group: in v1 below `controller`, else in v2.
    pub fn control(&self, controller: &str) -> PathBuf {
        let cgroups = &self.machine.cgroups;
        let v2 = cgroups.v2.as_ref().map(|v2| &v2.mount);
        let mount = cgroups.v1.get(controller).or(v2).expect("a hierarchy");
        let path = self.spec["linux"]["cgroupsPath"].as_str().expect("set by new");
        PathBuf::from(format!("{mount}{path}"))
    }

    /// Runs to the end, and checks that nothing is left: no mount, no group, no process.
    #[track_caller]
    pub fn run(&self) -> Ran {
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("procfs");
        let ran = self.spawn().finish();
        assert_eq!(fs::read_to_string("/proc/self/mountinfo").expect("procfs"), mounts, "{ran:?}");
        ran
    }

    /// Starts the runtime; its streams are pipes.
    pub fn spawn(&self) -> Running<'_> {
        Running { bundle: self, runtime: Some(self.command().spawn().expect("this very program")) }
    }

    /// The runtime's process, not started.
    pub fn command(&self) -> Command {
        fs::write(self.directory.join("config.json"), self.spec.to_string()).expect("a bundle");
        let machine = serde_json::to_string(&self.machine).expect("plain data");
        let mut command = Command::new(std::env::current_exe().expect("procfs"));
        command.args([ROLE, &machine]).arg(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.machine.uid != 0 {
            command.uid(self.machine.uid).gid(self.machine.gid);
        }
        command
    }

    /// What a runtime that ended left to say.
    pub fn read(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (mut stderr, mut failure) = (String::new(), None);
        for line in text(output.stderr).lines() {
            match line.strip_prefix(FAILURE) {
                Some(json) => failure = Some(serde_json::from_str(json).expect("a start failure")),
                None => stderr.extend([line, "\n"]),
            }
        }
        let code = output.status.code().unwrap_or_else(|| 1000 + output.status.signal().unwrap_or(0));
        Ran { code, stdout: text(output.stdout), stderr, failure }
    }
}

/// A container that may still run. One that a failed test lets go of is ended, so that the next
/// test finds the machine as it was.
pub struct Running<'a> {
    bundle: &'a Bundle,
    runtime: Option<Child>,
}

impl Running<'_> {
    /// Reads standard output up to the first newline, so that a test knows how far a program is.
    /// The writer must be the container's only process, lest [`Running::pid`] see another.
    pub fn line(&mut self) -> String {
        let output = self.runtime.as_mut().and_then(|runtime| runtime.stdout.as_mut()).expect("a pipe");
        let mut line = Vec::new();
        let mut byte = [0];
        while output.read(&mut byte).expect("a pipe") == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).expect("text")
    }

    /// The container's only process, as the host numbers it.
    #[track_caller]
    pub fn pid(&self) -> Pid {
        match self.members()[..] {
            [only] => only,
            ref others => panic!("{others:?} live in {}", self.bundle.directory.display()),
        }
    }

    fn members(&self) -> Vec<Pid> {
        let procs = self.bundle.control("pids").join("cgroup.procs");
        let text = fs::read_to_string(procs).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
    }

    /// Ends the container and takes what it said.
    #[track_caller]
    pub fn kill(self) -> Ran {
        kill(self.pid(), Signal::SIGKILL).expect("a process of ours");
        self.finish()
    }

    /// Takes the output and the exit code, and checks that no group and no process is left.
    #[track_caller]
    pub fn finish(mut self) -> Ran {
        let ran = self.end();
        let path = self.bundle.spec["linux"]["cgroupsPath"].as_str().expect("set by new");
        for mount in hierarchies() {
            let left = PathBuf::from(format!("{}{path}", mount.display()));
            assert!(!left.exists(), "{} is left: {ran:?}", left.display());
        }
        assert!(!processes_left(), "a process is left: {ran:?}");
        ran
    }

    /// Takes the output and the exit code alone: others may still run, or share the group.
    pub fn end(&mut self) -> Ran {
        let runtime = self.runtime.take().expect("taken once");
        Bundle::read(runtime.wait_with_output().expect("a child of ours"))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Some(mut runtime) = self.runtime.take() else { return };
        // The runtime then clears away and ends by itself; a process gone already is no matter.
        for pid in self.members() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let _ = runtime.wait();
    }
}

/// Whether a process of a container lives on. Dead ones are taken: they became ours because this
/// process adopts orphans.
fn processes_left() -> bool {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Reads `reader` up to and with the first newline, so that a test knows how far a program is.
pub fn line(reader: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while reader.read(&mut byte).expect("a pipe") == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("text")
}

fn spec(name: &str, arguments: &[&str], machine: &Machine) -> Value {
    let capabilities = capability::DEFAULT.into();
    let sets = capability::process_sets(&capabilities, 0);
    let namespaces: Vec<Value> =
        ["mount", "pid", "network", "uts", "ipc"].iter().map(|kind| json!({"type": kind})).collect();
    json!({
        "ociVersion": "1.2.0",
        "root": { "path": "rootfs" },
        "hostname": name,
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "cwd": "/",
            "args": arguments,
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "capabilities": sets,
        },
        "mounts": paths::mounts(paths::SHM_SIZE, false),
        "linux": {
            "namespaces": namespaces,
            "resources": { "devices": paths::device_rules() },
            "seccomp": profile::default_profile(&capabilities, machine.kernel_version()),
            "maskedPaths": paths::MASKED,
            "readonlyPaths": paths::READ_ONLY,
        },
    })
}
