//! Which trace a request writes into: the session its client opened, else the one of its process.

use super::{Error, places::Places, source::Source, source::stamp};
use crate::trace::file::{self, Writer};
use crate::trace::{Decision, Gate, Stop, Trace, TraceInfo, Watchers};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

/// A client process; the start time tells apart two that had one pid after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// SO_PEERCRED: unix(7).
    pub pid: u32,
    /// Of the same.
    pub uid: u32,
    /// Clock ticks since boot, field 22 of `/proc/<pid>/stat`; 0 when it is gone.
    pub started: u64,
}

impl Peer {
    /// The process behind a connection.
    pub fn new(pid: u32, uid: u32) -> Peer {
        Peer { pid, uid, started: started(pid).unwrap_or(0) }
    }

    /// Whether the same process still runs.
    fn lives(&self) -> bool {
        started(self.pid) == Some(self.started)
    }

    /// Its command line; `None` when it is gone.
    fn command_line(&self) -> Option<String> {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        let mut words: Vec<String> = bytes
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let program = words.first_mut()?;
        *program = program.rsplit('/').next().unwrap_or_default().to_owned();
        Some(shell_words::join(words.iter().map(|word| crate::op::redact_environment(word))))
    }
}

/// Field 22, counted after the last `)`: the program's name may hold spaces and parentheses.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(19)?.parse().ok()
}

/// All live traces, and the finished ones on disk.
#[derive(Debug)]
pub struct Traces {
    directory: PathBuf,
    simulated: bool,
    source: Arc<dyn Source>,
    watchers: Watchers,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    sessions: HashMap<String, (Peer, Arc<Trace>)>,
    peers: HashMap<Peer, Arc<Trace>>,
}

impl Traces {
    /// Traces kept below the state root; the simulator's are kept in memory only.
    pub fn new(places: &Places, source: Arc<dyn Source>, simulated: bool) -> Traces {
        let directory = PathBuf::from(places.traces());
        Traces { directory, simulated, source, watchers: Watchers::default(), live: Mutex::default() }
    }

    /// Spectators of everything.
    pub fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// Opens a session.
    pub fn open(&self, peer: Peer, title: &str, stop: Stop) -> Arc<Trace> {
        let trace = self.begin(title.to_owned(), stop);
        let mut live = self.live();
        live.sweep();
        live.sessions.insert(trace.info().id.clone(), (peer, trace.clone()));
        trace
    }

    /// A live session.
    ///
    /// # Errors
    /// [`Error::NoSuchTrace`].
    pub fn session(&self, id: &str) -> Result<Arc<Trace>, Error> {
        let found = self.live().sessions.get(id).map(|(_, trace)| trace.clone());
        found.ok_or_else(|| Error::NoSuchTrace(id.to_owned()))
    }

    /// Ends a session: stepping is over, followers end. Work under way goes on and is recorded.
    ///
    /// # Errors
    /// [`Error::NoSuchTrace`].
    pub fn close(&self, id: &str) -> Result<(), Error> {
        let closed = self.live().sessions.remove(id);
        let (_, trace) = closed.ok_or_else(|| Error::NoSuchTrace(id.to_owned()))?;
        trace.gate().decide(Decision::Free);
        trace.end_followers();
        Ok(())
    }

    /// The trace of a client process; the first request begins it.
    pub fn of_peer(&self, peer: Peer, user_agent: Option<&str>) -> Arc<Trace> {
        if let Some(trace) = self.live().peers.get(&peer) {
            return trace.clone();
        }
        let title = peer.command_line().or_else(|| user_agent.map(str::to_owned));
        let trace = self.begin(title.unwrap_or_else(|| format!("pid {}", peer.pid)), Stop::Never);
        let mut live = self.live();
        live.sweep();
        live.peers.entry(peer).or_insert(trace).clone()
    }

    /// A trace of the daemon's own work, which no client asked for.
    pub fn begin_own(&self, title: String) -> Arc<Trace> {
        self.begin(title, Stop::Never)
    }

