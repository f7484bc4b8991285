//! The decorated door of shim and init.

use super::{abort_marker, did, failed, micros};
use crate::kernel::{Child, Fault, Init, Jail, LogFile, OpError, Outcome, Payload, Stdio, Value};
use crate::op::{Op, ProcessOp};
use crate::trace::{Decision, Event, Facts, Note, Scope};
use std::time::Instant;

/// Where the records of a shim go: up its control socket.
pub trait Report: Send {
    /// Sends a record of scope `scope` (the shim's own numbering).
    fn record(&mut self, scope: u32, event: Event);
    /// Sends what was held back: before this process becomes another one, waits for another, or
    /// says something else.
    fn flush(&mut self);
    /// Waits at the gate if this event is one to wait at.
    fn gate(&mut self, scope: u32, event: &Event) -> Decision;
    /// A reporter for the other side of a clone: it numbers its scopes apart.
    fn split(&self) -> Box<dyn Report>;
    /// A fresh scope number.
    fn scope_id(&mut self) -> u32;
    /// From now on nothing waits: what failed or was aborted is being undone.
    fn open_for_rollback(&mut self);
}

/// The door of shim and init, decorated.
pub struct TracedJail<'a> {
    jail: &'a mut dyn Jail,
    report: Box<dyn Report>,
    scope: u32,
    /// Where the first process inside hangs its scopes: beside those of its birth, not in them.
    root: u32,
    /// The process has become the program, which does not narrate.
    replaced: bool,
}

