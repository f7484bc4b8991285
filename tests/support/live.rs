//! A daemon of one's own: the real program, in a directory of its own, and what it leaves on the
//! machine.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for something that has to happen; only a failing test waits that long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Whether this test can run here. Says why not; where root is required it fails instead.
pub fn privileged() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    unable("containers are started as root: run as root")
}

/// Skips with a reason, or fails where nothing may be skipped.
pub fn unable(reason: &str) -> bool {
    assert!(std::env::var_os("LEARN_REQUIRE_ROOT").is_none_or(|value| value != "1"), "{reason}");
    eprintln!("skipped: {reason}");
    false
}

/// A daemon and its directory.
pub struct Live {
    directory: TempDir,
    settings: Vec<(String, String)>,
    /// Size of the state directory's file system, as mount(8) takes it.
    disk: Option<String>,
    daemon: Option<Child>,
    /// Ids of the containers it has had.
    ids: Mutex<BTreeSet<String>>,
}

impl Live {
    /// A directory; the daemon is not started.
    pub fn new() -> Live {
        let directory = tempfile::Builder::new().prefix("learn-live-").tempdir().expect("a directory");
        Live { directory, settings: Vec::new(), disk: None, daemon: None, ids: Mutex::default() }
    }

    /// A directory with a daemon that listens.
    pub fn started() -> Live {
        let mut live = Live::new();
        live.start();
        live
    }

    /// Puts a variable into the environment of daemon and clients.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Gives the daemon a small file system for its state, in a mount namespace of its own.
    pub fn small_disk(&mut self, size: &str) {
        self.disk = Some(size.to_owned());
    }

    /// The state directory seen through the daemon's mounts.
    pub fn root_as_the_daemon_sees_it(&self) -> PathBuf {
        let root = self.root();
        let inside = root.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.pid().to_string()).join("root").join(inside)
    }

    /// The daemon's command line, within `unshare` when it has a disk of its own.
    fn daemon_command(&self) -> Command {
        let words = ["daemon", "run", "--detached"];
        let Some(size) = &self.disk else { return self.learn(&words) };
        fs::create_dir_all(self.root()).expect("a mount point");
        let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && shift 2 && exec \"$@\"";
        let root = self.root().display().to_string();
        let mut command = self.command("unshare", &["--mount", "--propagation", "private"]);
        command.args(["sh", "-c", script, "sh", size, &root, env!("CARGO_BIN_EXE_learn")]).args(words);
        command
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    pub fn run_dir(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    pub fn socket(&self) -> PathBuf {
        self.run_dir().join("learn.sock")
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The program with this daemon's environment, and no settings of whoever runs the tests.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("LEARN_HOST", self.host())
            .env("DOCKER_HOST", self.host())
            .env("LEARN_ROOT", self.root())
            .env("LEARN_LANG", "en")
            .env("COLUMNS", "100")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// `learn`, ready to be started.
    pub fn learn(&self, words: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_learn"), words)
    }

    /// `learn`, run to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.learn(words).output().expect("learn runs")
    }

    /// The output of a `learn` that has to succeed.
    pub fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "learn {words:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts the daemon and waits until it listens; gives what it said when it gave up.
    pub fn try_start(&mut self) -> Result<(), String> {
        assert!(self.daemon.is_none(), "it runs already");
        fs::create_dir_all(self.home()).expect("a home");
        let log = self.directory.path().join("daemon.log");
        let log_file = fs::File::create(&log).expect("a log");
        let mut daemon =
            self.daemon_command().stdout(Stdio::piped()).stderr(log_file).spawn().expect("the daemon starts");
        let mut line = String::new();
        let output = daemon.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        if line.trim_end() == "ready" {
            self.daemon = Some(daemon);
            return Ok(());
        }
        daemon.wait().expect("it ended");
        Err(fs::read_to_string(&log).expect("the log"))
    }

    pub fn start(&mut self) {
        self.try_start().expect("the daemon listens");
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("it runs").id()
    }

    /// SIGKILL, and its end waited for.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("it runs");
        daemon.kill().expect("it was there");
        daemon.wait().expect("it ended");
        self.container_ids();
    }

    pub fn is_alive(&mut self) -> bool {
        self.daemon.as_mut().is_some_and(|daemon| daemon.try_wait().expect("its state").is_none())
    }

    /// Ids of the containers on disk now, which are remembered.
    pub fn container_ids(&self) -> Vec<String> {
        let names = names(&self.root().join("containers"));
        self.ids.lock().unwrap().extend(names.iter().cloned());
        names
    }

    /// Pids of this daemon's shims: their standard error is a file in its run directory.
    pub fn shims(&self) -> Vec<u32> {
        let run = self.run_dir().canonicalize().unwrap_or_else(|_| self.run_dir());
        let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse::<u32>().ok());
        pids.filter(|pid| {
            let shim =
                fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"learn-shim"));
            let log = fs::read_link(format!("/proc/{pid}/fd/2"));
            shim && log.is_ok_and(|log| log.starts_with(&run))
        })
        .collect()
    }

    /// The daemon's children, zombies included, whose name begins so; in order of their pids.
    pub fn children(&self, name: &str) -> Vec<u32> {
        let tasks = PathBuf::from(format!("/proc/{}/task", self.pid()));
        let list = |task: String| fs::read_to_string(tasks.join(task).join("children")).unwrap_or_default();
        let lists: String = names(&tasks).into_iter().map(list).collect();
        let pids = lists.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok());
        let named = |pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.starts_with(name))
        };
        let mut children: Vec<u32> = pids.filter(named).collect();
        children.sort_unstable();
        children
    }

    /// Waits until every shim there is now has ended.
    pub fn until_shims_end(&self) {
        self.shims().into_iter().for_each(until_ended);
    }

    /// Everything of this daemon's containers that is still on the machine, beside its state
    /// directory: shims, sockets, bundles of containers that are gone, mounts, control groups.
    pub fn leftovers(&self) -> Vec<String> {
        let there = self.container_ids();
        let mut found: Vec<String> = self.shims().iter().map(|pid| format!("shim {pid}")).collect();
        found.extend(names(&self.run_dir().join("shim")).iter().map(|name| format!("socket {name}")));
        let bundles = names(&self.run_dir().join("containers")).into_iter();
        found.extend(bundles.filter(|id| !there.contains(id)).map(|id| format!("bundle {id}")));
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
        let here = self.directory.path().display().to_string();
        found.extend(mounts.lines().filter(|line| line.contains(&here)).map(|line| format!("mount {line}")));
        let ids = self.ids.lock().unwrap();
        let groups = Path::new("/sys/fs/cgroup");
        for mount in names(groups).iter().map(|name| groups.join(name)).chain([groups.to_owned()]) {
            let held = names(&mount.join("learn")).into_iter().filter(|name| ids.contains(name));
            found.extend(held.map(|name| format!("cgroup {}/learn/{name}", mount.display())));
        }
        found
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let running = !self.shims().is_empty();
        if let Some(daemon) = self.daemon.take() {
            end(daemon, running);
        }
        // A shim's program dies with it. Their groups go with a daemon that finds them.
        let shims = self.shims();
        for pid in &shims {
            let pid = rustix::process::Pid::from_raw(i32::try_from(*pid).unwrap_or_default());
            let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
        if !shims.is_empty() && self.try_start().is_ok() {
            let _ = self.daemon.take().map(|daemon| end(daemon, false));
        }
    }
}

