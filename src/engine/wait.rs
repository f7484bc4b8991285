//! `docker wait`: an exit code, when there is one.

use super::containers::Progress;
use super::{Engine, Error};
use crate::wire::{WaitError, WaitResponse};
use std::str::FromStr;
use tokio::sync::watch;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// The program does not run: at once when it does not.
    #[default]
    NotRunning,
    /// The next time it ends.
    NextExit,
    /// The container is gone.
    Removed,
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Condition, Error> {
        match text {
            "" | "not-running" => Ok(Condition::NotRunning),
            "next-exit" => Ok(Condition::NextExit),
            "removed" => Ok(Condition::Removed),
            other => Err(Error::Invalid(format!("invalid condition: {other:?}"))),
        }
    }
}

/// A wait that has begun: what happens from now on counts.
#[derive(Debug)]
pub struct Waiting {
    condition: Condition,
    exits: u64,
    progress: watch::Receiver<Progress>,
}

impl Engine {
    /// Begins to wait.
    ///
    /// # Errors
    /// No such container.
    pub fn wait(&self, wanted: &str, condition: Condition) -> Result<Waiting, Error> {
        let progress = self.containers.find(wanted)?.watch();
        let exits = progress.borrow().exits;
        Ok(Waiting { condition, exits, progress })
    }
}

impl Waiting {
    /// Until it has happened.
    pub async fn done(mut self) -> WaitResponse {
        let Waiting { condition, exits, .. } = self;
        let is_over = |progress: &Progress| match condition {
            // A restart by policy is an end, too.
            Condition::NotRunning => {
                !(progress.running || progress.restarting) || progress.exits > exits || progress.removed
            }
            Condition::NextExit => progress.exits > exits || progress.removed,
            Condition::Removed => progress.removed,
        };
        match self.progress.wait_for(is_over).await {
            Ok(progress) => WaitResponse { status_code: i64::from(progress.exit_code), error: None },
            // The table let go of the container without saying so: the daemon is shutting down.
            Err(_) => {
                let message = "context canceled".into();
                WaitResponse { status_code: -1, error: Some(WaitError { message }) }
            }
        }
    }
}
