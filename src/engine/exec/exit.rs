//! What happens when a further program ends.

use super::Exec;
use crate::engine::shim::ShimSocket;
use crate::engine::start::relay;
use crate::engine::{Engine, Error};
use crate::kernel::TracedHost;
use crate::op::FsOp;
use crate::runtime::protocol::{Exit, FromShim, ToShim};
use crate::trace::{Note, Scope, facts};
use std::sync::Arc;

/// The code of a program whose shim was killed: SIGKILL is what it died of (PR_SET_PDEATHSIG).
const SHIM_GONE_CODE: i32 = 128 + libc::SIGKILL;

impl Engine {
    /// Stays with an exec until its program ends.
    pub(super) fn attend_exec(self: &Arc<Self>, door: &TracedHost, exec: Arc<Exec>, socket: Arc<ShimSocket>) {
        let engine = self.clone();
        let door = TracedHost::new(self.host.clone(), door.trace().clone());
        tokio::spawn(async move {
            let code = engine.listen_to_exec(&door, &exec, &socket).await;
            engine.conclude_exec(&door, &exec, code).await;
            // Only now the shim hangs up on its clients.
            drop(socket);
        });
    }

    async fn listen_to_exec(&self, door: &TracedHost, exec: &Exec, socket: &ShimSocket) -> i32 {
        loop {
            match socket.receive().await {
                Ok(Some(FromShim::Exited(exit))) => return exit.code,
                Ok(Some(FromShim::Detached)) => self.tell_exec(exec, "exec_detach", &[]),
                Ok(Some(message)) => {
                    // A shim that cannot be answered is gone: the next receive says so.
                    let _ = relay(door, socket, message).await;
                }
                Ok(None) | Err(_) => return self.exec_exit_left(exec).unwrap_or(SHIM_GONE_CODE),
            }
        }
    }

    /// What the shim wrote down.
    pub(super) fn exec_exit_left(&self, exec: &Exec) -> Option<i32> {
        let file = self.places.exec_exit_file(&exec.container.id, &exec.id);
        let exit: Exit = serde_json::from_slice(&self.host.read(&file).ok()?).ok()?;
        Some(exit.code)
    }

    pub(super) async fn conclude_exec(&self, door: &TracedHost, exec: &Exec, code: i32) {
        let result: Result<(), Error> = door
            .within(Scope::ExecExit, exec.short_id(), |door| async move {
                door.note(Note::Exited, facts([("code", &code)]));
                let path = self.places.exec(&exec.container.id, &exec.id);
                door.perform(FsOp::RemoveTree { path }).await?;
                Ok(())
            })
            .await;
        // A failure is in the trace; the container's removal takes the directory along.
        drop(result);
        exec.end(code);
        self.tell_exec(exec, "exec_die", &[("exitCode", code.to_string())]);
    }

    /// The container's first program ended. What shares its pid namespace the kernel ends with it;
    /// what shares the host's is ended here.
    pub(in crate::engine) async fn end_execs(&self, container: &str) {
        for exec in self.execs.running_in(container) {
            if let Some(shim) = exec.shim() {
                // A shim that is gone has taken its program along.
                let _ = shim.send(&ToShim::Signal(libc::SIGKILL), None).await;
            }
        }
    }
}
