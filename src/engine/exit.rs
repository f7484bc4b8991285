//! What happens when a program ends.

use super::shim::ShimSocket;
use super::start::relay;
use super::{Container, Engine, Error};
use crate::kernel::TracedHost;
use crate::runtime::protocol::{Exit, FromShim};
use crate::trace::{Facts, Note, Scope, facts};
use std::sync::Arc;

/// What Docker gives a program whose end nobody saw.
const UNKNOWN_CODE: i32 = 255;

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
                Ok(Some(message)) => {
                    // A shim that cannot be answered is gone: the next receive says so.
                    let _ = relay(door, socket, message).await;
                }
                Ok(None) | Err(_) => return self.exit_of(container),
            }
        }
    }

    /// What the shim left behind; a shim that was killed left nothing.
    pub(super) fn exit_of(&self, container: &Container) -> Exit {
        let left = self.host.read(&self.places.exit_file(&container.id)).ok();
        left.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_else(|| Exit {
            code: UNKNOWN_CODE,
            signal: None,
            oom: false,
            at: self.stamp(),
        })
    }

    /// Writes the end down, narrates it, and only then wakes who waits for it.
    pub(super) async fn conclude(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        exit: Exit,
    ) {
        container.set_shim(None);
        let result: Result<(), Error> = door
            .within(Scope::ContainerExit, container.short_id(), |door| {
                let exit = &exit;
                async move {
                    door.note(Note::Exited, exit_facts(exit));
                    let record = {
                        let mut record = container.record();
                        record.state.exit(exit)?;
                        record.clone()
                    };
                    // What is removed next need not be written down first: recovery removes it too.
                    if !record.host_config.auto_remove {
                        self.persist(&door, &record).await?;
                        door.note(Note::Remains, facts([("state", &record.state.status)]));
                    }
                    Ok(())
                }
            })
            .await;
        if result.is_err() {
            // The disk refused, or the learner said stop at the gate: the program is gone all the
            // same. The failure is in the trace; recovery finds the exit file.
            let mut record = container.record();
            if record.state.is_running() {
                let _ = record.state.exit(&exit);
            }
        }
        let record = container.snapshot();
        if exit.oom {
            self.events.container(&record, "oom", &[]);
        }
        self.events.container(&record, "die", &[("exitCode", exit.code.to_string())]);
        container.advance(|progress| {
            progress.running = false;
            progress.exit_code = exit.code;
            progress.exits += 1;
        });
        if record.host_config.auto_remove {
            let _turn = container.turn.lock().await;
            // A failure is in the trace, and leaves the container for `docker rm`.
            let _ = self.discard(door, container).await;
        }
    }
}

fn exit_facts(exit: &Exit) -> Facts {
    let mut facts = facts([("code", &exit.code), ("oom", &exit.oom)]);
    if let Some(signal) = exit.signal {
        facts.insert("signal".into(), crate::container::signal::name(signal));
    }
    facts
}
