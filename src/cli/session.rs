//! The seam to the narration: a trace session beside the command's own requests.
//!
//! ```text
//!  daemon ──bytes──▶ pump (this runtime) ──records──▶ teller (a thread) ──▶ standard error
//!     ▲                                          │  waits for keys
//!     └──────────── decisions ◀──────────────────┘
//! ```
//!
//! The teller has a thread of its own: a learner who reads must not hold up the program's output,
//! and on a second processor the telling costs the command hardly any time.

use super::Failure;
use super::render::terminal::{LineKeys, SingleKeys, has_keys};
use super::render::{self, Narrator, Options};
use crate::client::{Client, JsonLines};
use crate::text;
use crate::trace::{Decision, Event, Note, Record, Stop};
use bytes::{Bytes, BytesMut};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Bytes of narration written at once.
const PIECE: usize = 64 * 1024;
/// So long nothing happens before what was told so far is shown.
const QUIET: Duration = Duration::from_millis(30);

/// A session that is being told.
pub struct Session {
    client: Arc<Client>,
    id: String,
    aborted: Arc<AtomicBool>,
    running: watch::Receiver<bool>,
    tasks: Vec<JoinHandle<()>>,
    teller: JoinHandle<()>,
}

/// `LEARN_HOST` and `LEARN_ROOT` for the commands a stepping learner runs as evidence: they must
/// look at the engine that `--host` and `--root` chose.
pub type Places = Vec<(&'static str, String)>;

impl Session {
    /// Opens a session; from then on the client's requests write into it. It steps when it is told
    /// where evidence is to be looked for.
    ///
    /// # Errors
    /// When the daemon does not answer or knows no sessions.
    pub async fn open(
        client: &Arc<Client>,
        title: &str,
        options: Options,
        step: Option<Places>,
    ) -> Result<Session, Failure> {
        let stop = if step.is_some() { options.depth.stop() } else { Stop::Never };
        let (id, records) = client.follow_trace(title, stop).await?;
        client.write_into(&id);
        let aborted = Arc::new(AtomicBool::new(false));
        let (to_teller, told) = std::sync::mpsc::channel();
        let (decide, decisions) = mpsc::unbounded_channel();
        let tasks = vec![
            tokio::spawn(pump(records, to_teller)),
            tokio::spawn(pass_on(client.clone(), id.clone(), decisions, aborted.clone())),
        ];
        let told = Told::new(told);
        let (begun, running) = watch::channel(step.is_some());
        let teller = tokio::task::spawn_blocking(move || match step {
            Some(places) => step_through(options, places, told, decide),
            None => tell(options, told, &begun),
        });
        Ok(Session { client: client.clone(), id, aborted, running, tasks, teller })
    }

    /// Whether the learner stopped the work.
    pub fn aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    /// Becomes true when it is told that the program runs: its output belongs behind that.
    pub fn running(&self) -> watch::Receiver<bool> {
        self.running.clone()
    }

    /// Says that what follows an abort is the way back.
    pub async fn turn_back(&self) {
        // A daemon that is gone turns nothing away.
        let _ = self.client.decide(&self.id, Decision::Free).await;
    }

    /// Ends the session and waits until everything is told.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn close(self) -> Result<(), Failure> {
        let closed = self.client.close_trace(&self.id).await;
        if closed.is_err() {
            // Without the daemon the records end by themselves, or never.
            self.tasks.iter().for_each(JoinHandle::abort);
        }
        // A teller that panicked has said so itself.
        let _ = self.teller.await;
        Ok(closed?)
    }
}

/// Bytes to the teller, in their order.
async fn pump(mut records: JsonLines<Record>, teller: Sender<Bytes>) {
    while let Ok(Some(piece)) = records.next_piece().await {
        if teller.send(piece).is_err() {
            return;
        }
    }
}

/// The records in what arrives.
struct Told {
    pieces: Receiver<Bytes>,
    buffer: BytesMut,
}

impl Told {
    fn new(pieces: Receiver<Bytes>) -> Told {
        Told { pieces, buffer: BytesMut::new() }
    }

    /// The next record that is here already.
    fn here(&mut self) -> Option<Record> {
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
            let line = self.buffer.split_to(end + 1);
            // A line that is no record ends the telling of nothing but itself.
            if let Ok(record) = serde_json::from_slice(&line) {
                return Some(record);
            }
        }
    }
}

impl Iterator for Told {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.here() {
                return Some(record);
            }
            self.buffer.extend_from_slice(&self.pieces.recv().ok()?);
        }
    }
}

/// Decisions to the gate.
async fn pass_on(
    client: Arc<Client>,
    id: String,
    mut decisions: mpsc::UnboundedReceiver<Decision>,
    aborted: Arc<AtomicBool>,
) {
    while let Some(decision) = decisions.recv().await {
        if decision == Decision::Abort {
            aborted.store(true, Ordering::Release);
        }
        // A daemon that is gone holds nothing back any more.
        let _ = client.decide(&id, decision).await;
    }
}

/// What comes in quick succession is written in one piece: when nothing came for a while, and
/// before the program has its say.
fn tell(options: Options, mut told: Told, begun: &watch::Sender<bool>) {
    // While the daemon has not said anything yet.
    text::prepare();
    let out = io::BufWriter::with_capacity(PIECE, io::stderr());
    let mut narrator = Narrator::new(options, Box::new(out));
    loop {
        while let Some(record) = told.here() {
            narrator.record(&record);
            if matches!(record.event, Event::Note { note: Note::Running, .. }) {
                narrator.flush();
                begun.send_replace(true);
            }
        }
        let piece = match told.pieces.recv_timeout(QUIET) {
            Err(RecvTimeoutError::Timeout) => {
                narrator.flush();
                told.pieces.recv().ok()
            }
            piece => piece.ok(),
        };
        let Some(piece) = piece else { break };
        told.buffer.extend_from_slice(&piece);
    }
    narrator.finish();
}

fn step_through(options: Options, places: Places, records: Told, decide: mpsc::UnboundedSender<Decision>) {
    let keys: Box<dyn render::terminal::Keys> = match has_keys() {
        true => Box::new(SingleKeys),
        false => Box::new(LineKeys(io::BufReader::new(io::stdin()))),
    };
    let mut session = render::Session::new(options, Box::new(io::stderr()), keys).among(places);
    for record in records {
        if let Some(decision) = session.record(&record) {
            // The receiver lives as long as the command.
            let _ = decide.send(decision);
        }
    }
    session.finish();
}
