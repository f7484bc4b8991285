//! The daemon's decorated door.

use super::{abort_marker, did, failed, micros};
use crate::error::{Hint, Kind};
use crate::kernel::{Fault, Host, OpError, Outcome, Payload};
use crate::op::Op;
use crate::trace::{Decision, Event, Facts, Note, Scope, Trace};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The daemon's door for one request: every operation becomes records of one scope of a trace.
#[derive(Clone, Debug)]
pub struct TracedHost {
    host: Arc<dyn Host>,
    trace: Arc<Trace>,
    scope: u32,
}

impl TracedHost {
    /// A door whose records belong to the trace itself.
    pub fn new(host: Arc<dyn Host>, trace: Arc<Trace>) -> TracedHost {
        TracedHost { host, trace, scope: 0 }
    }

    /// The trace written to.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The scope written to.
    pub fn scope(&self) -> u32 {
        self.scope
    }

    /// The undecorated door, for reading.
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// A plain fact.
    pub fn note(&self, note: Note, facts: Facts) {
        self.trace.note(self.scope, note, facts);
    }

    /// Opens a scope around `work`. Work given as `|door| async move { … }` uses the door it is
    /// given, whose records belong to the new scope.
    ///
    /// # Errors
    /// Those of `work`, and an abort at the gate.
    pub async fn within<T, E, F, Work>(
        &self,
        kind: Scope,
        about: impl Into<String>,
        work: Work,
    ) -> Result<T, E>
    where
        E: std::fmt::Display + From<OpError>,
        F: Future<Output = Result<T, E>>,
        Work: FnOnce(TracedHost) -> F,
    {
        let began = Instant::now();
        let about = about.into();
        let id = self.trace.scope_id();
        let event = Event::Opened { id, kind, about };
        self.trace.emit(self.scope, event.clone());
        let inner = TracedHost { host: self.host.clone(), trace: self.trace.clone(), scope: id };
        let result = match inner.gate(&event).await {
            Ok(()) => work(inner).await,
            Err(fault) => Err(OpError { op: Box::new(abort_marker()), fault }.into()),
        };
        let error = result.as_ref().err().map(ToString::to_string);
        self.trace.emit(id, Event::Closed { error, took: micros(began) });
        result
    }

    /// Performs an operation that needs nothing beside it.
    ///
    /// # Errors
    /// The operation and why it failed.
    pub async fn perform(&self, op: impl Into<Op>) -> Result<Outcome, OpError> {
        self.perform_with(op, Payload::Empty).await
    }

    /// Performs an operation with its payload.
    ///
    /// # Errors
    /// The operation and why it failed.
    pub async fn perform_with(&self, op: impl Into<Op>, payload: Payload) -> Result<Outcome, OpError> {
        self.perform_timed(op.into(), payload, None).await
    }

    /// Performs an operation that must answer within `limit`, the wait at the gate not counted.
    ///
    /// # Errors
    /// The operation and why it failed; [`Kind::Unavailable`] when the time is over.
    pub async fn perform_within(
        &self,
        limit: Duration,
        op: impl Into<Op>,
        payload: Payload,
    ) -> Result<Outcome, OpError> {
        self.perform_timed(op.into(), payload, Some(limit)).await
    }

    async fn perform_timed(
        &self,
        op: Op,
        payload: Payload,
        limit: Option<Duration>,
    ) -> Result<Outcome, OpError> {
        let event = Event::Will { op: op.clone() };
        self.trace.emit(self.scope, event.clone());
        if let Err(fault) = self.gate(&event).await {
            return Err(OpError { op: Box::new(op), fault });
        }
        let began = Instant::now();
        let work = self.host.perform(&op, payload);
        let result = match limit {
            None => work.await,
            Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                let late = format!("no answer within {} s", limit.as_secs());
                Err(Fault::new(Kind::Unavailable, late).hint(Hint::CheckNetwork))
            }),
        };
        match result {
            Ok(outcome) => {
                self.trace.emit(self.scope, did(&op, &outcome.facts, began));
                Ok(outcome)
            }
            Err(fault) => {
                self.trace.emit(self.scope, failed(&op, &fault, began));
                Err(OpError { op: Box::new(op), fault })
            }
        }
    }

    /// Takes back what was done, last first, and says so. Failures to undo are narrated and
    /// returned; they never hide why the rollback began.
    pub async fn roll_back(&self, done: Vec<Op>, about: &str) -> Vec<OpError> {
        let undo: Vec<Op> = done.iter().rev().filter_map(Op::undo).collect();
        if undo.is_empty() {
            return Vec::new();
        }
        self.trace.gate().open_for_rollback().await;
        let mut failures = Vec::new();
        let result: Result<(), OpError> = self
            .within(Scope::Rollback, about, |door| {
                let failures = &mut failures;
                async move {
                    for op in undo {
                        if let Err(error) = door.perform(op).await {
                            failures.push(error);
                        }
                    }
                    Ok(())
                }
            })
            .await;
        failures.extend(result.err());
        failures
    }

    async fn gate(&self, event: &Event) -> Result<(), Fault> {
        let trace = &self.trace;
        let held = || trace.emit(self.scope, Event::Held);
        let released = |decision| {
            trace.emit(self.scope, Event::Released { decision });
            if decision == Decision::Abort {
                trace.note(self.scope, Note::Aborted, Facts::new());
            }
        };
        match trace.gate().pass(event, held, released).await {
            Decision::Next | Decision::Free => Ok(()),
            Decision::Abort => Err(Fault::aborted()),
        }
    }
}
