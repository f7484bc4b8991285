//! Our standard streams joined to a program's, and our signals passed on to it.

use super::terminal::Raw;
use crate::cli::{Context, Failure};
use crate::client::hijack::{FramedBody, Input, Output};
use crate::client::{Client, Hijacked, Source};
use crate::wire::detach::Escape;
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

/// How streams are joined.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// Ours to the program's input.
    pub stdin: bool,
    /// The program has a terminal: ours becomes raw, its output has no frames.
    pub tty: bool,
    /// The keys that leave the terminal.
    pub detach: Vec<u8>,
    /// Our signals go to the program.
    pub signals: bool,
}

/// Why the streams are apart again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The program closed its output.
    Ended,
    /// The person at the terminal left by the detach keys.
    Detached,
}

/// Why input ended, and its end of the connection where it has to stay open.
type Fed = io::Result<(Left, Option<Input>)>;

/// Streams that flow by themselves until the program closes them.
pub struct Attached {
    output: JoinHandle<io::Result<()>>,
    input: Option<JoinHandle<Fed>>,
    /// Restored when all is over.
    raw: Option<Raw>,
}

/// How long output waits at most for the narration of what came before it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lets the streams flow; the output not before `told` says that the start was narrated.
///
/// # Errors
/// When our terminal cannot be made raw.
pub fn join(hijacked: Hijacked, how: Join, told: Option<watch::Receiver<bool>>) -> Result<Attached, Failure> {
    let (output, input) = hijacked.split(how.tty);
    let raw = (how.stdin && how.tty).then(|| Raw::enter(how.signals)).transpose()?;
    let escape = Escape::new(if how.tty { how.detach } else { Vec::new() });
    let (input, kept) = match how.stdin {
        true => (Some(tokio::spawn(feed(input, escape))), None),
        // Not closed but kept: half-closing would tell the daemon that input ended.
        false => (None, Some(input)),
    };
    let output = tokio::spawn(async move {
        let copied = copy(output, told).await;
        drop(kept);
        copied
    });
    Ok(Attached { output, input, raw })
}

impl Attached {
    /// Waits until the program has closed its output, or the person has left.
    ///
    /// # Errors
    /// When the connection broke or our own output cannot be written.
    pub async fn over(self) -> Result<Left, Failure> {
        let Attached { mut output, input, raw } = self;
        let left = async {
            let Some(input) = input else { return std::future::pending().await };
            match input.await {
                // Not closed yet: that would be a half-close, which ends the output.
                Ok(Ok((Left::Detached, kept))) => kept,
                // Input that ended or broke leaves the output.
                _ => std::future::pending().await,
            }
        };
        let over = tokio::select! {
            copied = &mut output => copied.map_err(io::Error::other)?.map(|()| Left::Ended)?,
            kept = left => {
                output.abort();
                drop(kept);
                Left::Detached
            }
        };
        drop(raw);
        Ok(over)
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

/// Until our input ends, or its reader leaves.
async fn feed(mut input: Input, mut escape: Escape) -> io::Result<(Left, Option<Input>)> {
    let mut stdin = tokio::io::stdin();
    let mut chunk = vec![0; INPUT_CHUNK];
    loop {
        match stdin.read(&mut chunk).await? {
            0 => return input.close().await.map(|()| (Left::Ended, None)),
            length => {
                let (passed, detached) = escape.pass(&chunk[..length]);
                if !passed.is_empty() {
                    input.send(&passed).await?;
                }
                if detached {
                    return Ok((Left::Detached, Some(input)));
                }
            }
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
    /// Starts to pass signals on, by `POST /containers/{id}/kill`; without `wanted` they are ours.
    ///
    /// # Errors
    /// When no handler can be installed.
    pub fn forward(context: &Context, id: &str, wanted: bool) -> Result<Signals, Failure> {
        let mut tasks = Vec::new();
        for (number, name) in FORWARDED.into_iter().filter(|_| wanted) {
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
