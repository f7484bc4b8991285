//! A server program, from the line by which it says that it is ready to its end.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a server may take to start, and again to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of its log that are kept, for the error message.
const KEPT: usize = 20;

/// A running server. Dropping it ends it: SIGTERM, and SIGKILL when that does not help.
#[derive(Debug)]
pub struct Server {
    pid: u32,
    ready: String,
    /// Closed when it has ended.
    ended: Receiver<()>,
}

/// What the thread that holds the server tells.
enum Happened {
    Started(u32),
    Ready(String),
}

impl Server {
    /// Starts `program` with `arguments` and waits for the line on its standard error that
    /// contains `ready`. The server also ends when this process does, however that ends.
    ///
    /// # Errors
    /// With the end of its log when it never says so.
    pub fn start(program: &str, arguments: &[String], ready: &'static str) -> io::Result<Server> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", program]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (happened, happenings) = mpsc::channel();
        let (ending, ended) = mpsc::channel();
        let theirs = Arc::clone(&log);
        // pdeathsig is about the thread that starts the program, not about the process. This one
        // lives as long as the server, the caller's (a test's) may not.
        thread::spawn(move || {
            let _ = hold(command, ready, &theirs, &happened);
            drop(ending);
        });
        let Ok(Happened::Started(pid)) = happenings.recv() else {
            return Err(io::Error::other(format!("setpriv cannot be started for {program}")));
        };
        let mut server = Server { pid, ready: String::new(), ended };
        let Ok(Happened::Ready(line)) = happenings.recv_timeout(PATIENCE) else {
            let lines = log.lock().unwrap_or_else(PoisonError::into_inner).make_contiguous().join("\n");
            return Err(io::Error::other(format!("{program} is not ready:\n{lines}")));
        };
        server.ready = line;
        Ok(server)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The line by which it said that it is ready.
    pub fn ready_line(&self) -> &str {
        &self.ready
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.pid.cast_signed());
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            // Once it has ended its number may be somebody else's.
            if self.ended.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(pid, signal);
                let _ = self.ended.recv_timeout(PATIENCE);
            }
        }
    }
}

/// Runs the server to its end and reads what it says.
fn hold(
    mut command: Command,
    ready: &str,
    log: &Mutex<VecDeque<String>>,
    happened: &Sender<Happened>,
) -> io::Result<()> {
    let mut server = command.spawn()?;
    let _ = happened.send(Happened::Started(server.id()));
    let read = follow(&mut server, ready, log, happened);
    server.wait()?;
    read
}

fn follow(
    server: &mut Child,
    ready: &str,
    log: &Mutex<VecDeque<String>>,
    happened: &Sender<Happened>,
) -> io::Result<()> {
    let Some(stderr) = server.stderr.take() else { return Ok(()) };
    for line in BufReader::new(stderr).lines() {
        let line = line?;
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(line.clone());
        if line.contains(ready) {
            let _ = happened.send(Happened::Ready(line));
        }
    }
    Ok(())
}
