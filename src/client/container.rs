//! Containers: one function per endpoint.

use super::connection::Request;
use super::hijack::{FramedBody, Hijacked};
use super::query::{Filters, Query, segment};
use super::{Client, Error, JsonLines};
use crate::wire::{
    ContainerInspect, ContainerSummary, ContainersPruned, CreateRequest, CreateResponse, HostConfig, Stats,
    UpdateResponse, WaitResponse,
};
use hyper::Method;
use serde_json::value::RawValue;

/// What a list should hold.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Those that do not run, too.
    pub all: bool,
    /// The newest so many.
    pub limit: Option<u32>,
    /// With sizes, which take long to count.
    pub size: bool,
    /// `status`, `name`, ….
    pub filters: Filters,
}

/// Which streams to attach.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// Ours to the program's input.
    pub stdin: bool,
    /// The program's output to ours.
    pub stdout: bool,
    /// Its error output to ours.
    pub stderr: bool,
    /// The keys that detach, where they are not Docker's.
    pub detach_keys: Option<String>,
}

/// What a wait waits for.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// Not running now.
    NotRunning,
    /// The next end, of a container that may not have started yet.
    NextExit,
    /// The container is gone.
    Removed,
}

/// Which part of the log.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Stay and wait for more.
    pub follow: bool,
    /// A number of lines, or `all`.
    pub tail: String,
    /// Seconds since the epoch, with a fraction.
    pub since: Option<String>,
    /// Seconds since the epoch, with a fraction.
    pub until: Option<String>,
    /// Each line with its time.
    pub timestamps: bool,
    /// Each line with the attributes that `--log-opt labels` and `env` chose.
    pub details: bool,
}

/// A wait the daemon has registered.
pub struct Waiting(JsonLines<WaitResponse>);

impl Waiting {
    /// The exit code.
    ///
    /// # Errors
    /// When the connection breaks or the daemon could not wait.
    pub async fn exit_code(mut self) -> Result<i64, Error> {
        let answer = self.0.next_line().await?.ok_or_else(|| Error::Stream {
            message: "the daemon ended the wait without an exit code".to_owned(),
            hint: None,
        })?;
        // The answer's end, too: when it is here the daemon has closed its books on the wait.
        while self.0.next_line().await?.is_some() {}
        match answer.error {
            Some(error) if !error.message.is_empty() => {
                Err(Error::Stream { message: error.message, hint: None })
            }
            _ => Ok(answer.status_code),
        }
    }
}

impl Client {
    /// `POST /containers/create`.
    ///
    /// # Errors
    /// 404 when the image is not there, 409 when the name is taken.
    pub async fn create_container(
        &self,
        name: Option<&str>,
        platform: Option<&str>,
        request: &CreateRequest,
    ) -> Result<CreateResponse, Error> {
        let query = Query::default().opt("name", name).opt("platform", platform);
        self.post("/containers/create", &query, request).await
    }

    /// `POST /containers/{id}/start`. Not an error when it runs already.
    ///
    /// # Errors
    /// Docker's messages; 126 and 127 follow from them.
    pub async fn start_container(&self, id: &str) -> Result<(), Error> {
        self.act(Method::POST, &path(id, "/start"), &Query::default()).await.map(drop)
    }

    /// `POST /containers/{id}/attach`: the connection becomes the container's streams.
    ///
    /// # Errors
    /// When there is no such container or the daemon keeps the connection.
    pub async fn attach_container(&self, id: &str, streams: Streams) -> Result<Hijacked, Error> {
        let query = Query::default()
            .flag("stream", true)
            .flag("stdin", streams.stdin)
            .flag("stdout", streams.stdout)
            .flag("stderr", streams.stderr)
            .opt("detachKeys", streams.detach_keys);
        let request = Request::new(Method::POST, query.onto(&path(id, "/attach"))).upgrade();
        Hijacked::from_response(self.send(request).await?).await
    }

    /// `POST /containers/{id}/resize`: the size of its terminal's window.
    ///
    /// # Errors
    /// 409 when it does not run.
    pub async fn resize_container(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let query = Query::default().opt("h", Some(rows)).opt("w", Some(columns));
        self.act(Method::POST, &path(id, "/resize"), &query).await.map(drop)
    }

    /// `POST /containers/{id}/wait`: returns as soon as the daemon has noted the wait.
    ///
    /// # Errors
    /// When there is no such container.
    pub async fn wait_container(&self, id: &str, condition: Option<Condition>) -> Result<Waiting, Error> {
        let condition = condition.map(|condition| match condition {
            Condition::NotRunning => "not-running",
            Condition::NextExit => "next-exit",
            Condition::Removed => "removed",
        });
        let query = Query::default().opt("condition", condition);
        let request = Request::new(Method::POST, query.onto(&path(id, "/wait")));
        Ok(Waiting(self.send(request).await?.lines()))
    }

