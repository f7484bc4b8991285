//! The person's own terminal, while it is a container's: raw mode, and the size of its window.

use crate::cli::{Context, Failure};
use crate::client::Client;
use nix::sys::signal::Signal;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, Once, PoisonError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

/// How the terminal was before; whoever ends this process puts it back.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// How often a size is offered to a program that has only just been started.
const ATTEMPTS: u32 = 10;

/// What ends a process that does not pass signals on.
const DEADLY: [Signal; 4] = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT];

/// Refuses a terminal where there is none to be had.
///
/// # Errors
/// In Docker's words.
pub fn check(stdin: bool, tty: bool) -> Result<(), Failure> {
    match stdin && tty && !io::stdin().is_terminal() {
        true => Err(Failure::Arguments("the input device is not a TTY".to_owned())),
        false => Ok(()),
    }
}

/// Standard input without echo, line editing and signals of its own, as long as this lives.
#[derive(Debug)]
pub struct Raw(Option<JoinHandle<()>>);

impl Raw {
    /// Makes standard input raw, when it is a terminal. A panic restores it, and so does a signal
    /// that would end this process: `passed_on` says that signals go to the program instead.
    ///
    /// # Errors
    /// As tcsetattr(3), and when no handler can be installed.
    pub fn enter(passed_on: bool) -> Result<Raw, Failure> {
        static HOOK: Once = Once::new();
        let Ok(before) = tcgetattr(io::stdin()) else { return Ok(Raw(None)) };
        HOOK.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                report(panic);
            }));
        });
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).map_err(io::Error::from)?;
        if passed_on {
            return Ok(Raw(None));
        }
        let mut streams = Vec::new();
        for deadly in DEADLY {
            streams.push((deadly, signal(SignalKind::from_raw(deadly as i32))?));
        }
        let watch = async move {
            let waits = streams.iter_mut().map(|(deadly, stream)| {
                Box::pin(async move {
                    stream.recv().await;
                    *deadly
                })
            });
            let (deadly, ..) = futures_util::future::select_all(waits).await;
            restore();
            std::process::exit(128 + deadly as i32);
        };
        Ok(Raw(Some(tokio::spawn(watch))))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
        restore();
    }
}

/// Puts the terminal back as it was; a second time does nothing.
fn restore() {
    // try_lock: a panic must not wait for itself.
    if let Ok(mut before) = BEFORE.try_lock()
        && let Some(before) = before.take()
    {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Whose window it is.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A container's first program.
    Container(String),
    /// A further program.
    Exec(String),
}

impl Subject {
    async fn resize(&self, client: &Client, rows: u16, columns: u16) -> Result<(), crate::client::Error> {
        match self {
            Subject::Container(id) => client.resize_container(id, rows, columns).await,
            Subject::Exec(id) => client.resize_exec(id, rows, columns).await,
        }
    }
}

/// Tells a program's terminal the size of ours, now and whenever it changes, as long as this lives.
#[derive(Debug)]
pub struct Window(JoinHandle<()>);

impl Window {
    /// Starts to tell. `None` when standard output is no terminal.
    ///
    /// # Errors
    /// When no handler can be installed.
    pub fn follow(context: &Context, subject: Subject) -> Result<Option<Window>, Failure> {
        if !io::stdout().is_terminal() {
            return Ok(None);
        }
        let mut changes = signal(SignalKind::window_change())?;
        let client = context.client.clone();
        Ok(Some(Window(tokio::spawn(async move {
            tell_first(&client, &subject).await;
            while changes.recv().await.is_some() {
                // A program that has ended needs no size.
                let _ = tell(&client, &subject).await;
            }
        }))))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The program may not be ready for its first size: Docker's client tries ten times, a little
/// longer apart each time.
async fn tell_first(client: &Arc<Client>, subject: &Subject) {
    for attempt in 1..=ATTEMPTS {
        if tell(client, subject).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10) * attempt).await;
    }
}

async fn tell(client: &Arc<Client>, subject: &Subject) -> Result<(), crate::client::Error> {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if (size.ws_row, size.ws_col) != (0, 0) => {
            subject.resize(client, size.ws_row, size.ws_col).await
        }
        _ => Ok(()),
    }
}
