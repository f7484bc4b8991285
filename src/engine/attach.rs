//! `docker attach`: a client's connection goes to the shim, which writes to it directly.

use super::{Engine, Error};
use crate::container::log::{Filter, Reader};
use crate::kernel::TracedHost;
use crate::runtime::protocol::{Attach, ToShim};
use crate::trace::Scope;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

/// What a client asks of an attach.
#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    /// Which streams, and input that came early.
    pub streams: Attach,
    /// Stay attached.
    pub stream: bool,
    /// First what the log holds.
    pub logs: bool,
}

impl Engine {
    /// Whether the container can be attached to, before the connection is taken over.
    ///
    /// # Errors
    /// No such container.
    pub fn check_attach(&self, wanted: &str) -> Result<bool, Error> {
        let container = self.containers.find(wanted)?;
        let tty = container.record().config.tty;
        Ok(tty)
    }

    /// Hands a connection to the container: now when it runs, else at its start.
    ///
    /// # Errors
    /// No such container; its shim is gone.
    pub async fn attach(
        &self,
        door: &TracedHost,
        wanted: &str,
        options: AttachOptions,
        connection: OwnedFd,
    ) -> Result<(), Error> {
        let container = self.containers.find(wanted)?;
        door.within(Scope::ContainerAttach, container.short_id(), |_| async move {
            let broken = |error: std::io::Error| Error::Shim {
                container: container.short_id(),
                reason: error.to_string(),
            };
            let connection = match options.logs {
                true => self.replay(&container.id, &options.streams, connection).await.map_err(broken)?,
                false => connection,
            };
            if !options.stream {
                return Ok(());
            }
            self.events.container(&container.snapshot(), "attach", &[]);
            match container.shim() {
                Some(shim) => {
                    let attach = ToShim::Attach(options.streams);
                    shim.send(&attach, Some(connection.as_fd())).await.map_err(broken)
                }
                None => {
                    let mut pending = container.pending.lock().unwrap_or_else(|poison| poison.into_inner());
                    pending.push((options.streams, connection));
                    Ok(())
                }
            }
        })
        .await
    }

    /// Writes the log so far to the connection, on a thread of its own: the client may be slow.
    async fn replay(&self, id: &str, streams: &Attach, connection: OwnedFd) -> std::io::Result<OwnedFd> {
        let path = self.places.log(id);
        let filter =
            Filter { stdout: streams.stdout, stderr: streams.stderr, frames: true, ..Filter::default() };
        let work = move || -> std::io::Result<OwnedFd> {
            let Ok(file) = File::open(path) else { return Ok(connection) };
            rustix::io::ioctl_fionbio(&connection, false)?;
            let mut connection = File::from(connection);
            let mut reader = Reader::new(file, None)?;
            while let Some(lines) = reader.lines()? {
                for frame in lines.iter().filter_map(|line| filter.render(line)) {
                    connection.write_all(&frame)?;
                }
            }
            Ok(connection.into())
        };
        tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
    }
}
