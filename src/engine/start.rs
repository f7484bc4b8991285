//! `docker start`: bundle, shim, and the conversation until the program runs.

use super::shim::ShimSocket;
use super::{Container, Engine, Error};
use crate::container::{Status, log};
use crate::error::{Classify, Kind};
use crate::kernel::{Payload, TracedHost};
use crate::op::ProcessOp;
use crate::runtime::protocol::{FromShim, Start, ToShim};
use crate::trace::{Decision, Event, Facts, Note, Scope, facts};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Scope numbers set aside for one shim and its init.
pub(super) const SHIM_SCOPES: u32 = 10_000;

/// A program that runs.
pub(super) struct Started {
    /// On the host.
    pub(super) pid: u32,
    /// Its shim's.
    pub(super) shim: u32,
}

impl Engine {
    /// Starts a container; `false` when it runs already.
    ///
    /// # Errors
    /// No such container; it is paused or being removed; the program cannot be executed. The
    /// container then stays what it was, with the exit code Docker gives it.
    pub async fn start(self: &Arc<Self>, door: &TracedHost, wanted: &str) -> Result<bool, Error> {
        let container = self.containers.find(wanted)?;
        let _turn = container.turn.lock().await;
        let status = container.record().state.status;
        match status {
            Status::Running | Status::Restarting => return Ok(false),
            Status::Paused => return Err(Error::Paused),
            Status::Removing | Status::Dead => return Err(Error::MarkedForRemoval),
            Status::Created | Status::Exited => {}
        }
        {
            // By hand: what was counted so far is forgotten.
            let mut record = container.record();
            (record.state.restarts, record.state.stopped_by_hand) = (0, false);
        }
        *container.delay.lock().unwrap_or_else(|poison| poison.into_inner()) = None;
        self.launch_attended(door, &container).await?;
        Ok(true)
    }

    /// Launches a container whose turn the caller has, and stays with it.
    pub(super) async fn launch_attended(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
    ) -> Result<(), Error> {
        let about = container.short_id();
        let launched = door
            .within(Scope::ContainerStart, about, async |door: TracedHost| {
                self.launch(&door, container).await
            })
            .await;
        match launched {
            Ok(socket) => {
                self.events.container(&container.snapshot(), "start", &[]);
                self.attend(door, container.clone(), socket);
                Ok(())
            }
            Err(error) => {
                self.refuse(door, container, &error).await;
                Err(error)
            }
        }
    }

    async fn launch(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
    ) -> Result<Arc<ShimSocket>, Error> {
        let mut done = self.attach_networks(door, container).await?;
        let record = container.snapshot();
        let started = async {
            done.extend(self.write_bundle(door, &record).await?);
            let started = self.run_shim(door, container).await?;
            self.open_ports(door, container, started.1.pid).await?;
            Ok(started)
        };
        let started: Result<_, Error> = started.await;
        let (socket, started) = match started {
            Ok(started) => started,
            Err(error) => {
                // What cannot be undone is in the trace; why it began is what the client hears.
                let _ = door.roll_back(done, container.short_id().as_str()).await;
                self.forget_networks(door, container).await;
                return Err(error);
            }
        };
        let record = {
            let mut record = container.record();
            record.state.start(started.pid, started.shim, self.stamp())?;
            record.clone()
        };
        container.set_shim(Some(socket.clone()));
        container.advance(|progress| (progress.running, progress.restarting) = (true, false));
        // Of a container that goes when its program ends, recovery learns from the shim that it runs.
        if !record.host_config.auto_remove
            && let Err(error) = self.persist(door, &record).await
        {
            self.call_back(door, container, socket).await;
            return Err(error);
        }
        Ok(socket)
    }

    /// Ends a program whose start could not be written down: the learner said stop just then, or the
    /// disk is full. Its end is seen to as any other's.
    async fn call_back(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
        socket: Arc<ShimSocket>,
    ) {
        door.trace().gate().open_for_rollback().await;
        self.attend(door, container.clone(), socket);
        // It may have ended by itself.
        let _ = self.signal(door, container, libc::SIGKILL).await;
        self.until_ended(container, None).await;
    }

