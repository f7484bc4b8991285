//! Where a container stands, and which steps are allowed from there.
//!
//! ```text
//!            start            exit            start
//!  created ─────────▶ running ─────▶ exited ─────────▶ running
//!     │              │ ▲ │   ▲          │
//!     │     by policy▼ │ ▼   │ unpause  │
//!     │     restarting─┘paused          │
//!     └──────────▶ removing ◀───────────┘      removing ──▶ dead   (removal failed)
//! ```

use super::Error;
use super::health::Health;
use crate::runtime::protocol::Exit;
use crate::wire::{ContainerState, HealthState};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Docker's time of what never happened.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

/// Docker's seven states.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// Made, never run.
    #[default]
    Created,
    /// The program runs.
    Running,
    /// The program is frozen.
    Paused,
    /// Between two runs by policy.
    Restarting,
    /// Being removed.
    Removing,
    /// The program ended.
    Exited,
    /// Removal failed; only removing is left.
    Dead,
}

impl Status {
    /// The word in Docker's JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether a step from here to `next` exists.
    fn leads_to(self, next: Status) -> bool {
        use Status::{Created, Dead, Exited, Paused, Removing, Restarting, Running};
        matches!(
            (self, next),
            (Created | Exited | Restarting, Running)
                | (Running, Paused | Exited | Restarting)
                | (Paused, Running | Exited | Restarting)
                | (Restarting, Exited)
                | (Created | Exited | Dead, Removing)
                | (Removing, Dead)
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The state as it is kept in `container.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct State {
    /// Which of the seven.
    pub status: Status,
    /// Of the program, on the host; 0 when it does not run.
    pub pid: u32,
    /// Of the shim; 0 when there is none.
    pub shim: u32,
    /// Of the last run.
    pub exit_code: i32,
    /// Why the last start failed.
    pub error: String,
    /// Memory ran out in the last run.
    pub oom_killed: bool,
    /// RFC 3339.
    pub started_at: Option<String>,
    /// RFC 3339.
    pub finished_at: Option<String>,
    /// Restarts by policy since the last start by hand.
    pub restarts: u32,
    /// What its health check has found; `None` without one.
    pub health: Option<Health>,
    /// Somebody stopped or killed it: `unless-stopped` leaves it alone, over a daemon's restart too.
    pub stopped_by_hand: bool,
}

impl State {
    /// Whether Docker calls it running: also when it is paused, or about to be restarted.
    pub fn is_running(&self) -> bool {
        self.has_process() || self.status == Status::Restarting
    }

    /// Whether the program exists (also when paused).
    pub fn has_process(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }

    /// The program runs.
    ///
    /// # Errors
    /// [`Error::Transition`] when it runs already or is being removed.
    pub fn start(&mut self, pid: u32, shim: u32, now: String) -> Result<(), Error> {
        self.step(Status::Running)?;
        *self = State {
            status: Status::Running,
            pid,
            shim,
            started_at: Some(now),
            finished_at: self.finished_at.take(),
            restarts: self.restarts,
            ..State::default()
        };
        Ok(())
    }

    /// The program could not be started; the container stays what it was.
    pub fn refuse(&mut self, exit_code: i32, error: String) {
        self.exit_code = exit_code;
        self.error = error;
        self.pid = 0;
        self.shim = 0;
    }

    /// The program ended.
    ///
    /// # Errors
    /// [`Error::Transition`] when it did not run.
    pub fn exit(&mut self, exit: &Exit) -> Result<(), Error> {
        self.end(exit, Status::Exited)
    }

    /// The program ended, and its policy starts it again.
    ///
    /// # Errors
    /// [`Error::Transition`] when it did not run.
    pub fn exit_to_restart(&mut self, exit: &Exit) -> Result<(), Error> {
        self.end(exit, Status::Restarting)?;
        self.restarts += 1;
        Ok(())
    }

    fn end(&mut self, exit: &Exit, next: Status) -> Result<(), Error> {
        self.step(next)?;
        self.pid = 0;
        self.shim = 0;
        self.exit_code = exit.code;
        self.oom_killed = exit.oom;
        self.finished_at = Some(exit.at.clone());
        Ok(())
    }

    /// Takes one step.
    ///
    /// # Errors
    /// [`Error::Transition`] when there is no such step.
    pub fn step(&mut self, next: Status) -> Result<(), Error> {
        if !self.status.leads_to(next) {
            return Err(Error::Transition { from: self.status, to: next });
        }
        self.status = next;
        Ok(())
    }

    /// As Docker's inspect shows it.
    pub fn to_wire(&self) -> ContainerState {
        ContainerState {
            status: self.status.name().into(),
            running: self.is_running(),
            paused: self.status == Status::Paused,
            restarting: self.status == Status::Restarting,
            oom_killed: self.oom_killed,
            dead: self.status == Status::Dead,
            pid: i64::from(self.pid),
            exit_code: i64::from(self.exit_code),
            error: self.error.clone(),
            started_at: self.started_at.clone().unwrap_or_else(|| NEVER.into()),
            finished_at: self.finished_at.clone().unwrap_or_else(|| NEVER.into()),
            health: self.health.as_ref().map(|health| HealthState {
                status: health.status.name().into(),
                failing_streak: i64::from(health.failing_streak),
                log: health.log.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i32) -> Exit {
        Exit { code, signal: None, oom: false, at: "2026-01-02T03:04:05Z".into() }
    }

    #[test]
    fn a_run_goes_from_created_over_running_to_exited() {
        let mut state = State::default();
        state.start(7, 6, "2026-01-02T03:04:04Z".into()).unwrap();
        assert!(state.is_running());
        state.exit(&exit(3)).unwrap();
        assert_eq!((state.status, state.exit_code, state.pid), (Status::Exited, 3, 0));
    }

    #[test]
    fn a_running_container_cannot_be_removed_or_started() {
        let mut state = State::default();
        state.start(7, 6, String::new()).unwrap();
        assert!(state.step(Status::Removing).is_err());
        assert!(state.start(8, 9, String::new()).is_err());
        assert_eq!(state.pid, 7);
    }

    #[test]
    fn restarts_are_counted_over_the_runs() {
        let mut state = State::default();
        for run in 1..=3 {
            state.start(7, 6, "2026-01-02T03:04:04Z".into()).unwrap();
            state.exit_to_restart(&exit(1)).unwrap();
            assert_eq!((state.status, state.restarts), (Status::Restarting, run));
            assert!(state.is_running() && !state.has_process());
        }
        state.step(Status::Exited).unwrap();
        assert!(state.step(Status::Removing).is_ok());
    }

    #[test]
    fn a_failed_start_leaves_created_with_the_code() {
        let mut state = State::default();
        state.refuse(127, "exec: \"ls\": executable file not found in $PATH".into());
        assert_eq!((state.status, state.exit_code), (Status::Created, 127));
        assert_eq!(state.to_wire().started_at, NEVER);
    }
}
