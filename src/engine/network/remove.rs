//! `docker network rm` and `prune`.

use super::super::{Engine, Error};
use crate::kernel::TracedHost;
use crate::network::Network;
use crate::network::error::Error as NetworkError;
use crate::op::{FsOp, NetworkOp};
use crate::trace::Scope;
use crate::wire::{Filters, NetworksPruned};
use jiff::Timestamp;

/// What prune's filters may name.
const PRUNE_FILTERS: [&str; 3] = ["label", "label!", "until"];

impl Engine {
    /// Removes a network nobody is in.
    ///
    /// # Errors
    /// No such network; it is one every engine has; containers are in it.
    pub async fn remove_network(&self, door: &TracedHost, wanted: &str) -> Result<(), Error> {
        let mut table = self.networks.table.lock().await;
        let network = table.find(wanted)?.clone();
        if network.is_predefined() {
            return Err(NetworkError::Predefined(network.name).into());
        }
        if table.endpoints(&network.id).next().is_some() {
            return Err(NetworkError::InUse { name: network.name, id: network.id }.into());
        }
        let removing = network.clone();
        let removed: Result<(), Error> = door
            .within(Scope::NetworkRemove, network.name.clone(), |door| async move {
                let Network { bridge, id, .. } = removing;
                door.perform(NetworkOp::RemoveBridge { name: bridge, owner: self.network_owner() }).await?;
                door.perform(FsOp::RemoveFile { path: self.places.network(&id) }).await?;
                Ok(())
            })
            .await;
        removed?;
        table.networks.remove(&network.id);
        table.up.remove(&network.id);
        drop(table);
        self.events.network(&network, "destroy", None);
        Ok(())
    }

    /// Removes all networks nobody is in.
    ///
    /// # Errors
    /// An unknown filter; the first network that cannot be removed.
    pub async fn prune_networks(
        &self,
        door: &TracedHost,
        filters: &Filters,
    ) -> Result<NetworksPruned, Error> {
        if let Some(unknown) = filters.unknown(&PRUNE_FILTERS) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let until = filters.get("until").first().map(|text| self.until(text)).transpose()?;
        let chosen: Vec<String> = {
            let table = self.networks.table.lock().await;
            let goes = |network: &&Network| {
                let old = until.is_none_or(|until| {
                    network.created.parse::<Timestamp>().is_ok_and(|created| created < until)
                });
                !network.is_predefined()
                    && old
                    && filters.labels(&network.labels)
                    && table.endpoints(&network.id).next().is_none()
            };
            table.networks.values().filter(goes).map(|network| network.name.clone()).collect()
        };
        let mut deleted = Vec::new();
        for name in chosen {
            match self.remove_network(door, &name).await {
                Ok(()) => deleted.push(name),
                // Somebody came, or was quicker.
                Err(Error::Network(NetworkError::InUse { .. }) | Error::NoSuchNetwork(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(NetworksPruned { networks_deleted: Some(deleted).filter(|deleted| !deleted.is_empty()) })
    }

    /// `10m`, a date, or seconds since the epoch.
    fn until(&self, text: &str) -> Result<Timestamp, Error> {
        if let Ok(time) = text.parse() {
            return Ok(time);
        }
        if let Some(time) = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            return Ok(time);
        }
        let span = text.parse::<jiff::SignedDuration>();
        let before = span.ok().and_then(|span| self.source.now().checked_sub(span).ok());
        before.ok_or_else(|| Error::Invalid(format!("invalid value for \"until\": {text:?}")))
    }
}
