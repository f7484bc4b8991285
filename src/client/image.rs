//! Images: one function per endpoint.

mod transfer;

pub use transfer::Import;

use super::connection::Request;
use super::query::{Filters, Query, segment};
use super::{Client, Error, JsonLines};
use crate::wire::{
    Credentials, HistoryItem, ImageDelete, ImagePrune, ImageSummary, JsonMessage, credentials, session,
};
use hyper::Method;
use serde_json::value::RawValue;
use std::path::PathBuf;

/// What to pull.
#[derive(Clone, Debug)]
pub struct Pull<'a> {
    /// Without tag or digest: `docker.io/library/alpine`.
    pub name: &'a str,
    /// Tag or digest; without either all tags.
    pub tag: Option<&'a str>,
    /// `linux/arm64`; the daemon's own when absent.
    pub platform: Option<&'a str>,
    /// `docker`, `builtin` or a URL; the daemon's choice when absent.
    pub hub: Option<&'a str>,
    /// Who asks, for the registry.
    pub credentials: &'a Credentials,
}

/// Who the user is to `registry` (`docker.io`, `host:port`): what `docker login` left in
/// `$DOCKER_CONFIG` or `~/.docker`. A helper program may take its time: on a thread of its own.
///
/// # Errors
/// When the file is malformed, or a helper fails.
pub async fn credentials(registry: &str) -> Result<Credentials, Error> {
    let Some(directory) = config_directory() else { return Ok(Credentials::Anonymous) };
    let asked = registry.to_owned();
    let found = tokio::task::spawn_blocking(move || Credentials::find(&directory, &asked)).await;
    let stopped = |reason: String| credentials::Error::Helper {
        program: "config.json".into(),
        registry: registry.to_owned(),
        reason,
    };
    Ok(found.map_err(|error| stopped(error.to_string()))??)
}

/// Where Docker's clients keep their configuration: `$DOCKER_CONFIG`, else `~/.docker`.
pub fn config_directory() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKER_CONFIG").filter(|directory| !directory.is_empty());
    named.map(PathBuf::from).or_else(|| std::env::home_dir().map(|home| home.join(".docker")))
}

impl Client {
    /// `POST /images/create`: progress, line by line. Dropping the stream cancels the pull.
    ///
    /// # Errors
    /// 404 when the registry has no such image.
    pub async fn pull_image(&self, pull: &Pull<'_>) -> Result<JsonLines<JsonMessage>, Error> {
        let query = Query::default()
            .opt("fromImage", Some(pull.name))
            .opt("tag", pull.tag)
            .opt("platform", pull.platform);
        let mut request = Request::new(Method::POST, query.onto("/images/create"))
            .header("x-registry-auth", &pull.credentials.to_header());
        if let Some(hub) = pull.hub {
            request = request.header(session::HUB_HEADER, hub);
        }
        Ok(self.send(request).await?.lines())
    }

    /// `GET /images/json`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn list_images(&self, all: bool, filters: &Filters) -> Result<Vec<ImageSummary>, Error> {
        self.get("/images/json", &Query::default().flag("all", all).filters(filters)).await
    }

    /// `GET /images/{name}/json`, as the daemon wrote it.
    ///
    /// # Errors
    /// 404 when there is no such image.
    pub async fn inspect_image_raw(&self, name: &str) -> Result<Box<RawValue>, Error> {
        self.get(&format!("/images/{}/json", segment(name)), &Query::default()).await
    }

    /// `DELETE /images/{name}`.
    ///
    /// # Errors
    /// 404 when there is no such image, 409 when a container uses it.
    pub async fn remove_image(
        &self,
        name: &str,
        force: bool,
        no_prune: bool,
    ) -> Result<Vec<ImageDelete>, Error> {
        let query = Query::default().flag("force", force).flag("noprune", no_prune);
        let request = Request::new(Method::DELETE, query.onto(&format!("/images/{}", segment(name))));
        self.send(request).await?.json().await
    }

    /// `POST /images/{name}/tag`: `repository` in full.
    ///
    /// # Errors
    /// 404 when there is no such image.
    pub async fn tag_image(&self, image: &str, repository: &str, tag: &str) -> Result<(), Error> {
        let query = Query::default().opt("repo", Some(repository)).opt("tag", Some(tag));
        self.act(Method::POST, &format!("/images/{}/tag", segment(image)), &query).await.map(drop)
    }

    /// `GET /images/{name}/history`, newest step first.
    ///
    /// # Errors
    /// 404 when there is no such image.
    pub async fn image_history(&self, name: &str) -> Result<Vec<HistoryItem>, Error> {
        self.get(&format!("/images/{}/history", segment(name)), &Query::default()).await
    }

    /// `POST /images/prune`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn prune_images(&self, filters: &Filters) -> Result<ImagePrune, Error> {
        let request = Request::new(Method::POST, Query::default().filters(filters).onto("/images/prune"));
        self.send(request).await?.json().await
    }
}
