//! All execs, by id. What has ended is remembered for a while, for its exit code.

use crate::engine::shim::ShimSocket;
use crate::engine::{Container, Error};
use crate::wire::ExecConfig;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the exit code of an exec can be asked for, as with Docker.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Most ended execs remembered.
const MOST: usize = 1000;

/// One further program.
#[derive(Debug)]
pub struct Exec {
    /// 64 hex digits.
    pub id: String,
    /// Where it runs.
    pub container: Arc<Container>,
    /// What was asked for.
    pub config: ExecConfig,
    state: watch::Sender<State>,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Somebody started it.
    pub started: bool,
    /// Its program runs.
    pub running: bool,
    /// On the host; 0 while it does not run.
    pub pid: u32,
    /// Once it has ended.
    pub exit_code: Option<i32>,
    shim: Option<Arc<ShimSocket>>,
    ended: Option<Instant>,
}

impl Exec {
    /// One that was not started.
    pub(super) fn new(id: String, container: Arc<Container>, config: ExecConfig) -> Arc<Exec> {
        Arc::new(Exec { id, container, config, state: watch::Sender::default() })
    }

    /// The first 12 digits of the id.
    pub fn short_id(&self) -> String {
        self.id.chars().take(12).collect()
    }

    /// How far it is now.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Claims the one start there can be.
    pub(super) fn claim(&self) -> Result<(), Error> {
        let mut result = Ok(());
        self.state.send_modify(|state| {
            result = match (state.exit_code, state.started) {
                (Some(_), _) => {
                    Err(Error::ExecConflict(format!("Error: Exec command {} has already run", self.id)))
                }
                (None, true) => {
                    Err(Error::ExecConflict(format!("Error: Exec command {} is already running", self.id)))
                }
                (None, false) => Ok(()),
            };
            state.started = true;
        });
        result
    }

    /// Its program runs.
    pub(super) fn begin(&self, pid: u32, shim: Arc<ShimSocket>) {
        self.state.send_modify(|state| {
            (state.started, state.running, state.pid, state.shim) = (true, true, pid, Some(shim));
        });
    }

    /// Its program ended, or never ran.
    pub(super) fn end(&self, exit_code: i32) {
        self.state.send_replace(State {
            started: true,
            exit_code: Some(exit_code),
            ended: Some(Instant::now()),
            ..State::default()
        });
    }

    /// Its shim, when it runs now.
    pub(super) fn shim(&self) -> Option<Arc<ShimSocket>> {
        self.state.borrow().shim.clone()
    }

    /// Waits until it runs; `None` when it has ended already.
    pub(super) async fn runs(&self) -> Option<Arc<ShimSocket>> {
        let mut state = self.state.subscribe();
        let state = state.wait_for(|state| state.running || state.exit_code.is_some()).await;
        state.ok().and_then(|state| state.shim.clone())
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Execs(Mutex<BTreeMap<String, Arc<Exec>>>);

impl Execs {
    fn table(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Exec>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds one by its whole id.
    ///
    /// # Errors
    /// [`Error::NoSuchExec`].
    pub fn find(&self, id: &str) -> Result<Arc<Exec>, Error> {
        self.table().get(id).cloned().ok_or_else(|| Error::NoSuchExec(id.to_owned()))
    }

    /// Adds one, and forgets those that ended long ago.
    pub(super) fn insert(&self, exec: Arc<Exec>) {
        let mut table = self.table();
        let ended = |exec: &Arc<Exec>| exec.state.borrow().ended;
        table.retain(|_, exec| ended(exec).is_none_or(|at| at.elapsed() < REMEMBERED));
        let oldest = table.values().filter_map(|exec| Some((ended(exec)?, exec.id.clone()))).min();
        if let (true, Some((_, id))) = (table.len() >= MOST, oldest) {
            table.remove(&id);
        }
        table.insert(exec.id.clone(), exec);
    }

    /// Those of a container whose program runs.
    pub fn running_in(&self, container: &str) -> Vec<Arc<Exec>> {
        let is_there = |exec: &&Arc<Exec>| exec.container.id == container && exec.state.borrow().running;
        self.table().values().filter(is_there).cloned().collect()
    }

    /// Ids of all of a container that have not ended, as its inspect shows them.
    pub fn ids_of(&self, container: &str) -> Vec<String> {
        let is_there =
            |exec: &&Arc<Exec>| exec.container.id == container && exec.state.borrow().exit_code.is_none();
        self.table().values().filter(is_there).map(|exec| exec.id.clone()).collect()
    }

    /// Forgets all of a container that is gone.
    pub fn forget(&self, container: &str) {
        self.table().retain(|_, exec| exec.container.id != container);
    }
}
