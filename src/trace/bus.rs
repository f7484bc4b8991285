//! Live traces: each record goes to the trace's file, to the sessions that follow it and to the
//! spectators of everything.

use super::{Event, Facts, Gate, Note, Record, file::Writer};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;
use tokio::sync::{broadcast, mpsc};

/// Records a spectator may lag behind before some are dropped (and counted).
const WATCH_CAPACITY: usize = 4096;

/// What is known of a trace without reading it; the first line of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceInfo {
    /// 12 hex digits.
    pub id: String,
    /// The command line of the client, or its name.
    pub title: String,
    /// Seconds and nanoseconds since the epoch, RFC 3339.
    pub began: String,
    /// Made by the simulator.
    #[serde(default)]
    pub simulated: bool,
}

/// One record as a spectator of everything sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sighting {
    /// Which trace.
    pub trace: Arc<TraceInfo>,
    /// The record.
    pub record: Record,
}

/// Spectators of every trace (`learn watch`). They may lag; nobody waits for them.
#[derive(Clone, Debug)]
pub struct Watchers(broadcast::Sender<Sighting>);

impl Default for Watchers {
    fn default() -> Self {
        Watchers(broadcast::channel(WATCH_CAPACITY).0)
    }
}

impl Watchers {
    /// From now on, every record of every trace.
    pub fn subscribe(&self) -> broadcast::Receiver<Sighting> {
        self.0.subscribe()
    }
}

/// One live trace. Cheap to share; every request of one client process writes into one.
#[derive(Debug)]
pub struct Trace {
    info: Arc<TraceInfo>,
    /// [`monotonic`] when it began.
    began: u64,
    next_scope: AtomicU32,
    /// Sequence numbers are given and records are spread under one lock, so that every reader
    /// sees the same order.
    spread: Mutex<Spread>,
    watchers: Watchers,
    gate: Gate,
}

#[derive(Debug)]
struct Spread {
    seq: u64,
    writer: Option<Writer>,
    /// Scopes that belong to the trace itself; when one ends, the file is complete so far.
    roots: Vec<u32>,
    history: Vec<Record>,
    followers: Vec<mpsc::UnboundedSender<Record>>,
}

/// Records kept in memory for a follower that comes late, and the most a trace may hold: a
/// client that lives for days must not fill the disk.
pub const TRACE_CAPACITY: usize = 20_000;

impl Trace {
    /// Begins a trace. Without a writer it lives in memory only.
    pub fn begin(info: TraceInfo, gate: Gate, watchers: Watchers, writer: Option<Writer>) -> Arc<Trace> {
        Arc::new(Trace {
            info: Arc::new(info),
            began: monotonic(),
            next_scope: AtomicU32::new(1),
            spread: Mutex::new(Spread {
                seq: 0,
                writer,
                roots: Vec::new(),
                history: Vec::new(),
                followers: Vec::new(),
            }),
            watchers,
            gate,
        })
    }

    /// What is known of the trace.
    pub fn info(&self) -> &TraceInfo {
        &self.info
    }

    /// Its gate.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A fresh scope number.
    pub fn scope_id(&self) -> u32 {
        self.next_scope.fetch_add(1, Ordering::Relaxed)
    }

    /// Reserves `count` scope numbers for a shim, which numbers its scopes itself.
    pub fn reserve_scope_ids(&self, count: u32) -> u32 {
        self.next_scope.fetch_add(count, Ordering::Relaxed)
    }

    /// Adds a record of what happens now.
    pub fn emit(&self, scope: u32, event: Event) {
        self.emit_at(monotonic(), scope, event);
    }

    /// Adds a record of what happened at `at` ([`monotonic`]).
    pub fn emit_at(&self, at: u64, scope: u32, event: Event) {
        let at = at.saturating_sub(self.began);
        let mut spread = self.spread.lock().unwrap_or_else(|poison| poison.into_inner());
        if spread.seq >= TRACE_CAPACITY as u64 {
            return;
        }
        let record = Record { seq: spread.seq, at, scope, event };
        spread.seq += 1;
        spread.write(&record);
        spread.followers.retain(|follower| follower.send(record.clone()).is_ok());
        spread.history.push(record.clone());
        drop(spread);
        // Nobody watching is the normal case.
        if self.watchers.0.receiver_count() > 0 {
            let _ = self.watchers.0.send(Sighting { trace: self.info.clone(), record });
        }
    }

    /// Adds a plain fact.
    pub fn note(&self, scope: u32, note: Note, facts: Facts) {
        self.emit(scope, Event::Note { note, facts });
    }

    /// Every record from the first on, without loss.
    pub fn follow(&self) -> mpsc::UnboundedReceiver<Record> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut spread = self.spread.lock().unwrap_or_else(|poison| poison.into_inner());
        for record in &spread.history {
            let _ = sender.send(record.clone());
        }
        spread.followers.push(sender);
        receiver
    }

    /// Ends every follower's stream; what comes later goes to the file only.
    pub fn end_followers(&self) {
        self.spread.lock().unwrap_or_else(|poison| poison.into_inner()).followers.clear();
    }

    /// Writes to the file what was held back.
    pub fn flush(&self) {
        let mut spread = self.spread.lock().unwrap_or_else(|poison| poison.into_inner());
        spread.writer.iter_mut().for_each(Writer::flush);
    }

    /// Every record so far.
    pub fn records(&self) -> Vec<Record> {
        self.spread.lock().unwrap_or_else(|poison| poison.into_inner()).history.clone()
    }
}

impl Spread {
    fn write(&mut self, record: &Record) {
        let Some(writer) = &mut self.writer else { return };
        writer.write(record);
        let complete = match record.event {
            Event::Opened { id, .. } if record.scope == 0 => {
                self.roots.push(id);
                false
            }
            Event::Closed { .. } => {
                let roots = self.roots.len();
                self.roots.retain(|id| *id != record.scope);
                self.roots.len() < roots
            }
            Event::Held => true,
            _ => false,
        };
        if complete {
            writer.flush();
        }
    }
}

/// Traces found again by who asked, as long as they live.
pub type LiveTraces = std::collections::HashMap<String, Weak<Trace>>;

/// Microseconds of CLOCK_MONOTONIC: clock_gettime(2). The same for every process of a machine, so
/// that shim and daemon tell one time.
pub fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}

/// Now, as RFC 3339 with nanoseconds.
pub fn timestamp() -> String {
    jiff::Timestamp::try_from(SystemTime::now()).map(|now| format!("{now:.9}")).unwrap_or_default()
}
