//! Layers on their way: each is fetched once, however many pulls wait for it.
//!
//! The work is a task of its own. A pull that goes away leaves it to those who still wait; when
//! nobody does, it is told to end, and tidies up before it does.

use super::super::error::Error;
use super::super::manifest::Part;
use super::super::store::Layer;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How far a layer is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Nothing to say yet.
    Begun,
    /// Others go first.
    Waiting,
    /// Compressed bytes here, of all.
    Downloading { current: u64, total: u64 },
    /// All here.
    Downloaded,
    /// Unpacked, of all.
    Extracting { current: u64, total: u64 },
    /// Done, or failed.
    Ended(Result<Layer, Error>),
}

#[derive(Debug)]
struct Flight {
    stage: watch::Receiver<Stage>,
    cancel: CancellationToken,
    waiting: usize,
}

/// All layers on their way, by digest.
#[derive(Clone, Debug, Default)]
pub(in crate::image) struct Flights(Arc<Mutex<HashMap<String, Flight>>>);

/// A place in the queue of those who wait for a layer.
pub(super) struct Seat {
    flights: Flights,
    digest: String,
    pub stage: watch::Receiver<Stage>,
    /// Whether this pull began the work.
    pub first: bool,
}

/// What the work may use.
pub(super) struct Controls {
    pub stage: watch::Sender<Stage>,
    pub cancel: CancellationToken,
}

impl Flights {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.0.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Waits for a layer, beginning the work if nobody has.
    pub(super) fn join<F>(&self, digest: &str, work: impl FnOnce(Controls) -> F) -> Seat
    where
        F: Future<Output = Result<Layer, Error>> + Send + 'static,
    {
        let mut map = self.map();
        let seat = |stage, first| Seat { flights: self.clone(), digest: digest.to_owned(), stage, first };
        if let Some(flight) = map.get_mut(digest) {
            flight.waiting += 1;
            return seat(flight.stage.clone(), false);
        }
        let (sender, stage) = watch::channel(Stage::Begun);
        let cancel = CancellationToken::new();
        let controls = Controls { stage: sender.clone(), cancel: cancel.clone() };
        let work = work(controls);
        let (flights, key) = (self.clone(), digest.to_owned());
        map.insert(digest.to_owned(), Flight { stage: stage.clone(), cancel, waiting: 1 });
        drop(map);
        tokio::spawn(async move {
            let landing = Landing { flights, key, sender };
            let result = work.await;
            landing.end(result);
        });
        seat(stage, true)
    }

    /// Returns when those of these layers that nobody waits for any more have ended.
    pub(super) async fn settled(&self, parts: &[Part]) {
        for part in parts {
            let ending = self
                .map()
                .get(&part.digest)
                .filter(|flight| flight.waiting == 0)
                .map(|flight| flight.stage.clone());
            if let Some(mut stage) = ending {
                // An error means that the sender is gone, which is an end, too.
                let _ = stage.wait_for(|stage| matches!(stage, Stage::Ended(_))).await;
            }
        }
    }
}

/// Takes a flight off the board, also when its work panicked.
struct Landing {
    flights: Flights,
    key: String,
    sender: watch::Sender<Stage>,
}

impl Landing {
    fn end(self, result: Result<Layer, Error>) {
        // Off the board first: who sees the end and asks again begins anew.
        self.flights.map().remove(&self.key);
        self.sender.send_replace(Stage::Ended(result));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let ended = matches!(&*self.sender.borrow(), Stage::Ended(_));
        if !ended {
            self.flights.map().remove(&self.key);
            self.sender.send_replace(Stage::Ended(Err(Error::Cancelled(self.key.clone()))));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut map = self.flights.map();
        // Another flight of the same layer may have begun since: the channel tells them apart.
        let Some(flight) = map.get_mut(&self.digest).filter(|flight| flight.stage.same_channel(&self.stage))
        else {
            return;
        };
        flight.waiting -= 1;
        if flight.waiting == 0 {
            flight.cancel.cancel();
        }
    }
}
