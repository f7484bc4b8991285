//! All containers, found by id, name or the beginning of an id.

use super::Error;
use super::shim::ShimSocket;
use crate::container::{Record, Status};
use crate::runtime::protocol::Attach;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// One container of the running engine.
#[derive(Debug)]
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    record: Mutex<Record>,
    /// Held by the one verb that changes the state; an exit needs no turn.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// The running program's shim.
    pub(super) shim: Mutex<Option<Arc<ShimSocket>>>,
    /// Clients that attached before the start.
    pending: Mutex<Vec<Expected>>,
    progress: watch::Sender<Progress>,
    /// A restart is under way: an end in between is no reason to remove it.
    pub(super) kept: AtomicBool,
    /// The last wait before a restart by policy.
    pub(super) delay: Mutex<Option<Duration>>,
}

/// A client's connection on its way to the container; the sender goes away when the client does.
pub(super) type Expected = oneshot::Receiver<(Attach, OwnedFd)>;

/// What waiters wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How often the program has ended.
    pub exits: u64,
    /// The program exists.
    pub running: bool,
    /// It does not, but its policy will start it again.
    pub restarting: bool,
    /// Of the last run.
    pub exit_code: i32,
    /// The container is gone.
    pub removed: bool,
}

impl Container {
    /// Takes a record into the running engine.
    pub fn new(record: Record) -> Arc<Container> {
        let progress = Progress {
            running: record.state.has_process(),
            restarting: record.state.status == Status::Restarting,
            exit_code: record.state.exit_code,
            ..Progress::default()
        };
        Arc::new(Container {
            id: record.id.clone(),
            record: Mutex::new(record),
            turn: Arc::default(),
            shim: Mutex::default(),
            pending: Mutex::default(),
            progress: watch::Sender::new(progress),
            kept: AtomicBool::new(false),
            delay: Mutex::default(),
        })
    }

    /// The record; never held across an await.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// A copy of the record.
    pub fn snapshot(&self) -> Record {
        self.record().clone()
    }

    /// The first 12 digits of the id.
    pub fn short_id(&self) -> String {
        self.id.chars().take(12).collect()
    }

    /// Its name, without a slash.
    pub fn name(&self) -> String {
        self.record().name.clone()
    }

    /// What changes from now on.
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Tells waiters what changed.
    pub(super) fn advance(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// The running program's shim.
    pub(super) fn shim(&self) -> Option<Arc<ShimSocket>> {
        self.shim.lock().unwrap_or_else(|poison| poison.into_inner()).clone()
    }

    pub(super) fn set_shim(&self, shim: Option<Arc<ShimSocket>>) {
        *self.shim.lock().unwrap_or_else(|poison| poison.into_inner()) = shim;
    }

    pub(super) fn expect(&self, connection: Expected) {
        self.pending.lock().unwrap_or_else(|poison| poison.into_inner()).push(connection);
    }

    pub(super) fn take_pending(&self) -> Vec<Expected> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(|poison| poison.into_inner()))
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Containers(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    by_id: BTreeMap<String, Arc<Container>>,
    /// Also of containers that are still being made.
    ids_by_name: BTreeMap<String, String>,
}

impl Containers {
    /// Finds by whole id, by name (with or without a slash), or by the beginning of an id.
    ///
    /// # Errors
    /// [`Error::NoSuchContainer`] and [`Error::Ambiguous`].
    pub fn find(&self, wanted: &str) -> Result<Arc<Container>, Error> {
        let table = self.0.read().unwrap_or_else(|poison| poison.into_inner());
        let missing = || Error::NoSuchContainer(wanted.to_owned());
        if let Some(container) = table.by_id.get(wanted) {
            return Ok(container.clone());
        }
        let name = wanted.strip_prefix('/').unwrap_or(wanted);
        if let Some(id) = table.ids_by_name.get(name) {
            return table.by_id.get(id).cloned().ok_or_else(missing);
        }
        if wanted.is_empty() {
            return Err(missing());
        }
        let mut matches = table.by_id.range(wanted.to_owned()..).take_while(|(id, _)| id.starts_with(wanted));
        match (matches.next(), matches.next()) {
            (Some((_, container)), None) => Ok(container.clone()),
            (Some(_), Some(_)) => Err(Error::Ambiguous(wanted.to_owned())),
            (None, _) => Err(missing()),
        }
    }

    /// Keeps a name for a container that is being made.
    ///
    /// # Errors
    /// [`Error::NameConflict`].
    pub fn reserve(&self, name: &str, id: &str) -> Result<(), Error> {
        let mut table = self.0.write().unwrap_or_else(|poison| poison.into_inner());
        if let Some(holder) = table.ids_by_name.get(name) {
            return Err(Error::NameConflict { name: name.to_owned(), holder: holder.clone() });
        }
        table.ids_by_name.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// Gives a name back.
    pub fn release(&self, name: &str) {
        self.0.write().unwrap_or_else(|poison| poison.into_inner()).ids_by_name.remove(name);
    }

    /// Adds a container whose name is reserved.
    pub fn insert(&self, container: Arc<Container>) {
        let name = container.name();
        let mut table = self.0.write().unwrap_or_else(|poison| poison.into_inner());
        table.ids_by_name.insert(name, container.id.clone());
        table.by_id.insert(container.id.clone(), container);
    }

    /// Takes a container out, and its name.
    pub fn remove(&self, container: &Container) {
        let name = container.name();
        let mut table = self.0.write().unwrap_or_else(|poison| poison.into_inner());
        table.ids_by_name.remove(&name);
        table.by_id.remove(&container.id);
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// [`Error::NameConflict`].
    pub fn rename(&self, container: &Container, name: &str) -> Result<(), Error> {
        self.reserve(name, &container.id)?;
        let old = std::mem::replace(&mut container.record().name, name.to_owned());
        self.release(&old);
        Ok(())
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<Container>> {
        self.0.read().unwrap_or_else(|poison| poison.into_inner()).by_id.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Snapshot, State};

    fn container(id: &str, name: &str) -> Arc<Container> {
        Container::new(Record {
            id: id.into(),
            name: name.into(),
            created: String::new(),
            image_id: String::new(),
            argv: vec![],
            config: Default::default(),
            host_config: Default::default(),
            networking: Default::default(),
            network: Default::default(),
            snapshot: Snapshot::default(),
            state: State::default(),
        })
    }

    #[test]
    fn ids_names_and_beginnings_are_found() {
        let containers = Containers::default();
        containers.insert(container("abc1", "web"));
        containers.insert(container("abd2", "abc"));
        assert_eq!(containers.find("abc1").unwrap().id, "abc1");
        assert_eq!(containers.find("/web").unwrap().id, "abc1");
        assert_eq!(containers.find("abc").unwrap().id, "abd2", "a name wins over the beginning of an id");
        assert_eq!(containers.find("abd").unwrap().id, "abd2");
        let error = containers.find("ab").unwrap_err().to_string();
        assert_eq!(error, "multiple IDs found with provided prefix: ab");
        assert_eq!(containers.find("nosuch").unwrap_err().to_string(), "No such container: nosuch");
    }

    #[test]
    fn a_taken_name_names_its_holder() {
        let containers = Containers::default();
        containers.insert(container("abc1", "web"));
        let message = "Conflict. The container name \"/web\" is already in use by container \"abc1\". You have to \
                       remove (or rename) that container to be able to reuse that name.";
        assert_eq!(containers.reserve("web", "x").unwrap_err().to_string(), message);
        containers.remove(&containers.find("web").unwrap());
        assert!(containers.reserve("web", "x").is_ok());
    }
}
