//! `--step` on a terminal of its own, against a real daemon: while it waits the container's things
//! are there, and whoever stops leaves nothing behind.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Patience with a session that says nothing, and with processes that are on their way out.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine of its own, with hello-world in its store; gone with the test.
struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    /// `None`, with the reason, where containers cannot be run; a failure where they must.
    fn new() -> Option<Home> {
        if !nix::unistd::geteuid().is_root() {
            assert!(
                std::env::var_os("LEARN_REQUIRE_ROOT").is_none(),
                "LEARN_REQUIRE_ROOT is set, root is not"
            );
            eprintln!("skipped: stepping through a real container is tested as root");
            return None;
        }
        let home = Home { directory: tempfile::tempdir().unwrap() };
        home.pull();
        Some(home)
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn run_directory(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    fn learn(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_learn"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("LEARN_LANG", "en")
            .env("LEARN_ROOT", self.root())
            .env("LEARN_HOST", format!("unix://{}", self.run_directory().join("learn.sock").display()))
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn ask(&self, words: &[&str]) -> String {
        let output = self.learn(words).output().unwrap();
        assert!(output.status.success(), "learn {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn pull(&self) {
        self.ask(&["--hub", "builtin", "pull", "--quiet", "hello-world"]);
    }

    /// What a stopped session may not leave: records, sockets, groups, processes, half an image.
    fn left(&self, session: &Session) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        for directory in ["root/containers", "root/ingest", "run/containers", "run/shim"] {
            let there = names(&self.directory.path().join(directory));
            left.extend(there.into_iter().map(|name| format!("{directory}/{name}")));
        }
        left.extend(session.groups().iter().map(|path| path.display().to_string()));
        // Where shims come from stays; they do not.
        let name = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let children = children(self.daemon()).into_iter().filter(|pid| name(pid) != "learn-nursery\n");
        left.extend(children.map(|pid| format!("process {pid}")));
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let here = self.directory.path().display().to_string();
        left.extend(mounts.lines().filter(|line| line.contains(&here)).map(str::to_owned));
        if self.ask(&["images", "-q"]).is_empty() {
            left.extend(names(&self.root().join("layers")).into_iter().map(|name| format!("layers/{name}")));
        }
        left
    }

    fn daemon(&self) -> i32 {
        let pid = fs::read_to_string(self.run_directory().join("learn.pid")).unwrap();
        pid.trim().parse().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.learn(&["daemon", "stop"]).output();
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Processes whose parent is `parent`: field 4 of `/proc/<pid>/stat`.
fn children(parent: i32) -> Vec<i32> {
    let of = |pid: &i32| -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat[stat.rfind(')')? + 1..].split_whitespace().nth(1)?.parse().ok()
    };
    let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    pids.filter(|pid| of(pid) == Some(parent)).collect()
}

/// A client on a terminal.
struct Session {
    child: Child,
    terminal: OwnedFd,
    /// Everything shown so far.
    shown: String,
    /// Up to where prompts were looked for.
    read: usize,
}

impl Session {
    fn start(home: &Home, words: &[&str]) -> Session {
        // Close-on-exec from the first on: no child may keep a terminal open that its test closes.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let options = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = rustix::fs::open(name.as_c_str(), options, Mode::empty()).unwrap();
        let stdio = || Stdio::from(side.try_clone().unwrap());
        let child = home.learn(words).stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        Session { child, terminal, shown: String::new(), read: 0 }
    }

    /// Waits for the next prompt; `false` when the client ended instead.
    fn prompt(&mut self) -> bool {
        loop {
            // Both prompts, the long one and the short one, end with the key for help.
            let rest = &self.shown[self.read..];
            let end = rest.find("?]").and_then(|at| Some(at + rest[at..].find('\n')? + 1));
            if let Some(end) = end {
                self.read += end;
                return true;
            }
            if !self.more() {
                return false;
            }
        }
    }

    /// Reads on; `false` at the end. A terminal whose other side is closed answers EIO: pty(7).
    fn more(&mut self) -> bool {
        let mut ready = [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(PATIENCE).unwrap();
        assert_ne!(poll(&mut ready, timeout).unwrap(), 0, "nothing happens after:\n{}", self.shown);
        let mut bytes = [0; 4096];
        match nix::unistd::read(&self.terminal, &mut bytes) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
                true
            }
        }
    }

    fn press(&self, key: &str) {
        nix::unistd::write(&self.terminal, key.as_bytes()).unwrap();
    }

    /// Goes on to the stop at which `text` was announced.
    fn go_to(&mut self, text: &str) {
        while self.prompt() {
            if self.shown[..self.read].contains(text) {
                return;
            }
            self.press("\r");
        }
        panic!("no stop at {text:?}:\n{}", self.shown);
    }

    /// Presses Enter `stops` times, then `key`; the exit code, and whether the stop was reached.
    fn key_at(&mut self, stop: usize, key: &str) -> bool {
        for _ in 1..stop {
            if !self.prompt() {
                return false;
            }
            self.press("\r");
        }
        let reached = self.prompt();
        if reached {
            self.press(key);
        }
        reached
    }

    fn end(&mut self) -> i32 {
        while self.prompt() {
            self.press("\r");
        }
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// The control groups of every container this session named.
    fn groups(&self) -> Vec<PathBuf> {
        let words = self.shown.split(|c: char| !c.is_ascii_hexdigit());
        let ids: BTreeSet<&str> = words.filter(|word| word.len() == 12).collect();
        let hierarchies = names(Path::new("/sys/fs/cgroup"));
        let places = hierarchies.iter().map(|name| Path::new("/sys/fs/cgroup").join(name).join("learn"));
        let places = places.chain([PathBuf::from("/sys/fs/cgroup/learn")]);
        places
            .flat_map(|place| names(&place).into_iter().map(move |name| place.join(name)))
            .filter(|path| path.is_dir())
            .filter(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                ids.iter().any(|id| name.starts_with(id))
            })
            .collect()
    }

    /// The container's first process, as the narration named it.
    fn pid(&self) -> u32 {
        let (_, after) = self.shown.split_once("make a process in new namespaces: pid ").unwrap();
        after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Both fail when it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const EXEC: &str = "The program takes over the process";

#[test]
fn before_exec_the_process_its_namespaces_mounts_and_groups_are_there_to_look_at() {
    let Some(home) = Home::new() else { return };
    let mut session = Session::start(&home, &["run", "--step", "hello-world"]);
    session.go_to(EXEC);
    let pid = session.pid();
    for kind in ["mnt", "pid", "net", "uts", "ipc"] {
        let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/{kind}")).unwrap();
        assert_ne!(namespace(&pid.to_string()), namespace("self"), "{kind}");
    }
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let status = read("status");
    let numbers = status.lines().find(|line| line.starts_with("NSpid:")).unwrap();
    assert!(numbers.ends_with("\t1"), "PID 1 inside: {numbers}");
    let mounts = read("mountinfo");
    let mounted = |target: &str| mounts.lines().any(|line| line.split(' ').nth(4) == Some(target));
    for target in ["/", "/proc", "/dev", "/sys"] {
        assert!(mounted(target), "{target} is not in\n{mounts}");
    }
    assert!(!session.groups().is_empty() || read("cgroup").lines().all(|line| !line.contains("/learn/")));
    assert!(!session.shown.contains("Hello from learn!"));

    session.press("e");
    assert!(session.prompt(), "the work still waits after evidence:\n{}", session.shown);
    assert!(session.shown.contains("$ ls -l /proc/") && session.shown.contains("mnt:["), "{}", session.shown);
    for (key, answer) in [("b", "looking back"), ("n", "looking back"), ("?", "undo what was done")] {
        session.press(key);
        assert!(session.prompt(), "{key}");
        assert!(session.shown.contains(answer), "{key}: {}", session.shown);
    }
    session.press("c");
    assert_eq!(session.end(), 0, "{}", session.shown);
    assert!(session.shown.contains("Hello from learn!"), "{}", session.shown);
}

/// Stops with q at every `every`th stop there is; each time nothing may be left.
fn stop_everywhere(home: &Home, words: &[&str], every: usize, before: impl Fn(&Home)) -> usize {
    let mut stop = 1;
    loop {
        before(home);
        let mut session = Session::start(home, words);
        let reached = session.key_at(stop, "q");
        let code = session.end();
        if !reached {
            let made = home.ask(&["ps", "-aq"]);
            made.lines().for_each(|id| drop(home.ask(&["rm", id])));
            return stop - 1;
        }
        assert_eq!(code, 130, "stop {stop}: {}", session.shown);
        assert!(session.shown.contains("the learner stopped here"), "stop {stop}: {}", session.shown);
        let since = Instant::now();
        let mut left = home.left(&session);
        while !left.is_empty() && since.elapsed() < PATIENCE {
            left = home.left(&session);
        }
        assert!(left.is_empty(), "stop {stop} left {left:#?}\n{}", session.shown);
        stop += every;
    }
}

#[test]
fn whoever_stops_before_any_stage_leaves_nothing_behind() {
    let Some(home) = Home::new() else { return };
    let stops = stop_everywhere(&home, &["run", "--step", "hello-world"], 1, |_| {});
    assert!(stops > 15, "only {stops} stops");
    let stops = stop_everywhere(&home, &["run", "--step", "--explain=story", "hello-world"], 1, |_| {});
    assert!(stops >= 4, "only {stops} stages");
}

#[test]
fn whoever_stops_before_an_operation_leaves_nothing_behind() {
    let Some(home) = Home::new() else { return };
    let stops = stop_everywhere(&home, &["run", "--step", "--explain=kernel", "hello-world"], 6, |_| {});
    assert!(stops > 60, "only {stops} operations");
}

#[test]
fn whoever_stops_during_a_pull_leaves_no_half_image() {
    let Some(home) = Home::new() else { return };
    let forget = |home: &Home| drop(home.learn(&["rmi", "hello-world"]).output().unwrap());
    let words = ["--hub", "builtin", "run", "--step", "hello-world"];
    let stops = stop_everywhere(&home, &words, 1, forget);
    assert!(stops > 25, "only {stops} stops");
}

#[test]
fn a_pull_that_is_complete_stays_and_the_narration_says_so() {
    let Some(home) = Home::new() else { return };
    home.ask(&["rmi", "hello-world"]);
    let mut session = Session::start(&home, &["--hub", "builtin", "run", "--step", "hello-world"]);
    session.go_to("The container is made");
    session.press("q");
    assert_eq!(session.end(), 130);
    assert!(session.shown.contains("The image that was pulled stays"), "{}", session.shown);
    assert!(!home.ask(&["images", "-q"]).is_empty());
}

#[test]
fn a_client_that_is_killed_lets_the_work_finish() {
    let Some(home) = Home::new() else { return };
    let mut session = Session::start(&home, &["run", "--step", "hello-world"]);
    session.go_to(EXEC);
    session.child.kill().unwrap();
    session.child.wait().unwrap();
    let since = Instant::now();
    while !home.ask(&["ps", "-a"]).contains("Exited (0)") {
        assert!(since.elapsed() < PATIENCE, "the gate stays shut:\n{}", home.ask(&["ps", "-a"]));
    }
}

#[test]
fn a_terminal_that_is_closed_lets_the_work_finish() {
    let Some(home) = Home::new() else { return };
    let mut session = Session::start(&home, &["run", "--step", "hello-world"]);
    session.go_to(EXEC);
    let (other, _) = nix::unistd::pipe().unwrap();
    drop(std::mem::replace(&mut session.terminal, other));
    let since = Instant::now();
    while !home.ask(&["ps", "-a"]).contains("Exited (0)") {
        assert!(since.elapsed() < PATIENCE, "the gate stays shut:\n{}", home.ask(&["ps", "-a"]));
    }
}

#[test]
fn without_a_terminal_stepping_is_refused_before_anything_is_done() {
    let Some(home) = Home::new() else { return };
    let output = home.learn(&["run", "--step", "hello-world"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`--step` needs a terminal"), "{said}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(home.ask(&["ps", "-aq"]).is_empty());
}