/// Ends a daemon: at once, or so that it takes its bridge with it.
fn end(mut daemon: Child, at_once: bool) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let process = rustix::process::Pid::from_raw(i32::try_from(daemon.id()).unwrap_or_default());
    if let Some(process) = process.filter(|_| !at_once)
        && let Ok(ended) = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty())
        && rustix::process::kill_process(process, rustix::process::Signal::TERM).is_ok()
    {
        let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
        let _ = poll(&mut [PollFd::new(&ended.as_fd(), PollFlags::IN)], Some(&patience));
    }
    let _ = daemon.kill();
    let _ = daemon.wait();
}

/// Waits until a process has ended: pidfd_open(2).
pub fn until_ended(pid: u32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let process = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not 0");
    let Ok(ended) = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()) else {
        return;
    };
    let patience = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&ended.as_fd(), PollFlags::IN)], Some(&patience)).expect("poll");
    assert_eq!(ready, 1, "process {pid} has not ended: it waits in {}", waits_in(pid));
}

/// The system call a process and its children wait in, by number and arguments: proc(5).
fn waits_in(pid: u32) -> String {
    let call = |pid: &str| fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let inside = children.split_whitespace().map(|child| format!("; its child {child} in {}", call(child)));
    call(&pid.to_string()) + &inside.collect::<String>()
}

/// Names in a directory, sorted; none where there is no directory.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What a person sees: both streams and the exit code.
pub fn said(output: &Output) -> String {
    format!(
        "{}\n[stdout]\n{}[stderr]\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asks again until it is so: for what no descriptor tells of.
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// A hijacked connection, as Docker's client makes it: what comes after the 101 is the container's.
pub fn attach(live: &Live, container: &str, query: &str) -> std::os::unix::net::UnixStream {
    use std::io::{Read, Write};
    let mut connection = std::os::unix::net::UnixStream::connect(live.socket()).expect("the daemon answers");
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(
        connection,
        "POST /v1.41/containers/{container}/attach?{query} HTTP/1.1\r\nHost: learn\r\nConnection: Upgrade\r\n\
         Upgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    )
    .expect("sent");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    connection
}

/// The next frame of a hijacked connection: its stream (1 output, 2 error output) and its bytes;
/// `None` at the end.
pub fn frame(connection: &mut impl std::io::Read) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 8];
    match connection.read_exact(&mut head) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return None,
        result => result.expect("a frame or the end"),
    }
    let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let mut bytes = vec![0; length as usize];
    connection.read_exact(&mut bytes).expect("a whole frame");
    Some((head[0], bytes))
}
