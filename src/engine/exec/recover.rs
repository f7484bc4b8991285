//! Execs that outlived their daemon: their shims go on, and say the exit code when it comes.

use super::Exec;
use crate::engine::shim::ShimSocket;
use crate::engine::{Container, Engine, Error};
use crate::kernel::TracedHost;
use crate::op::FsOp;
use crate::runtime::protocol::FromShim;
use crate::wire::ExecConfig;
use std::sync::Arc;

impl Engine {
    /// Finds the execs an earlier daemon left in a container.
    ///
    /// # Errors
    /// A directory that cannot be removed.
    pub(in crate::engine) async fn recover_execs(
        self: &Arc<Self>,
        door: &TracedHost,
        container: &Arc<Container>,
    ) -> Result<(), Error> {
        for id in self.host.list(&self.places.execs(&container.id)).unwrap_or_default() {
            let directory = self.places.exec(&container.id, &id);
            let config = self.host.read(&format!("{directory}/exec.json")).ok();
            let config: Option<ExecConfig> = config.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(config) = config else {
                door.perform(FsOp::RemoveTree { path: directory }).await?;
                continue;
            };
            let exec = Exec::new(id, container.clone(), config);
            self.execs.insert(exec.clone());
            self.rejoin_exec(door, exec).await;
        }
        Ok(())
    }

    async fn rejoin_exec(self: &Arc<Self>, door: &TracedHost, exec: Arc<Exec>) {
        if let Ok(socket) = ShimSocket::connect(&self.places.shim_socket(&exec.id)) {
            let socket = Arc::new(socket);
            if let Ok(Some(FromShim::Started { pid, .. })) = socket.receive().await {
                exec.begin(pid, socket.clone());
                self.attend_exec(door, exec, socket);
                return;
            }
        }
        let code = self.exec_exit_left(&exec).unwrap_or(128 + libc::SIGKILL);
        self.conclude_exec(door, &exec, code).await;
    }
}
