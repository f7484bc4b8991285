//! From a note to a running program.

use super::Exec;
use crate::container::exec;
use crate::engine::shim::ShimSocket;
use crate::engine::start::{SHIM_SCOPES, converse};
use crate::engine::{Engine, Error};
use crate::error::Kind;
use crate::kernel::{Payload, TracedHost};
use crate::op::{FsOp, Op, ProcessOp, WriteReason};
use crate::runtime::log_format::LogPlan;
use crate::runtime::protocol::{Attach, Start, Target, ToShim};
use crate::trace::{Note, Scope, facts};
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// The code of an exec whose program never ran for another reason than the program.
const REFUSED_CODE: i32 = 126;

impl Engine {
    /// Starts the program; `client` gets its streams.
    ///
    /// # Errors
    /// It was started before; the container ended; the program cannot be executed.
    pub async fn start_exec(
        self: &Arc<Self>,
        door: &TracedHost,
        exec: &Arc<Exec>,
        client: Option<(Attach, OwnedFd)>,
    ) -> Result<(), Error> {
        exec.claim()?;
        let about = exec.short_id();
        let launched = door
            .within(Scope::ExecStart, about, async |door: TracedHost| {
                self.launch_exec(&door, exec, client).await
            })
            .await;
        match launched {
            Ok((socket, pid)) => {
                exec.begin(pid, socket.clone());
                self.tell_exec(exec, "exec_start", &[]);
                self.attend_exec(door, exec.clone(), socket);
                Ok(())
            }
            Err(error) => {
                exec.end(match &error {
                    Error::ExecFailed(failure) if matches!(failure.exit_code, 126 | 127) => failure.exit_code,
                    _ => REFUSED_CODE,
                });
                Err(error)
            }
        }
    }

    async fn launch_exec(
        &self,
        door: &TracedHost,
        exec: &Arc<Exec>,
        client: Option<(Attach, OwnedFd)>,
    ) -> Result<(Arc<ShimSocket>, u32), Error> {
        let made = self.write_process(door, exec).await?;
        match self.run_exec_shim(door, exec, client).await {
            Ok(running) => Ok(running),
            Err(error) => {
                // What cannot be undone is in the trace; why it began is what the client hears.
                let _ = door.roll_back(made, &exec.short_id()).await;
                Err(match error {
                    Error::Start(failure) if failure.kind != Kind::Aborted => Error::ExecFailed(failure),
                    other => other,
                })
            }
        }
    }

    /// The exec's directory: what runs, for the runtime, and what was asked for, for a daemon that
    /// comes back.
    async fn write_process(&self, door: &TracedHost, exec: &Exec) -> Result<Vec<Op>, Error> {
        let record = exec.container.snapshot();
        let path = format!("{}/config.json", self.places.bundle(&record.id));
        let broken = |reason: String| Error::Read { path: path.clone(), reason };
        let text = self.host.read(&path).map_err(|error| broken(error.to_string()))?;
        let spec: Spec = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        let process = spec.process().clone().ok_or_else(|| broken("process is missing".into()))?;
        let user = self.resolve_user_as(door, &record, &exec.config.user)?;
        let process = exec::process(process, &record, &exec.config, &user, &self.machine)?;
        let invalid = |error: serde_json::Error| Error::Invalid(error.to_string());
        let directory = self.places.exec(&record.id, &exec.id);
        let make = FsOp::CreateDirectory { path: directory.clone(), mode: 0o711 };
        let made: Vec<Op> = vec![make.clone().into()];
        let files = [
            ("exec.json", serde_json::to_string(&exec.config).map_err(invalid)?),
            ("process.json", serde_json::to_string_pretty(&process).map_err(invalid)?),
        ];
        let written = async {
            door.perform(make).await?;
            for (name, text) in files {
                let (path, value) = (format!("{directory}/{name}"), shell_words::join(&exec.config.cmd));
                let write = FsOp::WriteFile { path, value, why: WriteReason::Bundle };
                door.perform_with(write, Payload::Bytes(text.into())).await?;
            }
            Ok::<(), Error>(())
        };
        if let Err(error) = written.await {
            let _ = door.roll_back(made, &exec.short_id()).await;
            return Err(error);
        }
        Ok(made)
    }

    async fn run_exec_shim(
        &self,
        door: &TracedHost,
        exec: &Arc<Exec>,
        client: Option<(Attach, OwnedFd)>,
    ) -> Result<(Arc<ShimSocket>, u32), Error> {
        let broken =
            |error: std::io::Error| Error::Shim { container: exec.short_id(), reason: error.to_string() };
        let (socket, theirs) = ShimSocket::pair().map_err(broken)?;
        let bundle = self.places.exec(&exec.container.id, &exec.id);
        door.within(Scope::ShimSpawn, exec.short_id(), |door| async move {
            let spawn = ProcessOp::SpawnShim { container: exec.id.clone(), bundle };
            let spawned = door.perform_with(spawn, Payload::Control(theirs)).await?;
            if let Some(how) = spawned.facts.get("sealed") {
                door.note(Note::RuntimeSealed, facts([("how", how)]));
            }
            Ok::<(), Error>(())
        })
        .await?;
        let start = self.exec_instructions(door, exec).await;
        socket.send(&ToShim::Start(Box::new(start)), None).await.map_err(broken)?;
        if let Some((attach, connection)) = client {
            socket.send(&ToShim::Attach(attach), Some(connection.as_fd())).await.map_err(broken)?;
        }
        socket.send(&ToShim::Go, None).await.map_err(broken)?;
        let started = converse(door, &exec.container, &socket).await?;
        Ok((Arc::new(socket), started.pid))
    }

    async fn exec_instructions(&self, door: &TracedHost, exec: &Exec) -> Start {
        let (stop, last_stage) = door.trace().gate().stop().await;
        let (container, id) = (&exec.container.id, &exec.id);
        let pid = exec.container.record().state.pid;
        Start {
            id: id.clone(),
            bundle: self.places.exec(container, id),
            exec: Some(Target { pid, bundle: self.places.bundle(container) }),
            terminal: exec.config.tty,
            // The simulator's programs end with it: nobody comes back for them.
            socket: if self.simulated() { String::new() } else { self.places.shim_socket(id) },
            log: LogPlan::default(),
            exit_file: self.places.exec_exit_file(container, id),
            scope: door.scope(),
            scope_base: door.trace().reserve_scope_ids(SHIM_SCOPES),
            stop,
            last_stage,
            machine: self.machine.clone(),
            open_stdin: exec.config.attach_stdin,
            stdin_once: true,
        }
    }
}
