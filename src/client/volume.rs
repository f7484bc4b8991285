//! Volumes: one function per endpoint.

use super::query::{Filters, Query, segment};
use super::{Client, Error};
use crate::wire::{Volume, VolumeList, VolumePrune, VolumeRequest};
use hyper::Method;
use serde_json::value::RawValue;

impl Client {
    /// `POST /volumes/create`.
    ///
    /// # Errors
    /// 400 for a name that is none, 404 for a driver nobody has.
    pub async fn create_volume(&self, request: &VolumeRequest) -> Result<Volume, Error> {
        self.post("/volumes/create", &Query::default(), request).await
    }

    /// `GET /volumes`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn list_volumes(&self, filters: &Filters) -> Result<VolumeList, Error> {
        self.get("/volumes", &Query::default().filters(filters)).await
    }

    /// `GET /volumes/{name}`, as the daemon wrote it.
    ///
    /// # Errors
    /// 404 when there is no such volume.
    pub async fn inspect_volume_raw(&self, name: &str) -> Result<Box<RawValue>, Error> {
        self.get(&format!("/volumes/{}", segment(name)), &Query::default()).await
    }

    /// `DELETE /volumes/{name}`.
    ///
    /// # Errors
    /// 409 when a container has it.
    pub async fn remove_volume(&self, name: &str, force: bool) -> Result<(), Error> {
        let query = Query::default().flag("force", force);
        self.act(Method::DELETE, &format!("/volumes/{}", segment(name)), &query).await.map(drop)
    }

    /// `POST /volumes/prune`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn prune_volumes(&self, filters: &Filters) -> Result<VolumePrune, Error> {
        self.post("/volumes/prune", &Query::default().filters(filters), &()).await
    }
}
