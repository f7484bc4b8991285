//! Networks: one function per endpoint.

use super::connection::Request;
use super::query::{Filters, Query, segment};
use super::{Client, Error};
use crate::wire::{
    NetworkConnect, NetworkCreate, NetworkCreated, NetworkDisconnect, NetworkResource, NetworksPruned,
};
use hyper::Method;
use serde_json::value::RawValue;

impl Client {
    /// `GET /networks`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn list_networks(&self, filters: &Filters) -> Result<Vec<NetworkResource>, Error> {
        self.get("/networks", &Query::default().filters(filters)).await
    }

    /// `GET /networks/{id}`, as the daemon wrote it.
    ///
    /// # Errors
    /// 404 when there is no such network.
    pub async fn inspect_network_raw(&self, name: &str) -> Result<Box<RawValue>, Error> {
        self.get(&format!("/networks/{}", segment(name)), &Query::default()).await
    }

    /// `POST /networks/create`.
    ///
    /// # Errors
    /// 409 when the name is taken, 403 when the subnet is.
    pub async fn create_network(&self, request: &NetworkCreate) -> Result<NetworkCreated, Error> {
        self.send(Request::new(Method::POST, "/networks/create".to_owned()).json(request)?)
            .await?
            .json()
            .await
    }

    /// `DELETE /networks/{id}`.
    ///
    /// # Errors
    /// 403 when containers are in it.
    pub async fn remove_network(&self, name: &str) -> Result<(), Error> {
        let path = format!("/networks/{}", segment(name));
        self.send(Request::new(Method::DELETE, path)).await.map(drop)
    }

    /// `POST /networks/{id}/connect`.
    ///
    /// # Errors
    /// 403 when the container is there already.
    pub async fn connect_network(&self, name: &str, request: &NetworkConnect) -> Result<(), Error> {
        let path = format!("/networks/{}/connect", segment(name));
        self.send(Request::new(Method::POST, path).json(request)?).await.map(drop)
    }

    /// `POST /networks/{id}/disconnect`.
    ///
    /// # Errors
    /// When the container is not there.
    pub async fn disconnect_network(&self, name: &str, request: &NetworkDisconnect) -> Result<(), Error> {
        let path = format!("/networks/{}/disconnect", segment(name));
        self.send(Request::new(Method::POST, path).json(request)?).await.map(drop)
    }

    /// `POST /networks/prune`.
    ///
    /// # Errors
    /// When a filter is unknown.
    pub async fn prune_networks(&self, filters: &Filters) -> Result<NetworksPruned, Error> {
        let path = Query::default().filters(filters).onto("/networks/prune");
        self.send(Request::new(Method::POST, path)).await?.json().await
    }
}
