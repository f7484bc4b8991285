//! A store in a directory of its own, with the real machine under it.

use futures_util::future::BoxFuture;
use learn::error::{Hint, Kind};
use learn::image::registry::Retry;
use learn::image::{Error, PullEvent, PullRequest, Pulled, RegistryConfig, Store};
use learn::kernel::linux::host::{LinuxHost, Transport};
use learn::kernel::linux::{http::Http, seal::SealedExe};
use learn::kernel::{Fault, Outcome, Payload, TracedHost};
use learn::op::{HttpOp, Op};
use learn::trace::{Event, Facts, Gate, Note, Stop, Trace, TraceInfo, Watchers};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Bench {
    pub store: Arc<Store>,
    pub door: TracedHost,
    directory: tempfile::TempDir,
}

/// Five quick tries.
pub fn config() -> RegistryConfig {
    let retry = Retry { attempts: 5, base: Duration::from_millis(2), longest: Duration::from_secs(5) };
    RegistryConfig { retry, ..RegistryConfig::default() }
}

/// The real network, in which Docker Hub cannot be found.
#[derive(Debug)]
struct WithoutHub(Http);

impl Transport for WithoutHub {
    fn request<'a>(&'a self, op: &'a HttpOp, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        let HttpOp::Request { url, .. } = op;
        if url.starts_with("https://registry-1.docker.io/") {
            let text = "dial tcp: lookup registry-1.docker.io: no such host";
            let fault = Fault::new(Kind::Unavailable, text).hint(Hint::CheckNetwork);
            return Box::pin(async { Err(fault) });
        }
        self.0.request(op, payload)
    }
}

/// A fresh trace on the real machine.
pub fn door(stop: Stop) -> TracedHost {
    let program = SealedExe::of_this_program().expect("this program");
    let network = WithoutHub(Http::new(Arc::new(|_| false)));
    let host = LinuxHost::new(program, Box::new(network));
    let info = TraceInfo { id: "0".repeat(12), title: "test".into(), began: String::new(), simulated: false };
    TracedHost::new(Arc::new(host), Trace::begin(info, Gate::new(stop), Watchers::default(), None))
}

impl Bench {
    pub async fn new(config: RegistryConfig) -> Bench {
        let directory = tempfile::tempdir().expect("a directory");
        let door = door(Stop::Never);
        let root = directory.path().to_str().expect("utf-8");
        let store = Store::open(&door, root, "amd64", config).await.expect("an empty store");
        Bench { store, door, directory }
    }

    /// The same directory, opened again as after a restart.
    pub async fn reopen(&self) -> Result<Arc<Store>, Error> {
        let root = self.directory.path().to_str().expect("utf-8");
        Store::open(&self.door, root, "amd64", config()).await
    }

    pub fn request(&self, reference: &str) -> PullRequest {
        let reference = reference.parse().expect("a reference");
        PullRequest { reference, platform: None, credentials: Default::default(), hub: None }
    }

    pub async fn pull(&self, reference: &str) -> Result<Pulled, Error> {
        self.pull_with(self.request(reference)).await.0
    }

    /// Pulls, and brings back what Docker's client would have printed: `id: status`.
    pub async fn pull_with(&self, request: PullRequest) -> (Result<Pulled, Error>, Vec<String>) {
        let said: Mutex<Vec<PullEvent>> = Mutex::default();
        let result = self
            .store
            .pull(&self.door, request, |event| said.lock().expect("not poisoned").push(event))
            .await;
        let said = said.into_inner().expect("not poisoned");
        let plain = said.into_iter().filter(|event| event.progress.is_none());
        (
            result,
            plain
                .map(|event| match event.id {
                    Some(id) => format!("{id}: {}", event.status),
                    None => event.status,
                })
                .collect(),
        )
    }

    /// Requests made so far: method, path and query.
    pub fn requests(&self) -> Vec<String> {
        let records = self.door.trace().records();
        let requests = records.into_iter().filter_map(|record| match record.event {
            Event::Will { op: Op::Http(HttpOp::Request { method, url, .. }) } => {
                let path = url.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
                Some(format!("{method} /{path}"))
            }
            _ => None,
        });
        requests.collect()
    }

    /// The facts noted so far.
    pub fn notes(&self, wanted: Note) -> Vec<Facts> {
        let records = self.door.trace().records();
        let notes = records.into_iter().filter_map(|record| match record.event {
            Event::Note { note, facts } if note == wanted => Some(facts),
            _ => None,
        });
        notes.collect()
    }

    /// The whole trace as it would be stored.
    pub fn trace(&self) -> String {
        self.door
            .trace()
            .records()
            .iter()
            .map(|record| serde_json::to_string(record).expect("json") + "\n")
            .collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Names in a directory of the store.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(directory)).expect("a directory of the store");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