    async fn run_shim(
        &self,
        door: &TracedHost,
        container: &Container,
    ) -> Result<(Arc<ShimSocket>, Started), Error> {
        let broken = |error: std::io::Error| Error::Shim {
            container: container.short_id(),
            reason: error.to_string(),
        };
        let (socket, theirs) = ShimSocket::pair().map_err(broken)?;
        let bundle = self.places.bundle(&container.id);
        door.within(Scope::ShimSpawn, container.short_id(), |door| async move {
            let spawn = ProcessOp::SpawnShim { container: container.id.clone(), bundle };
            let spawned = door.perform_with(spawn, Payload::Control(theirs)).await?;
            if let Some(how) = spawned.facts.get("sealed") {
                door.note(Note::RuntimeSealed, facts([("how", how)]));
            }
            Ok::<(), Error>(())
        })
        .await?;
        let start = self.instructions(door, container).await;
        socket.send(&ToShim::Start(Box::new(start)), None).await.map_err(broken)?;
        for expected in container.take_pending() {
            // Its connection is handed over as soon as the answer to the attach is written; a
            // client that left meanwhile gets nothing.
            let Ok((attach, descriptor)) = expected.await else { continue };
            socket.send(&ToShim::Attach(attach), Some(descriptor.as_fd())).await.map_err(broken)?;
        }
        socket.send(&ToShim::Go, None).await.map_err(broken)?;
        let started = converse(door, container, &socket).await?;
        Ok((Arc::new(socket), started))
    }

    async fn instructions(&self, door: &TracedHost, container: &Container) -> Start {
        let (stop, last_stage) = door.trace().gate().stop().await;
        let record = container.record();
        let id = &container.id;
        // The simulator's containers end with it: nobody comes back for them.
        let socket = if self.simulated() { String::new() } else { self.places.shim_socket(id) };
        Start {
            id: id.clone(),
            bundle: self.places.bundle(id),
            exec: None,
            terminal: record.config.tty,
            socket,
            log: log::plan(&record, &self.places.container(id)).unwrap_or_default(),
            exit_file: self.places.exit_file(id),
            scope: door.scope(),
            scope_base: door.trace().reserve_scope_ids(SHIM_SCOPES),
            stop,
            last_stage,
            machine: self.machine.clone(),
            open_stdin: record.config.open_stdin,
            stdin_once: record.config.stdin_once,
        }
    }

    /// The container stays what it was, with the reason written down; clients that attached see
    /// the end of their stream. An aborted start leaves no trace in the record.
    async fn refuse(self: &Arc<Self>, door: &TracedHost, container: &Arc<Container>, error: &Error) {
        drop(container.take_pending());
        if error.kind() == Kind::Aborted {
            return;
        }
        let exit_code = match error {
            Error::Start(failure) => failure.exit_code,
            _ => 128,
        };
        let record = {
            let mut record = container.record();
            record.state.refuse(exit_code, error.to_string());
            record.clone()
        };
        container.advance(|progress| progress.exit_code = exit_code);
        // The start's own failure is what the client hears; these are in the trace.
        if record.host_config.auto_remove {
            let _ = self.discard(door, container).await;
        } else {
            let _ = self.persist(door, &record).await;
            door.note(Note::Remains, facts([("state", &record.state.status)]));
        }
    }
}

/// Listens to the shim until the program runs, and answers its questions.
pub(super) async fn converse(
    door: &TracedHost,
    container: &Container,
    socket: &ShimSocket,
) -> Result<Started, Error> {
    let broken = |reason: String| Error::Shim { container: container.short_id(), reason };
    loop {
        let message = socket.receive().await.map_err(|error| broken(error.to_string()))?;
        match message {
            Some(FromShim::Started { pid, shim }) => return Ok(Started { pid, shim }),
            Some(FromShim::Failed(failure)) => return Err(Error::Start(failure)),
            Some(FromShim::Exited(_)) => return Err(broken("it ended before it began".into())),
            Some(message) => relay(door, socket, message).await.map_err(|error| broken(error.to_string()))?,
            None => return Err(broken("its socket was closed".into())),
        }
    }
}

/// Takes a record into the trace, or asks the learner on the shim's behalf.
pub(super) async fn relay(door: &TracedHost, socket: &ShimSocket, message: FromShim) -> std::io::Result<()> {
    let trace = door.trace();
    match message {
        FromShim::Records(said) => {
            said.into_iter().for_each(|said| trace.emit_at(said.at, said.scope, said.event));
        }
        FromShim::Hold { scope, event } => {
            let decision = match trace.gate().settled().await {
                Some(decision) => decision,
                None => {
                    trace.emit(scope, Event::Held);
                    let decision = trace.gate().answer(&event).await;
                    trace.emit(scope, Event::Released { decision });
                    if decision == Decision::Abort {
                        trace.note(scope, Note::Aborted, Facts::new());
                    }
                    decision
                }
            };
            socket.send(&ToShim::Decide(decision), None).await?;
        }
        FromShim::Started { .. } | FromShim::Failed(_) | FromShim::Exited(_) | FromShim::Detached => {}
    }
    Ok(())
}
