//! The hub's server: [`Catalog::answer`] behind a loopback port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answer::Answer;
use super::catalog::Catalog;

/// A running hub. Dropping it stops it: no new connection is taken, requests under way are
/// finished.
#[derive(Debug)]
pub struct Hub {
    address: SocketAddr,
    /// Dropped to stop the server.
    running: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// Starts a hub on a free port of 127.0.0.1. Must be called within a tokio runtime.
///
/// # Errors
/// The kernel's, if no port can be opened.
pub async fn serve(catalog: Arc<Catalog>) -> io::Result<Hub> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (running, stopped) = oneshot::channel::<()>();
    let router = Router::new().fallback(handle).with_state(catalog);
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        // Nothing is ever sent: the sender goes away with the `Hub`, and that is the signal.
        let _gone = stopped.await;
    });
    let server = tokio::spawn(async {
        // axum's server handles the errors of single connections itself and never fails.
        let _never_fails = server.await;
    });
    Ok(Hub { address, running, server })
}

impl Hub {
    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the hub and waits until its port is closed and its last request is answered.
    pub async fn stop(self) {
        drop(self.running);
        // An error would mean the server task panicked; it is gone in that case, too.
        let _ended = self.server.await;
    }
}

async fn handle(
    State(catalog): State<Arc<Catalog>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Making an image reads and compresses megabytes: not on a thread that serves others.
    let answer = tokio::task::spawn_blocking(move || {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        catalog.answer(&method, target, &headers)
    });
    match answer.await {
        Ok(Answer { status, headers, body }) => (status, headers, body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
