//! The decorators: announce, wait at the gate, perform, report.

mod host;
mod jail;

pub use host::TracedHost;
pub use jail::{Report, TracedJail};

use super::{Fault, OpError};
use crate::error::Kind;
use crate::op::Op;
use crate::trace::{Event, Facts};
use std::time::Instant;

impl OpError {
    /// Whether the learner, not the kernel, ended this.
    pub fn is_abort(&self) -> bool {
        self.fault.kind == Kind::Aborted
    }
}

/// The operation an abort at a scope's gate is attached to: none was begun.
fn abort_marker() -> Op {
    crate::op::ProcessOp::NewSession.into()
}

fn did(op: &Op, facts: &Facts, began: Instant) -> Event {
    Event::Did { op: op.name(), facts: facts.clone(), took: micros(began) }
}

fn failed(op: &Op, fault: &Fault, began: Instant) -> Event {
    Event::Failed {
        op: op.name(),
        errno: fault.errno,
        error: fault.message.clone(),
        facts: fault.facts.clone(),
        took: micros(began),
    }
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
