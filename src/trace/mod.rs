//! Traces: what happened, as typed, language-free records.
//!
//! ```text
//!  engine, runtime ──▶ Traced door ──▶ Trace ──▶ file (JSONL)      learn explain, trace show
//!                         │  ▲           └─────▶ bus (watchers)    --explain, learn watch
//!                         ▼  │
//!                        gate (run | step | abort)                 --step
//! ```
//!
//! [`record`] is the vocabulary, [`bus`] spreads records, [`gate`] holds work back, [`file`]
//! keeps finished traces. Nothing here knows a language: the client renders.

pub mod bus;
pub mod file;
pub mod gate;
pub mod record;
pub mod scope;

pub use bus::{Sighting, Trace, TraceInfo, Watchers};
pub use gate::{Decision, Gate, Stop};
pub use record::{Event, Facts, Note, Record, facts};
pub use scope::{Scope, Stage};
