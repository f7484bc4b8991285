//! Further programs in a running container: one function per endpoint.

use super::connection::Request;
use super::hijack::Hijacked;
use super::query::{Query, segment};
use super::{Client, Error};
use crate::wire::{ExecConfig, ExecCreated, ExecInspect, ExecStart, Top};
use hyper::Method;

impl Client {
    /// `POST /containers/{id}/exec`. Its id.
    ///
    /// # Errors
    /// 409 when the container does not run.
    pub async fn create_exec(&self, container: &str, config: &ExecConfig) -> Result<String, Error> {
        let path = format!("/containers/{}/exec", segment(container));
        let ExecCreated { id } = self.post(&path, &Query::default(), config).await?;
        Ok(id)
    }

    /// `POST /exec/{id}/start`: the connection becomes the program's streams. Why it could not be
    /// started is in its output.
    ///
    /// # Errors
    /// When there is no such exec or the daemon keeps the connection.
    pub async fn start_exec(&self, id: &str, tty: bool) -> Result<Hijacked, Error> {
        let start = ExecStart { tty, ..ExecStart::default() };
        let request = Request::new(Method::POST, path(id, "/start")).json(&start)?.upgrade();
        Hijacked::from_response(self.send(request).await?).await
    }

    /// The same without streams.
    ///
    /// # Errors
    /// Why the program could not be started.
    pub async fn start_exec_detached(&self, id: &str, tty: bool) -> Result<(), Error> {
        let start = ExecStart { detach: true, tty, ..ExecStart::default() };
        let request = Request::new(Method::POST, path(id, "/start")).json(&start)?;
        self.send(request).await?.finish().await
    }

    /// `POST /exec/{id}/resize`: the size of its terminal's window.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn resize_exec(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let query = Query::default().opt("h", Some(rows)).opt("w", Some(columns));
        self.act(Method::POST, &path(id, "/resize"), &query).await.map(drop)
    }

    /// `GET /exec/{id}/json`.
    ///
    /// # Errors
    /// 404 when there is no such exec.
    pub async fn inspect_exec(&self, id: &str) -> Result<ExecInspect, Error> {
        self.get(&path(id, "/json"), &Query::default()).await
    }

    /// `GET /containers/{id}/top`: its processes, as ps(1) with these arguments lists them.
    ///
    /// # Errors
    /// 409 when the container does not run.
    pub async fn top(&self, container: &str, arguments: &[String]) -> Result<Top, Error> {
        let arguments = (!arguments.is_empty()).then(|| arguments.join(" "));
        let path = format!("/containers/{}/top", segment(container));
        self.get(&path, &Query::default().opt("ps_args", arguments)).await
    }
}

fn path(id: &str, tail: &str) -> String {
    format!("/exec/{}{tail}", segment(id))
}
