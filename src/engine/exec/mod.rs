//! `docker exec`: further programs in a running container.
//!
//! ```text
//!  create ──▶ table ──▶ start ──▶ exit
//!                         │ a directory (process.json), a shim of its own
//! ```
//!
//! The shim tells the daemon of the end before it hangs up on its clients, and waits until that is
//! noted: a client that sees its stream end may ask for the exit code at once.

mod exit;
mod recover;
mod start;
mod table;

pub use table::{Exec, Execs};

use super::{Container, Engine, Error};
use crate::container::Status;
use crate::kernel::TracedHost;
use crate::runtime::protocol::ToShim;
use crate::trace::Scope;
use crate::wire::{ExecConfig, ExecInspect, ExecProcess};
use std::sync::Arc;
use std::time::Duration;

/// How long a resize waits for its program to run.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Notes what is to run in a running container. Its id.
    ///
    /// # Errors
    /// Nothing to run; no such container; it does not run, or is paused.
    pub async fn create_exec(
        &self,
        door: &TracedHost,
        wanted: &str,
        config: ExecConfig,
    ) -> Result<String, Error> {
        if config.cmd.iter().all(String::is_empty) {
            return Err(Error::Invalid("No exec command specified".into()));
        }
        let container = self.containers.find(wanted)?;
        can_exec(&container, wanted)?;
        door.within(Scope::ExecCreate, container.short_id(), |_| async move {
            let exec = Exec::new(hex::encode(self.source.random()), container, config);
            self.tell_exec(&exec, "exec_create", &[]);
            let id = exec.id.clone();
            self.execs.insert(exec);
            Ok(id)
        })
        .await
    }

    /// An exec that can be started now.
    ///
    /// # Errors
    /// No such exec; its container does not run, or is paused.
    pub fn find_exec(&self, id: &str) -> Result<Arc<Exec>, Error> {
        let exec = self.execs.find(id)?;
        can_exec(&exec.container, &exec.container.id)?;
        Ok(exec)
    }

    /// What `GET /exec/{id}/json` shows.
    ///
    /// # Errors
    /// No such exec.
    pub fn inspect_exec(&self, id: &str) -> Result<ExecInspect, Error> {
        let exec = self.execs.find(id)?;
        let (state, config) = (exec.state(), &exec.config);
        Ok(ExecInspect {
            id: exec.id.clone(),
            running: state.running,
            exit_code: state.exit_code.map(i64::from),
            process_config: ExecProcess {
                tty: config.tty,
                entrypoint: config.cmd.first().cloned().unwrap_or_default(),
                arguments: config.cmd.iter().skip(1).cloned().collect(),
                privileged: config.privileged,
                user: config.user.clone(),
            },
            open_stdin: config.attach_stdin,
            open_stderr: config.attach_stderr,
            open_stdout: config.attach_stdout,
            can_remove: state.exit_code.is_some(),
            container_id: exec.container.id.clone(),
            detach_keys: String::new(),
            pid: i64::from(state.pid),
        })
    }

    /// Tells an exec's terminal the size of its window, as soon as its program runs.
    ///
    /// # Errors
    /// No such exec; it does not run.
    pub async fn resize_exec(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let exec = self.find_exec(id)?;
        let shim = tokio::time::timeout(PATIENCE, exec.runs()).await.ok().flatten();
        let not_ready = || Error::Invalid("timeout waiting for exec session ready".into());
        // A shim that is on its way out says the same.
        let ended = |_| Error::ExecConflict(format!("exec {} is not running", exec.id));
        let resize = ToShim::Resize { rows, columns };
        shim.ok_or_else(not_ready)?.send(&resize, None).await.map_err(ended)
    }

    /// Says what happened, as an event of the container: `exec_start: sh -c true`.
    fn tell_exec(&self, exec: &Exec, what: &str, more: &[(&str, String)]) {
        let action = match what {
            "exec_create" | "exec_start" => format!("{what}: {}", exec.config.cmd.join(" ")),
            _ => what.to_owned(),
        };
        let mut attributes = vec![("execID", exec.id.clone())];
        attributes.extend(more.iter().cloned());
        self.events.container(&exec.container.snapshot(), &action, &attributes);
    }
}

/// Whether a program can be added; `named` is how the client calls the container.
fn can_exec(container: &Container, named: &str) -> Result<(), Error> {
    let status = container.record().state.status;
    match status {
        Status::Running => Ok(()),
        Status::Paused => Err(Error::ExecPaused(named.to_owned())),
        Status::Restarting => Err(Error::ExecRestarting(container.id.clone())),
        _ => Err(Error::NotRunning(container.id.clone())),
    }
}
