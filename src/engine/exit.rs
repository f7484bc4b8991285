//! What happens when a program ends.

use super::shim::ShimSocket;
use super::start::relay;
use super::{Container, Engine, Error};
use crate::container::{State, restart};
use crate::kernel::TracedHost;
use crate::runtime::protocol::{Exit, FromShim};
use crate::trace::{Facts, Note, Scope, facts};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The code of a program whose shim was killed: SIGKILL is what it died of (PR_SET_PDEATHSIG).
const SHIM_GONE_CODE: i32 = 128 + libc::SIGKILL;

impl Engine {
    /// Stays with a running container until it ends. Its last records go to the trace that
    /// started it.
    pub(super) fn attend(
        self: &Arc<Self>,
        door: &TracedHost,
        container: Arc<Container>,
        socket: Arc<ShimSocket>,
    ) {
        let engine = self.clone();
        let door = TracedHost::new(self.host.clone(), door.trace().clone());
        tokio::spawn(async move {
            let exit = engine.listen(&door, &container, &socket).await;
            drop(socket);
            engine.conclude(&door, &container, exit).await;
        });
    }

    /// Listens until the shim says how the program ended, or is gone.
    async fn listen(&self, door: &TracedHost, container: &Container, socket: &ShimSocket) -> Exit {
        loop {
            match socket.receive().await {
                Ok(Some(FromShim::Exited(exit))) => return exit,
                Ok(Some(FromShim::Detached)) => {
                    self.events.container(&container.snapshot(), "detach", &[]);
                }
                Ok(Some(message)) => {
                    // A shim that cannot be answered is gone: the next receive says so.
                    let _ = relay(door, socket, message).await;
                }
                Ok(None) | Err(_) => return self.exit_without_word(door, container).await,
            }
        }
    }

    /// The shim is gone and said nothing: it was killed, and its program with it.
    async fn exit_without_word(&self, door: &TracedHost, container: &Container) -> Exit {
        if let Some(exit) = self.exit_left(container) {
            return exit;
        }
        let _: Result<(), Error> = door
            .within(Scope::LimitsRelease, container.short_id(), |door| async move {
                self.clear_after_shim(&door, &container.id).await;
                Ok(())
            })
            .await;
        Exit { code: SHIM_GONE_CODE, signal: Some(libc::SIGKILL), oom: false, at: self.stamp() }
    }

    /// What the shim wrote down about the last run; nothing when it was killed. The file of a run
    /// whose end the record knows, or of one before that, says nothing.
    pub(super) fn exit_left(&self, container: &Container) -> Option<Exit> {
        let bytes = self.host.read(&self.places.exit_file(&container.id)).ok()?;
        let exit: Exit = serde_json::from_slice(&bytes).ok()?;
        let at = exit.at.parse::<jiff::Timestamp>().ok()?;
        let known = container.record().state.finished_at.as_deref().and_then(|text| text.parse().ok());
        known.is_none_or(|known| at > known).then_some(exit)
    }

    /// Writes the end down, narrates it, and only then wakes who waits for it.
    pub(super) async fn conclude(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        exit: Exit,
    ) {
        container.set_shim(None);
        self.end_execs(&container.id).await;
        self.release_networks(door, container).await;
        let again = restart::after_exit(&container.record(), &exit);
        let again = again.then(|| next_delay(container, &exit));
        let result: Result<(), Error> = door
            .within(Scope::ContainerExit, container.short_id(), |door| {
                let exit = &exit;
                async move {
                    door.note(Note::Exited, exit_facts(exit));
                    let record = {
                        let mut record = container.record();
                        end(&mut record.state, exit, again.is_some())?;
                        record.clone()
                    };
                    // What is removed next need not be written down first: recovery removes it too.
                    if !record.host_config.auto_remove {
                        self.persist(&door, &record).await?;
                        door.note(Note::Remains, facts([("state", &record.state.status)]));
                    }
                    if let Some(delay) = again {
                        let (restarts, delay) = (record.state.restarts, format!("{} ms", delay.as_millis()));
                        let policy = &record.host_config.restart_policy.name;
                        let facts = facts([("policy", policy), ("delay", &delay), ("restarts", &restarts)]);
                        door.note(Note::RestartPlanned, facts);
                    }
                    Ok(())
                }
            })
            .await;
        if result.is_err() {
            // The disk refused, or the learner said stop at the gate: the program is gone all the
            // same. The failure is in the trace; recovery finds the exit file.
            let mut record = container.record();
            if record.state.has_process() {
                let _ = end(&mut record.state, &exit, again.is_some());
            }
        }
        let record = container.snapshot();
        if exit.oom {
            self.events.container(&record, "oom", &[]);
        }
        self.events.container(&record, "die", &[("exitCode", exit.code.to_string())]);
        // Asked before anybody is woken: a restart under way begins the next run at once.
        let kept = container.kept.load(Ordering::SeqCst);
        container.advance(|progress| {
            progress.running = false;
            progress.restarting = again.is_some();
            progress.exit_code = exit.code;
            progress.exits += 1;
        });
        if let Some(delay) = again {
            self.restart_after(container.clone(), delay);
        } else if record.host_config.auto_remove && !kept {
            let _turn = container.turn.lock().await;
            // A failure is in the trace, and leaves the container for `docker rm`.
            let _ = self.discard(door, container).await;
        }
    }
}

fn end(state: &mut State, exit: &Exit, again: bool) -> Result<(), crate::container::Error> {
    if again { state.exit_to_restart(exit) } else { state.exit(exit) }
}

/// How long until the next start, by how long this run was.
fn next_delay(container: &Container, exit: &Exit) -> Duration {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let began = container.record().state.started_at.as_deref().and_then(time);
    let ran = began.zip(time(&exit.at)).map(|(began, ended)| ended.duration_since(began));
    let ran = ran.and_then(|ran| Duration::try_from(ran).ok()).unwrap_or_default();
    let mut delay = container.delay.lock().unwrap_or_else(|poison| poison.into_inner());
    let next = restart::delay(*delay, ran);
    *delay = Some(next);
    next
}

fn exit_facts(exit: &Exit) -> Facts {
    let mut facts = facts([("code", &exit.code), ("oom", &exit.oom)]);
    if let Some(signal) = exit.signal {
        facts.insert("signal".into(), crate::container::signal::name(signal));
    }
    facts
}
