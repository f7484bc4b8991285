//! A container's files: archives both ways, changes, export, commit.

use super::connection::{Request, Response, Sender};
use super::query::{Query, segment};
use super::{Client, Error};
use crate::wire::{Change, IdResponse, PathStat};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use std::io;

/// What is at a path, as a header.
const PATH_STAT: &str = "x-docker-container-path-stat";

/// An answer's body, bit by bit.
pub struct Download {
    asked: String,
    body: Incoming,
    // hyper closes the connection when its sender goes.
    _sender: Sender,
}

impl Download {
    fn new(asked: String, response: Response) -> Download {
        let (body, sender) = response.into_raw();
        Download { asked, body, _sender: sender }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    // Trailers mean nothing here.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    return Err(Error::Body { asked: self.asked.clone(), reason: error.to_string() });
                }
                None => return Ok(None),
            }
        }
    }
}

/// How an archive is written.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    /// Directory inside.
    pub directory: String,
    /// A directory stays one, and what is none does not become one.
    pub keep_sorts: bool,
    /// Everything is to belong to the container's user.
    pub as_user: bool,
}

/// What to make of a container.
#[derive(Clone, Debug)]
pub struct Commit<'a> {
    /// Which container.
    pub container: &'a str,
    /// `docker.io/library/x`.
    pub repository: Option<String>,
    /// Of the new image.
    pub tag: Option<String>,
    /// Who.
    pub author: Option<&'a str>,
    /// Why.
    pub comment: Option<&'a str>,
    /// Instructions.
    pub changes: &'a [String],
    /// Freeze it meanwhile.
    pub pause: bool,
}

impl Client {
    /// `HEAD /containers/{id}/archive`.
    ///
    /// # Errors
    /// 404 when there is no such file or container.
    pub async fn stat_path(&self, id: &str, at: &str) -> Result<PathStat, Error> {
        let query = Query::default().opt("path", Some(at));
        let response = self.send(Request::new(Method::HEAD, query.onto(&path(id, "/archive")))).await?;
        let stat = described(&response);
        response.finish().await?;
        Ok(stat)
    }

    /// `GET /containers/{id}/archive`.
    ///
    /// # Errors
    /// 404 when there is no such file or container.
    pub async fn read_archive(&self, id: &str, at: &str) -> Result<(PathStat, Download), Error> {
        let asked = Query::default().opt("path", Some(at)).onto(&path(id, "/archive"));
        let response = self.send(Request::new(Method::GET, asked.clone())).await?;
        Ok((described(&response), Download::new(format!("GET {asked}"), response)))
    }

    /// `PUT /containers/{id}/archive`.
    ///
    /// # Errors
    /// 404 when there is no such directory or container; 500 with Docker's words.
    pub async fn write_archive(
        &self,
        id: &str,
        upload: &Upload,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<(), Error> {
        let query = Query::default()
            .opt("path", Some(&upload.directory))
            .opt("noOverwriteDirNonDir", upload.keep_sorts.then_some("true"))
            .opt("copyUIDGID", upload.as_user.then_some("true"));
        let request = Request::new(Method::PUT, query.onto(&path(id, "/archive"))).stream(bytes);
        self.send(request).await?.finish().await
    }

    /// `GET /containers/{id}/changes`.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn container_changes(&self, id: &str) -> Result<Vec<Change>, Error> {
        let changes: Option<Vec<Change>> = self.get(&path(id, "/changes"), &Query::default()).await?;
        Ok(changes.unwrap_or_default())
    }

    /// `GET /containers/{id}/export`.
    ///
    /// # Errors
    /// 404 when there is no such container.
    pub async fn export_container(&self, id: &str) -> Result<Download, Error> {
        let asked = path(id, "/export");
        let response = self.send(Request::new(Method::GET, asked.clone())).await?;
        Ok(Download::new(format!("GET {asked}"), response))
    }

    /// `POST /commit`: the new image's id.
    ///
    /// # Errors
    /// 404 when there is no such container, 400 for a change that is none.
    pub async fn commit_container(&self, commit: &Commit<'_>) -> Result<String, Error> {
        let query = Query::default()
            .opt("container", Some(commit.container))
            .opt("repo", commit.repository.as_ref())
            .opt("tag", commit.tag.as_ref())
            .opt("author", commit.author)
            .opt("comment", commit.comment)
            .opt("pause", (!commit.pause).then_some("0"))
            .all("changes", commit.changes);
        let made: IdResponse =
            self.send(Request::new(Method::POST, query.onto("/commit"))).await?.json().await?;
        Ok(made.id)
    }
}

fn described(response: &Response) -> PathStat {
    let header = response.headers().get(PATH_STAT);
    let bytes = header.and_then(|header| STANDARD.decode(header.as_bytes()).ok()).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn path(id: &str, tail: &str) -> String {
    format!("/containers/{}{tail}", segment(id))
}
