//! `docker attach`: a client's connection goes to the shim, which writes to it directly.

use super::{Container, Engine, Error};
use crate::container::log::{self, Filter, Reader, Rendered};
use crate::kernel::TracedHost;
use crate::runtime::protocol::{Attach, ToShim};
use crate::trace::Scope;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use tokio::sync::oneshot;

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

/// A promised attach: made before the request is answered, kept when the connection is free. A
/// start that comes in between waits for it, so that no output is lost.
#[derive(Debug)]
pub struct Ticket {
    container: Arc<Container>,
    /// For a container that does not run yet.
    promise: Option<oneshot::Sender<(Attach, OwnedFd)>>,
}

impl Ticket {
    /// Whether the container has a terminal: its stream has no frames then.
    pub fn tty(&self) -> bool {
        self.container.record().config.tty
    }
}

impl Engine {
    /// Promises a container a client's connection.
    ///
    /// # Errors
    /// No such container.
    pub fn expect_attach(&self, wanted: &str, stream: bool) -> Result<Ticket, Error> {
        let container = self.containers.find(wanted)?;
        let mut promise = None;
        if stream && container.shim().is_none() {
            let (sender, receiver) = oneshot::channel();
            container.expect(receiver);
            promise = Some(sender);
        }
        Ok(Ticket { container, promise })
    }

    /// Hands a connection to the container: now when it runs, else at its start.
    ///
    /// # Errors
    /// Its shim is gone.
    pub async fn attach(
        &self,
        door: &TracedHost,
        ticket: Ticket,
        options: AttachOptions,
        connection: OwnedFd,
    ) -> Result<(), Error> {
        let Ticket { container, promise } = ticket;
        door.within(Scope::ContainerAttach, container.short_id(), |_| async move {
            let broken = |error: std::io::Error| Error::Shim {
                container: container.short_id(),
                reason: error.to_string(),
            };
            let connection = match options.logs {
                true => self.replay(&container, &options.streams, connection).await.map_err(broken)?,
                false => connection,
            };
            if !options.stream {
                return Ok(());
            }
            self.events.container(&container.snapshot(), "attach", &[]);
            match (promise, container.shim()) {
                (Some(promise), _) => {
                    // Nobody takes it any more: the container is gone, and the stream ends.
                    let _ = promise.send((options.streams, connection));
                    Ok(())
                }
                (None, Some(shim)) => {
                    let attach = ToShim::Attach(options.streams);
                    shim.send(&attach, Some(connection.as_fd())).await.map_err(broken)
                }
                // It ended meanwhile, and so does the stream.
                (None, None) => Ok(()),
            }
        })
        .await
    }

    /// Writes the log so far to the connection, on a thread of its own: the client may be slow.
    async fn replay(
        &self,
        container: &Container,
        streams: &Attach,
        connection: OwnedFd,
    ) -> std::io::Result<OwnedFd> {
        let record = container.snapshot();
        let Some(plan) = log::plan(&record, &self.places.container(&container.id)) else {
            return Ok(connection);
        };
        let frames = !streams.raw;
        let filter = Filter { stdout: streams.stdout, stderr: streams.stderr, frames, ..Filter::default() };
        let work = move || -> std::io::Result<OwnedFd> {
            let Some(mut reader) = Reader::open(&plan.path, plan.format, None)? else {
                return Ok(connection);
            };
            rustix::io::ioctl_fionbio(&connection, false)?;
            let mut connection = File::from(connection);
            while let Some(entries) = reader.entries()? {
                for entry in entries {
                    if let Rendered::Wanted(frame) = filter.render(&entry, plan.format) {
                        connection.write_all(&frame)?;
                    }
                }
            }
            Ok(connection.into())
        };
        tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
    }
}
