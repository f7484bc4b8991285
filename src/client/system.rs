//! The engine about itself: one function per endpoint.

use super::connection::Request;
use super::query::{Filters, Query};
use super::{Client, Error, JsonLines};
use crate::wire::{DiskUsage, EventMessage, Info, StoreReport, Version};
use hyper::Method;
use serde_json::Value;

impl Client {
    /// `GET /version`.
    ///
    /// # Errors
    /// When no daemon answers.
    pub async fn server_version(&self) -> Result<Version, Error> {
        self.get("/version", &Query::default()).await
    }

    /// `GET /info`.
    ///
    /// # Errors
    /// When no daemon answers.
    pub async fn info(&self) -> Result<Info, Error> {
        self.get("/info", &Query::default()).await
    }

    /// `GET /system/df`.
    ///
    /// # Errors
    /// When no daemon answers.
    pub async fn disk_usage(&self) -> Result<DiskUsage, Error> {
        self.get("/system/df", &Query::default()).await
    }

    /// `POST /learn/store/check`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn check_store(&self, repair: bool) -> Result<StoreReport, Error> {
        let path = Query::default().flag("repair", repair).onto("/learn/store/check");
        self.send(Request::new(Method::POST, path)).await?.json().await
    }

    /// `POST /{what}/prune` as the daemon answered it, for every kind of thing that can be pruned.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn prune_any(&self, what: &str, all: bool, filters: &Filters) -> Result<Value, Error> {
        let query = Query::default().flag("all", all).filters(filters);
        self.send(Request::new(Method::POST, query.onto(&format!("/{what}/prune")))).await?.json().await
    }

    /// `GET /events`: what happened since `since` and happens until `until` (seconds since the
    /// epoch).
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn events(
        &self,
        since: Option<&str>,
        until: Option<&str>,
        filters: &Filters,
    ) -> Result<JsonLines<EventMessage>, Error> {
        let query = Query::default().opt("since", since).opt("until", until).filters(filters);
        Ok(self.send(Request::new(Method::GET, query.onto("/events"))).await?.lines())
    }
}
