//! What every verb that talks to a daemon is given.

use super::args::Global;
use super::session::Session;
use super::{Failure, Wiring, output};
use crate::client::{Client, Connector, Paths, launch};
use crate::text::{Lang, ui};
use std::sync::Arc;
use tokio::sync::watch;

/// The daemon at the other end, and how to speak to the learner.
pub struct Context {
    /// The daemon.
    pub client: Arc<Client>,
    /// The learner's language.
    pub lang: Lang,
    /// The hub a pull should use, where one was chosen.
    pub hub: Option<String>,
    /// The narrated session, with `--explain` or `--step`.
    pub session: Option<Session>,
}

impl Context {
    /// Connects, lazily, to the daemon the options name; with `--simulate` to an engine in this
    /// very process.
    ///
    /// # Errors
    /// When the options name no usable place.
    pub fn new(global: &Global, lang: Lang, wiring: &Wiring) -> Result<Context, Failure> {
        let connector = match (global.simulate, wiring.simulate) {
            (true, Some(simulate)) => simulate(lang).map_err(|error| Failure::Runtime(error.to_string()))?,
            (true, None) => return Err(Failure::Usage(ui(lang, "refused.simulate", &[]))),
            (false, _) => daemon(global, lang)?,
        };
        let client = Arc::new(Client::new(connector));
        Ok(Context { client, lang, hub: global.hub.clone(), session: None })
    }

    /// Whether the learner stopped the work at a step.
    pub fn aborted(&self) -> bool {
        self.session.as_ref().is_some_and(Session::aborted)
    }

    /// Where the start is narrated: becomes true when it is told that the program runs.
    pub fn running(&self) -> Option<watch::Receiver<bool>> {
        self.session.as_ref().map(Session::running)
    }

    /// After the learner stopped: what follows undoes the rest, and is let through.
    pub async fn turn_back(&self) {
        if let Some(session) = &self.session {
            session.turn_back().await;
        }
    }
}

/// The daemon's socket; a daemon is started when there is none, and that is said.
fn daemon(global: &Global, lang: Lang) -> Result<Connector, Failure> {
    let paths = places(global)?;
    Ok(launch::starting(paths, move |started| {
        let socket = format!("unix://{}", started.socket.display());
        let line = ui(lang, "daemon.started", &[("pid", &started.pid), ("socket", &socket)]);
        // A caller whose standard error is closed still gets what it asked for.
        let _ = output::error_line(&line);
    }))
}

/// Where the options and the environment say that the engine lives.
///
/// # Errors
/// When they name no usable place.
pub fn places(global: &Global) -> Result<Paths, Failure> {
    Ok(Paths::find(global.host.as_deref(), global.root.as_deref()).map_err(crate::client::Error::from)?)
}