    /// `GET /containers/{id}/json`.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn inspect_container(&self, id: &str) -> Result<ContainerInspect, Error> {
        self.get(&path(id, "/json"), &Query::default()).await
    }

    /// The same as the daemon wrote it, field by field.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn inspect_container_raw(&self, id: &str, size: bool) -> Result<Box<RawValue>, Error> {
        self.get(&path(id, "/json"), &Query::default().flag("size", size)).await
    }

    /// `GET /containers/json`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn list_containers(&self, list: &List) -> Result<Vec<ContainerSummary>, Error> {
        let query = Query::default()
            .flag("all", list.all)
            .flag("size", list.size)
            .opt("limit", list.limit)
            .filters(&list.filters);
        self.get("/containers/json", &query).await
    }

    /// `GET /containers/{id}/logs`; of a container with a terminal the log has no frames.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn container_logs(&self, id: &str, tty: bool, logs: &Logs) -> Result<FramedBody, Error> {
        let query = Query::default()
            .flag("follow", logs.follow)
            .flag("stdout", true)
            .flag("stderr", true)
            .flag("timestamps", logs.timestamps)
            .flag("details", logs.details)
            .opt("since", logs.since.as_deref())
            .opt("until", logs.until.as_deref())
            .opt("tail", Some(&logs.tail));
        let asked = query.onto(&path(id, "/logs"));
        let response = self.send(Request::new(Method::GET, asked.clone())).await?;
        Ok(FramedBody::new(format!("GET {asked}"), response, tty))
    }

    /// `POST /containers/{id}/kill`. Without a signal: SIGKILL.
    ///
    /// # Errors
    /// 409 when it does not run.
    pub async fn kill_container(&self, id: &str, signal: Option<&str>) -> Result<(), Error> {
        let query = Query::default().opt("signal", signal);
        self.act(Method::POST, &path(id, "/kill"), &query).await.map(drop)
    }

    /// `POST /containers/{id}/stop`. Not an error when it does not run. `patience`: seconds.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn stop_container(
        &self,
        id: &str,
        signal: Option<&str>,
        patience: Option<i64>,
    ) -> Result<(), Error> {
        let query = Query::default().opt("signal", signal).opt("t", patience);
        self.act(Method::POST, &path(id, "/stop"), &query).await.map(drop)
    }

    /// `POST /containers/{id}/restart`. `patience`: seconds.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn restart_container(
        &self,
        id: &str,
        signal: Option<&str>,
        patience: Option<i64>,
    ) -> Result<(), Error> {
        let query = Query::default().opt("signal", signal).opt("t", patience);
        self.act(Method::POST, &path(id, "/restart"), &query).await.map(drop)
    }

    /// `POST /containers/{id}/pause`.
    ///
    /// # Errors
    /// 409 when it does not run.
    pub async fn pause_container(&self, id: &str) -> Result<(), Error> {
        self.act(Method::POST, &path(id, "/pause"), &Query::default()).await.map(drop)
    }

    /// `POST /containers/{id}/unpause`.
    ///
    /// # Errors
    /// 500 when it is not paused.
    pub async fn unpause_container(&self, id: &str) -> Result<(), Error> {
        self.act(Method::POST, &path(id, "/unpause"), &Query::default()).await.map(drop)
    }

    /// `POST /containers/{id}/rename`.
    ///
    /// # Errors
    /// 409 when the name is taken.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<(), Error> {
        let query = Query::default().opt("name", Some(name));
        self.act(Method::POST, &path(id, "/rename"), &query).await.map(drop)
    }

    /// `POST /containers/{id}/update`: what is zero or empty stays as it was.
    ///
    /// # Errors
    /// 404 when there is no such container, 400 when a value makes no sense.
    pub async fn update_container(&self, id: &str, asked: &HostConfig) -> Result<UpdateResponse, Error> {
        self.post(&path(id, "/update"), &Query::default(), asked).await
    }

    /// `GET /containers/{id}/stats?stream=0`: one sample with one before it, which takes a second.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn container_stats(&self, id: &str) -> Result<Stats, Error> {
        self.get(&path(id, "/stats"), &Query::default().opt("stream", Some(0))).await
    }

    /// `GET /containers/{id}/stats`: a sample a second until the container is gone.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn watch_stats(&self, id: &str) -> Result<JsonLines<Stats>, Error> {
        let query = Query::default().opt("stream", Some(1)).onto(&path(id, "/stats"));
        Ok(self.send(Request::new(Method::GET, query)).await?.lines())
    }

    /// `POST /containers/prune`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn prune_containers(&self, filters: &Filters) -> Result<ContainersPruned, Error> {
        let query = Query::default().filters(filters).onto("/containers/prune");
        self.send(Request::new(Method::POST, query)).await?.json().await
    }

    /// `DELETE /containers/{id}?link=1`: a link of this name, never a container.
    ///
    /// # Errors
    /// Always, as long as there are no links.
    pub async fn remove_link(&self, id: &str) -> Result<(), Error> {
        let query = Query::default().flag("link", true);
        self.act(Method::DELETE, &path(id, ""), &query).await.map(drop)
    }

    /// `DELETE /containers/{id}`.
    ///
    /// # Errors
    /// 409 when it runs and `force` is not set.
    pub async fn remove_container(&self, id: &str, force: bool, volumes: bool) -> Result<(), Error> {
        let query = Query::default().flag("force", force).flag("v", volumes);
        self.act(Method::DELETE, &path(id, ""), &query).await.map(drop)
    }
}

fn path(id: &str, tail: &str) -> String {
    format!("/containers/{}{tail}", segment(id))
}