    fn begin(&self, title: String, stop: Stop) -> Arc<Trace> {
        let id = hex::encode(&self.source.random()[..6]);
        let began = stamp(self.source.now());
        let info = TraceInfo { id, title, began, simulated: self.simulated };
        let writer = if self.simulated { None } else { Writer::create(&self.directory, &info) };
        Trace::begin(info, Gate::new(stop), self.watchers.clone(), writer)
    }

    /// Keeps the newest few hundred files.
    pub fn prune(&self) {
        file::prune(&self.directory);
    }

    /// All traces, newest first.
    pub fn list(&self) -> Vec<TraceInfo> {
        if self.simulated {
            let live = self.live();
            let sessions = live.sessions.values().map(|(_, trace)| trace.info().clone());
            let peers = live.peers.values().map(|trace| trace.info().clone());
            let mut infos: Vec<TraceInfo> = sessions.chain(peers).collect();
            infos.sort_by(|a, b| b.began.cmp(&a.began));
            return infos;
        }
        file::list(&self.directory)
    }

    /// The trace called `wanted` (an id, the beginning of one, or `last`), as its file holds it: a
    /// header line, then a line a record.
    ///
    /// # Errors
    /// [`Error::NoSuchTrace`], [`Error::Ambiguous`].
    pub fn document(&self, wanted: &str) -> Result<Vec<u8>, Error> {
        let infos = self.list();
        let mut matches = infos.iter().filter(|info| wanted == "last" || info.id.starts_with(wanted));
        let missing = || Error::NoSuchTrace(wanted.to_owned());
        let first = matches.next().filter(|_| !wanted.is_empty()).ok_or_else(missing)?;
        if wanted != "last" && first.id != wanted && matches.next().is_some() {
            return Err(Error::Ambiguous(wanted.to_owned()));
        }
        if self.simulated {
            return self.in_memory(&first.id).ok_or_else(missing);
        }
        fs::read(self.directory.join(format!("{}.jsonl", first.id))).map_err(|_| missing())
    }

    fn in_memory(&self, id: &str) -> Option<Vec<u8>> {
        let live = self.live();
        let sessions = live.sessions.values().map(|(_, trace)| trace);
        let trace = sessions.chain(live.peers.values()).find(|trace| trace.info().id == id)?;
        let mut document = serde_json::to_vec(trace.info()).ok()?;
        for record in trace.records() {
            document.push(b'\n');
            serde_json::to_writer(&mut document, &record).ok()?;
        }
        document.push(b'\n');
        Some(document)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Live {
    /// Forgets processes that are gone. A session whose client died without closing it is set free.
    fn sweep(&mut self) {
        self.peers.retain(|peer, _| peer.lives());
        self.sessions.retain(|_, (peer, trace)| {
            let lives = peer.lives();
            if !lives {
                trace.gate().decide(Decision::Free);
                trace.end_followers();
            }
            lives
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::source::SystemSource;
    use std::path::Path;

    fn traces(root: &Path) -> Traces {
        fs::create_dir_all(root.join("traces")).unwrap();
        let places = Places { root: root.display().to_string(), run: String::new() };
        Traces::new(&places, Arc::new(SystemSource), false)
    }

    #[test]
    fn requests_of_one_process_share_a_trace() {
        let root = tempfile::tempdir().unwrap();
        let traces = traces(root.path());
        let peer = Peer::new(std::process::id(), 0);
        let trace = traces.of_peer(peer, None);
        assert_eq!(trace.info().id, traces.of_peer(peer, None).info().id);
        let gone = Peer { started: 1, ..peer };
        assert_ne!(trace.info().id, traces.of_peer(gone, None).info().id);
        assert_eq!(traces.list().len(), 2);
        let document = traces.document(&trace.info().id[..8]).unwrap();
        assert!(document.starts_with(b"{\"id\":"));
        assert!(traces.document("last").is_ok() && traces.document("zz").is_err());
    }

    #[test]
    fn a_closed_session_is_gone_and_its_followers_end() {
        let root = tempfile::tempdir().unwrap();
        let traces = traces(root.path());
        let session = traces.open(Peer::new(std::process::id(), 0), "run x", Stop::Stage);
        let mut follower = session.follow();
        traces.close(&session.info().id).unwrap();
        assert!(follower.blocking_recv().is_none());
        assert!(traces.session(&session.info().id).is_err());
    }
}
