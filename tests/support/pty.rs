//! A person at a terminal: a program on the inner end of a real pty, and what shows on the outer.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what has to show; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The terminal and the program on it.
pub struct Person {
    outer: OwnedFd,
    /// Kept open, so that what the terminal is set to can be looked at after the program.
    inner: OwnedFd,
    program: Child,
    screen: Vec<u8>,
}

impl Person {
    /// Starts a program on a terminal of this size. `setsid` makes it the session's own.
    pub fn at(rows: u16, columns: u16, command: &Command) -> Person {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&outer).and_then(|()| unlockpt(&outer)).expect("its inner end");
        let name = ptsname(&outer, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let inner = open(name, flags, Mode::empty()).expect("its inner end");
        let stream = || Stdio::from(inner.try_clone().expect("a descriptor"));
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args()).env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        session.stdin(stream()).stdout(stream()).stderr(stream());
        let mut person = Person { outer, inner, program: spawn(&mut session), screen: Vec::new() };
        person.resize(rows, columns);
        person
    }

    /// Changes the window.
    pub fn resize(&mut self, ws_row: u16, ws_col: u16) {
        tcsetwinsize(&self.outer, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        rustix::io::write(&self.outer, keys.as_bytes()).expect("typed");
    }

    /// Waits until `text` shows; what was before it is not looked at again.
    pub fn sees(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.screen.windows(text.len()).position(|piece| piece == text.as_bytes());
            if let Some(at) = found {
                self.screen.drain(..at + text.len());
                return;
            }
            let shown = String::from_utf8_lossy(&self.screen).into_owned();
            assert!(self.look(deadline), "{text:?} never showed, but {shown:?}");
        }
    }

    /// Takes in what shows; `false` when nothing more will, or time is up.
    fn look(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: 1_000_000 };
        let mut entry = [PollFd::new(&self.outer, PollFlags::IN)];
        let ready = poll(&mut entry, Some(&timeout)).is_ok_and(|count| count > 0);
        let mut buffer = [0; 4096];
        match rustix::io::read(&self.outer, &mut buffer) {
            Ok(count) if ready && count > 0 => {
                self.screen.extend_from_slice(&buffer[..count]);
                true
            }
            Err(Errno::INTR) => true,
            _ => false,
        }
    }

    /// Whether the terminal echoes and edits lines, as one does that nobody has made raw.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.inner).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The program's own process: `setsid` is its parent.
    pub fn program(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.program.id());
        let text = std::fs::read_to_string(children).unwrap_or_default();
        text.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or_else(|| self.program.id())
    }

    /// Waits until the program has ended.
    pub fn ends(&mut self) -> ExitStatus {
        self.program.wait().expect("its end")
    }
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error: io::Error| panic!("setsid: {error}"))
}

impl Drop for Person {
    fn drop(&mut self) {
        // Ended is the normal case.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
