//! Records up the control socket, decisions down.

use crate::kernel::Report;
use crate::runtime::channel;
use crate::runtime::protocol::{FromShim, Said, Start, ToShim};
use crate::trace::bus::monotonic;
use crate::trace::{Decision, Event, Stage, Stop};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most records in one packet.
const BUNDLE: usize = 48;
/// How many scope numbers each side of a clone has.
const SIDE: u32 = 1_000;

/// The control socket, shared by the shim's parts; a daemon that comes back replaces it.
#[derive(Clone)]
pub(super) struct Control(Arc<Mutex<Line>>);

struct Line {
    socket: Arc<OwnedFd>,
    /// The daemon that began the start is there, and the learner with it.
    first: bool,
}

impl Control {
    pub(super) fn new(socket: OwnedFd) -> Control {
        Control(Arc::new(Mutex::new(Line { socket: Arc::new(socket), first: true })))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket to the daemon that is there now.
    pub(super) fn current(&self) -> Current {
        Current(self.line().socket.clone())
    }

    /// A new daemon knocked.
    pub(super) fn replace(&self, socket: OwnedFd) {
        *self.line() = Line { socket: Arc::new(socket), first: false };
    }

    /// Whether somebody can step: the session ended with the daemon that had it.
    fn has_learner(&self) -> bool {
        self.line().first
    }

    /// The daemon is gone: from now on packets fall into a pair nobody reads, whose other end is
    /// closed, and cost one EPIPE.
    pub(super) fn close(&self) {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        if let Ok((ours, _)) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        {
            self.replace(ours);
        }
    }
}

/// A borrowed socket that outlives a replacement.
pub(super) struct Current(Arc<OwnedFd>);

impl AsFd for Current {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reports over the control socket.
pub(super) struct ChannelReport {
    control: Control,
    next_scope: u32,
    stop: Stop,
    last: Option<Stage>,
    aborted: bool,
    /// Records not sent yet; empty while the learner steps.
    said: Vec<Said>,
}

impl ChannelReport {
    pub(super) fn new(control: &Control, start: &Start) -> ChannelReport {
        ChannelReport {
            control: control.clone(),
            next_scope: start.scope_base,
            stop: start.stop,
            last: start.last_stage,
            aborted: false,
            said: Vec::new(),
        }
    }

    /// Asks the learner, through the daemon. A daemon that is gone cannot let anything go on: what
    /// was begun is undone.
    fn ask(&mut self, scope: u32, event: &Event) -> Decision {
        let control = self.control.current();
        if channel::send(&control, &FromShim::Hold { scope, event: event.clone() }, None).is_err() {
            return Decision::Abort;
        }
        loop {
            match channel::receive::<ToShim>(&control) {
                Ok(Some((ToShim::Decide(decision), _))) => return decision,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Decision::Abort,
            }
        }
    }
}

impl Report for ChannelReport {
    fn record(&mut self, scope: u32, event: Event) {
        self.said.push(Said { scope, at: monotonic(), event });
        if self.stop != Stop::Never || self.said.len() >= BUNDLE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.said.is_empty() {
            let said = std::mem::take(&mut self.said);
            // Without a daemon there is nobody to narrate to.
            let _ = channel::send(self.control.current(), &FromShim::Records(said), None);
        }
    }

    fn gate(&mut self, scope: u32, event: &Event) -> Decision {
        if self.aborted {
            return Decision::Abort;
        }
        if !self.control.has_learner() || !self.stop.holds(event, self.last) {
            return Decision::Free;
        }
        let decision = self.ask(scope, event);
        if let Event::Opened { kind, .. } = event {
            self.last = kind.stage().max(self.last);
        }
        match decision {
            Decision::Next => {}
            Decision::Free => self.stop = Stop::Never,
            Decision::Abort => self.aborted = true,
        }
        decision
    }

    fn split(&self) -> Box<dyn Report> {
        Box::new(ChannelReport {
            control: self.control.clone(),
            next_scope: self.next_scope + SIDE,
            stop: self.stop,
            last: self.last,
            aborted: self.aborted,
            said: Vec::new(),
        })
    }

    fn scope_id(&mut self) -> u32 {
        let id = self.next_scope;
        self.next_scope += 1;
        id
    }

    fn open_for_rollback(&mut self) {
        self.stop = Stop::Never;
        self.aborted = false;
    }
}