impl<'a> TracedJail<'a> {
    /// A door whose records belong to scope `scope`.
    pub fn new(jail: &'a mut dyn Jail, report: Box<dyn Report>, scope: u32) -> TracedJail<'a> {
        TracedJail { jail, report, scope, root: scope, replaced: false }
    }

    /// The undecorated door, for reading.
    pub fn jail(&self) -> &dyn Jail {
        self.jail
    }

    /// The reporter.
    pub fn report(&mut self) -> &mut dyn Report {
        &mut *self.report
    }

    /// See [`Jail::confine`].
    ///
    /// # Errors
    /// When the root cannot be opened.
    pub fn confine(&mut self, root: &str) -> Result<(), OpError> {
        self.jail.confine(root).map_err(|error| {
            let op = crate::op::ProcessOp::ChangeDirectory { path: root.to_owned() };
            OpError { op: Box::new(op.into()), fault: error.into() }
        })
    }

    /// See [`Jail::rest`].
    pub fn rest(&mut self) {
        self.jail.rest();
    }

    /// See [`Jail::open_log`].
    ///
    /// # Errors
    /// As open(2).
    pub fn open_log(&mut self, file: &LogFile) -> std::io::Result<Box<dyn std::io::Write + Send>> {
        self.jail.open_log(file)
    }

    /// A plain fact.
    pub fn note(&mut self, note: Note, facts: Facts) {
        self.report.record(self.scope, Event::Note { note, facts });
    }

    /// Opens a scope around `work`.
    ///
    /// # Errors
    /// Those of `work`, and an abort at the gate.
    pub fn within<T, E>(
        &mut self,
        kind: Scope,
        about: impl Into<String>,
        work: impl FnOnce(&mut TracedJail<'a>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: std::fmt::Display + From<OpError>,
    {
        let id = self.report.scope_id();
        self.within_numbered(id, kind, about, work)
    }

    /// The same, with a number reserved before: the scope in which init becomes the program is
    /// opened inside and closed outside, because exec leaves nobody inside to close it.
    ///
    /// # Errors
    /// As [`TracedJail::within`].
    pub fn within_numbered<T, E>(
        &mut self,
        id: u32,
        kind: Scope,
        about: impl Into<String>,
        work: impl FnOnce(&mut TracedJail<'a>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: std::fmt::Display + From<OpError>,
    {
        let began = Instant::now();
        let outer = self.scope;
        let event = Event::Opened { id, kind, about: about.into() };
        self.report.record(outer, event.clone());
        self.scope = id;
        let result = match self.report.gate(id, &event) {
            Decision::Abort => Err(OpError { op: Box::new(abort_marker()), fault: Fault::aborted() }.into()),
            Decision::Next | Decision::Free => work(self),
        };
        if !self.replaced {
            let error = result.as_ref().err().map(ToString::to_string);
            self.report.record(id, Event::Closed { error, took: micros(began) });
        }
        self.scope = outer;
        result
    }

    /// Says for init what it can no longer say: its exec worked, the program runs (`facts` of
    /// [`Note::Running`]), and the scope around it is done.
    pub fn became(&mut self, scope: u32, facts: Facts, began: Instant) {
        let took = micros(began);
        self.report.record(scope, Event::Did { op: "process.exec".into(), facts: Facts::new(), took });
        self.report.record(scope, Event::Note { note: Note::Running, facts });
        self.report.record(scope, Event::Closed { error: None, took });
    }

    /// Performs an operation that needs nothing beside it.
    ///
    /// # Errors
    /// The operation and why it failed.
    pub fn perform(&mut self, op: impl Into<Op>) -> Result<Outcome, OpError> {
        self.perform_with(op, Payload::Empty)
    }

    /// Performs an operation with its payload.
    ///
    /// # Errors
    /// The operation and why it failed.
    pub fn perform_with(&mut self, op: impl Into<Op>, payload: Payload) -> Result<Outcome, OpError> {
        let op = op.into();
        self.announce(&op)?;
        if matches!(op, Op::Process(ProcessOp::Exec { .. })) {
            self.report.flush();
        }
        let began = Instant::now();
        let result = self.jail.perform(&op, payload);
        if let Ok(Outcome { value: Value::Became, .. }) = result {
            self.replaced = true;
            return result.map_err(|fault| OpError { op: Box::new(op), fault });
        }
        self.conclude(op, result, began, |outcome| outcome.facts.clone())
    }

    /// Performs `namespace.clone`; `init` gets its own decorated door on the other side.
    ///
    /// # Errors
    /// The operation and why it failed.
    pub fn clone_init(
        &mut self,
        op: impl Into<Op>,
        stdio: Stdio,
        init: impl FnOnce(&mut TracedJail<'_>) -> Result<(), OpError> + Send + 'static,
    ) -> Result<Box<dyn Child>, OpError> {
        let op = op.into();
        self.announce(&op)?;
        let began = Instant::now();
        // What is held back must not be in both copies of this process.
        self.report.flush();
        let report = self.report.split();
        // A helper works within what it was made for.
        let (scope, root) = match op {
            Op::Process(ProcessOp::Fork) => (self.scope, self.root),
            _ => (self.root, self.root),
        };
        let inside: Init =
            Box::new(move |jail| init(&mut TracedJail { jail, report, scope, root, replaced: false }));
        let result = self.jail.clone_init(&op, stdio, inside);
        self.conclude(op, result, began, |child| crate::trace::facts([("pid", &child.pid())]))
    }

    /// Performs `process.fork-inside`; `init` gets a decorated door of its own, as in
    /// [`TracedJail::clone_init`].
    ///
    /// # Errors
    /// The operation and why it failed.
    pub fn clone_sibling(
        &mut self,
        op: impl Into<Op>,
        init: impl FnOnce(&mut TracedJail<'_>) -> Result<(), OpError> + Send + 'static,
    ) -> Result<(), OpError> {
        let op = op.into();
        self.announce(&op)?;
        let began = Instant::now();
        self.report.flush();
        let report = self.report.split();
        let scope = self.root;
        let inside: Init = Box::new(move |jail| init(&mut TracedJail::new(jail, report, scope)));
        let result = self.jail.clone_sibling(&op, inside);
        self.conclude(op, result, began, |outcome| outcome.facts.clone()).map(drop)
    }

    /// See [`Report::flush`].
    pub fn flush(&mut self) {
        self.report.flush();
    }

    fn announce(&mut self, op: &Op) -> Result<(), OpError> {
        let event = Event::Will { op: op.clone() };
        self.report.record(self.scope, event.clone());
        match self.report.gate(self.scope, &event) {
            Decision::Abort => Err(OpError { op: Box::new(op.clone()), fault: Fault::aborted() }),
            Decision::Next | Decision::Free => Ok(()),
        }
    }

    fn conclude<T>(
        &mut self,
        op: Op,
        result: Result<T, Fault>,
        began: Instant,
        facts: impl FnOnce(&T) -> Facts,
    ) -> Result<T, OpError> {
        match result {
            Ok(value) => {
                self.report.record(self.scope, did(&op, &facts(&value), began));
                Ok(value)
            }
            Err(fault) => {
                self.report.record(self.scope, failed(&op, &fault, began));
                Err(OpError { op: Box::new(op), fault })
            }
        }
    }
}

/// Init that fails says all it has to say before it says why.
impl Drop for TracedJail<'_> {
    fn drop(&mut self) {
        self.report.flush();
    }
}
