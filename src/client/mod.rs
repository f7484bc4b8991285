//! The Engine API's client half: HTTP/1.1 over a unix socket, as Docker's own client speaks it.
//!
//! ```text
//!  container, image, system, trace   one function per endpoint, typed by `wire`
//!            │
//!         Client                     version negotiation, prefixes, error JSON → Error
//!            │
//!   connection / hijack              one keep-alive connection; upgraded streams in frames
//!            │
//!        Connector                   where a socket comes from: a path, an auto-started daemon,
//!                                    or one end of a pair (the simulator)
//! ```
//!
//! Nothing here prints: what a learner reads is the command line's business.

mod connection;
pub mod container;
mod error;
mod exec;
pub mod files;
pub mod hijack;
pub mod host;
pub mod image;
pub mod launch;
mod negotiate;
mod network;
pub mod query;
mod stream;
pub mod system;
pub mod trace;

pub use connection::{Connector, from_path};
pub use error::Error;
pub use hijack::{Hijacked, Source};
pub use host::{ConfigFile, Host, Paths};
pub use negotiate::ApiVersion;
pub use stream::JsonLines;

use connection::{Connections, Request, Response};
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use query::Query;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

/// A client of one daemon. Requests go one after another over one connection; a request whose
/// answer stays open (wait, logs, events) keeps that connection to itself.
pub struct Client {
    connections: Connections,
    version: OnceLock<ApiVersion>,
    session: OnceLock<HeaderValue>,
}

impl Client {
    /// A client that gets its connections from `connector`. Nothing is dialled yet.
    pub fn new(connector: Connector) -> Client {
        Client {
            connections: Connections::new(connector),
            version: OnceLock::new(),
            session: OnceLock::new(),
        }
    }

    /// From now on every request of Docker's API writes into this trace session.
    pub fn write_into(&self, session: &str) {
        if let Ok(value) = HeaderValue::from_str(session) {
            let _ = self.session.set(value);
        }
    }

    /// The version spoken from now on: the lower of both sides' newest. Asked once, by
    /// `HEAD /_ping`, before the first versioned request.
    ///
    /// # Errors
    /// When no daemon answers, or the daemon is older than this client can speak.
    pub async fn negotiate(&self) -> Result<ApiVersion, Error> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let mut ping = Request::new(Method::HEAD, "/_ping".to_owned());
        ping.session = self.session.get().cloned();
        let response = self.raw(ping).await?;
        let version = negotiate::agree(response.headers())?;
        response.finish().await?;
        Ok(*self.version.get_or_init(|| version))
    }

    /// Sends a request under the negotiated prefix; any answer but success is an error.
    async fn send(&self, mut request: Request) -> Result<Response, Error> {
        let version = self.negotiate().await?;
        request.path.insert_str(0, &format!("/v{version}"));
        request.session = self.session.get().cloned();
        self.raw(request).await
    }

    /// Sends a request as it stands, outside of any trace session; any answer but success is an error.
    async fn raw(&self, request: Request) -> Result<Response, Error> {
        let response = self.connections.send(request).await?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS => Ok(response),
            _ => Err(response.into_error().await),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &Query) -> Result<T, Error> {
        self.send(Request::new(Method::GET, query.onto(path))).await?.json().await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Query,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.send(Request::new(Method::POST, query.onto(path)).json(body)?).await?.json().await
    }

    /// For endpoints that answer with a status alone.
    async fn act(&self, method: Method, path: &str, query: &Query) -> Result<StatusCode, Error> {
        let response = self.send(Request::new(method, query.onto(path))).await?;
        let status = response.status();
        response.finish().await?;
        Ok(status)
    }
}
