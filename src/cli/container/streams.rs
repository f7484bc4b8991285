//! Our standard streams joined to a container's, and our signals passed on to its program.

use crate::cli::{Context, Failure};
use crate::client::hijack::{FramedBody, Input, Output};
use crate::client::{Client, Hijacked, Source};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Stderr, Stdout};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Bytes read from standard input at once.
const INPUT_CHUNK: usize = 32 << 10;

/// Streams that flow by themselves until the container closes them.
pub struct Attached {
    output: JoinHandle<io::Result<()>>,
    input: Option<JoinHandle<io::Result<()>>>,
}

/// How long output waits at most for the narration of what came before it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lets the streams flow; the output not before `told` says that the start was narrated.
pub fn join(hijacked: Hijacked, stdin: bool, told: Option<watch::Receiver<bool>>) -> Attached {
    let (output, input) = hijacked.split();
    let (input, kept) = match stdin {
        true => (Some(tokio::spawn(feed(input))), None),
        // Not closed but kept: half-closing would tell the daemon that input ended.
        false => (None, Some(input)),
    };
    let output = tokio::spawn(async move {
        let copied = copy(output, told).await;
        drop(kept);
        copied
    });
    Attached { output, input }
}

impl Attached {
    /// Waits until the container has closed its output.
    ///
    /// # Errors
    /// When the connection broke or our own output cannot be written.
    pub async fn output_ended(self) -> Result<(), Failure> {
        let copied = self.output.await.map_err(io::Error::other)?;
        if let Some(input) = self.input {
            // Whoever types may never stop; nobody reads it any more.
            input.abort();
        }
        Ok(copied?)
    }
}

/// Our two output streams.
pub struct Sinks {
    stdout: Stdout,
    stderr: Stderr,
}

impl Default for Sinks {
    fn default() -> Sinks {
        Sinks { stdout: tokio::io::stdout(), stderr: tokio::io::stderr() }
    }
}

impl Sinks {
    /// Writes a piece where it belongs, at once.
    async fn write(&mut self, source: Source, bytes: &[u8]) -> io::Result<()> {
        match source {
            Source::Stdout => {
                self.stdout.write_all(bytes).await?;
                self.stdout.flush().await
            }
            Source::Stderr => {
                self.stderr.write_all(bytes).await?;
                self.stderr.flush().await
            }
        }
    }
}

async fn copy(mut output: Output, mut told: Option<watch::Receiver<bool>>) -> io::Result<()> {
    let mut sinks = Sinks::default();
    while let Some((source, bytes)) = output.next_piece().await? {
        if let Some(mut told) = told.take() {
            // A narrator that has ended, or is late, holds up nothing.
            let _ = timeout(PATIENCE, told.wait_for(|told| *told)).await;
        }
        sinks.write(source, &bytes).await?;
    }
    Ok(())
}

/// Writes a log as it comes.
///
/// # Errors
/// When the connection broke or our own output cannot be written.
pub async fn copy_log(mut log: FramedBody) -> Result<(), Failure> {
    let mut sinks = Sinks::default();
    while let Some((source, bytes)) = log.next_piece().await? {
        sinks.write(source, &bytes).await?;
    }
    Ok(())
}

async fn feed(mut input: Input) -> io::Result<()> {
    let mut stdin = tokio::io::stdin();
    let mut chunk = vec![0; INPUT_CHUNK];
    loop {
        match stdin.read(&mut chunk).await? {
            0 => return input.close().await,
            length => input.send(&chunk[..length]).await?,
        }
    }
}

/// Signals passed on to the container's program, as long as this lives.
pub struct Signals(Vec<JoinHandle<()>>);

/// What a terminal or another program may send us, and its name for the daemon.
const FORWARDED: [(i32, &str); 6] = [
    (libc::SIGINT, "INT"),
    (libc::SIGTERM, "TERM"),
    (libc::SIGHUP, "HUP"),
    (libc::SIGQUIT, "QUIT"),
    (libc::SIGUSR1, "USR1"),
    (libc::SIGUSR2, "USR2"),
];

impl Signals {
    /// Starts to pass signals on, by `POST /containers/{id}/kill`.
    ///
    /// # Errors
    /// When no handler can be installed.
    pub fn forward(context: &Context, id: &str) -> Result<Signals, Failure> {
        let mut tasks = Vec::new();
        for (number, name) in FORWARDED {
            let mut stream = signal(SignalKind::from_raw(number))?;
            let (client, id): (Arc<Client>, String) = (context.client.clone(), id.to_owned());
            tasks.push(tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    // A container that does not run yet, or no longer, has nothing to be told.
                    let _ = client.kill_container(&id, Some(name)).await;
                }
            }));
        }
        Ok(Signals(tasks))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
