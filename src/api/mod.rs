//! The Engine API's server half: routes → engine call → JSON, and nothing more.
//!
//! ```text
//!  connection ──▶ version ──▶ router ──▶ container, image, system, attach   Docker's own
//!   who asks,      prefix       │   └──▶ trace                              /learn/…
//!   which trace                 └──────▶ unsupported                        501, by name
//! ```

pub mod assembly;
pub mod attach;
pub mod body;
mod connection;
mod container;
pub mod daemon;
mod exec;
mod files;
mod image;
mod lifecycle;
mod manners;
mod network;
pub mod query;
mod router;
pub mod simulate;
mod stats;
pub mod status;
mod swarm;
mod system;
mod trace;
mod unsupported;
pub mod version;

use crate::engine::Engine;
use connection::Connection;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// Nobody came for so long: the daemon can do without what it needs to work.
const QUIET: Duration = Duration::from_secs(10);

/// Serves the API until the task is dropped. Connections that are open then go on. `rest` is called
/// when nobody came for a while.
pub async fn serve(engine: Arc<Engine>, listener: UnixListener, rest: fn()) -> io::Result<()> {
    let router = router::build(engine.clone());
    let mut rested = false;
    loop {
        let accepted = match rested {
            true => listener.accept().await,
            false => match timeout(QUIET, listener.accept()).await {
                Ok(accepted) => accepted,
                Err(_) => {
                    rested = true;
                    // It takes a millisecond or two.
                    tokio::task::spawn_blocking(rest);
                    continue;
                }
            },
        };
        rested = false;
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            // The client is gone again, or descriptors ran out: neither ends the daemon.
            Err(error) if is_passing(&error) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let connection = Connection::new(engine.clone(), router.clone(), &stream);
        tokio::spawn(connection.serve(stream));
    }
}

/// Serves one connection, such as one end of a socket pair: how the simulator's command line
/// talks to an engine in its own process. Returns when the client hangs up.
pub async fn serve_connection(engine: Arc<Engine>, stream: UnixStream) {
    let router = router::build(engine.clone());
    Connection::new(engine, router, &stream).serve(stream).await;
}

fn is_passing(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    error.kind() == io::ErrorKind::ConnectionAborted
        || errno
            .is_some_and(|errno| [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].contains(&errno))
}
