//! The gate: work passes freely, waits for the learner before each step, or is turned away.

use super::{Event, Scope};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};

/// Where a stepping session stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Nowhere.
    #[default]
    Never,
    /// Before each stage of the story.
    Story,
    /// Before each scope.
    Stage,
    /// Before each operation.
    Kernel,
}

impl Stop {
    /// Whether this event waits for the learner. `last` is the stage stopped at last, for
    /// [`Stop::Story`].
    pub fn holds(self, event: &Event, last: Option<super::Stage>) -> bool {
        match (self, event) {
            // Every client asks first whether anybody is there: nothing to look at yet.
            (Stop::Stage | Stop::Story, Event::Opened { kind: Scope::Request, about, .. })
                if about.ends_with("/_ping") =>
            {
                false
            }
            (Stop::Stage, Event::Opened { kind, .. }) => *kind != Scope::Rollback,
            (Stop::Story, Event::Opened { kind, .. }) => kind.stage().is_some_and(|stage| Some(stage) > last),
            (Stop::Kernel, Event::Will { .. }) => true,
            _ => false,
        }
    }
}

/// What the learner says at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// On to the next stop.
    Next,
    /// Run to the end.
    Free,
    /// Undo what was done. Everything is turned away from then on, until [`Decision::Free`] says
    /// that what follows is the way back.
    Abort,
}

/// The gate of one trace.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    decisions: mpsc::UnboundedSender<Decision>,
}

#[derive(Debug)]
struct State {
    stop: Stop,
    last: Option<super::Stage>,
    aborted: bool,
    inbox: mpsc::UnboundedReceiver<Decision>,
}

impl Gate {
    /// A gate that stops where `stop` says.
    pub fn new(stop: Stop) -> Gate {
        let (decisions, inbox) = mpsc::unbounded_channel();
        Gate { state: Mutex::new(State { stop, last: None, aborted: false, inbox }), decisions }
    }

    /// Says what the learner decided. A session that ends says [`Decision::Free`].
    pub fn decide(&self, decision: Decision) {
        // The receiver lives as long as the gate.
        let _ = self.decisions.send(decision);
    }

    /// Where the gate stops now; what a shim is told when it starts.
    pub async fn stop(&self) -> (Stop, Option<super::Stage>) {
        let state = self.state.lock().await;
        (state.stop, state.last)
    }

    /// Passes `event`, or waits for the learner. `held` and `released` are called around the
    /// wait, one waiter at a time. Returns [`Decision::Abort`] when the work must be undone.
    pub async fn pass(
        &self,
        event: &Event,
        held: impl FnOnce(),
        released: impl FnOnce(Decision),
    ) -> Decision {
        let mut state = self.state.lock().await;
        if state.aborted && !state.heard_free() {
            return Decision::Abort;
        }
        if !state.stop.holds(event, state.last) {
            return Decision::Free;
        }
        held();
        let decision = state.receive().await;
        if let Event::Opened { kind, .. } = event {
            state.last = kind.stage().max(state.last);
        }
        released(decision);
        decision
    }

    /// What was decided for good: a shim that asks after that is not to wait for a learner who has
    /// nothing left to say.
    pub async fn settled(&self) -> Option<Decision> {
        let state = self.state.lock().await;
        match (state.aborted, state.stop) {
            (true, _) => Some(Decision::Abort),
            (false, Stop::Never) => Some(Decision::Free),
            (false, _) => None,
        }
    }

    /// Waits for a decision on behalf of a shim that announced that it holds.
    pub async fn answer(&self, event: &Event) -> Decision {
        let mut state = self.state.lock().await;
        let decision = state.receive().await;
        if let Event::Opened { kind, .. } = event {
            state.last = kind.stage().max(state.last);
        }
        decision
    }

    /// Lets the rollback of an aborted piece of work pass.
    pub async fn open_for_rollback(&self) {
        let mut state = self.state.lock().await;
        state.aborted = false;
        state.stop = Stop::Never;
    }
}

impl State {
    /// After an abort: whether the client meanwhile said that what follows undoes the rest.
    fn heard_free(&mut self) -> bool {
        while let Ok(decision) = self.inbox.try_recv() {
            if decision == Decision::Free {
                self.aborted = false;
                self.stop = Stop::Never;
            }
        }
        !self.aborted
    }

    async fn receive(&mut self) -> Decision {
        let decision = self.inbox.recv().await.unwrap_or(Decision::Free);
        match decision {
            Decision::Next => {}
            Decision::Free => self.stop = Stop::Never,
            Decision::Abort => self.aborted = true,
        }
        decision
    }
}
