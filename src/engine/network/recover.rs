//! After a restart of the daemon: networks on disk, containers that kept running, and what a
//! killed daemon left standing.

use super::super::{Container, Engine, Error};
use super::Member;
use crate::kernel::TracedHost;
use crate::network::Network;
use crate::op::{FsOp, NetworkOp};

impl Engine {
    /// Reads the networks' records.
    ///
    /// # Errors
    /// A malformed record, named with file and line.
    pub(in crate::engine) async fn recover_networks(&self, door: &TracedHost) -> Result<(), Error> {
        let directory = self.places.networks();
        let mut table = self.networks.table.lock().await;
        for file in self.host.list(&directory).unwrap_or_default() {
            // What a killed daemon had not moved into place yet.
            if !file.ends_with(".json") {
                door.perform(FsOp::RemoveFile { path: format!("{directory}/{file}") }).await?;
                continue;
            }
            let path = format!("{directory}/{file}");
            let read = |reason: String, path: String| Error::Read { path, reason };
            let bytes = self.host.read(&path).map_err(|error| read(error.to_string(), path.clone()))?;
            let network: Network = serde_json::from_slice(&bytes).map_err(|error| {
                let place = format!("{path}:{}:{}", error.line(), error.column());
                read(format!("expected a network's record: {error}"), place)
            })?;
            table.networks.insert(network.id.clone(), network);
        }
        Ok(())
    }

    /// Takes a container that kept running back into the table.
    pub(in crate::engine) async fn adopt_networks(&self, door: &TracedHost, container: &Container) {
        let record = container.snapshot();
        if record.network.endpoints.is_empty() || !record.state.is_running() {
            return;
        }
        let open = NetworkOp::OpenSandbox { sandbox: container.short_id(), pid: record.state.pid };
        // It may end at this moment; whoever attends it sees that.
        let _ = door.perform(open).await;
        let mut table = self.networks.table.lock().await;
        for endpoint in &record.network.endpoints {
            table.up.insert(endpoint.network_id.clone());
        }
        let member = Member {
            endpoints: record.network.endpoints.clone(),
            published: record.network.published.clone(),
            ..Member::default()
        };
        table.members.insert(record.id.clone(), member);
        drop(table);
        // Without it the container lives on, and finds nobody by name.
        let _ = self.serve_names(&record).await;
    }

    /// Makes the machine follow the table, once all containers are found: rules of the living, and
    /// nothing of the dead.
    pub(in crate::engine) async fn settle_networks(&self, door: &TracedHost) -> Result<(), Error> {
        if self.machine.unprivileged() {
            return Ok(());
        }
        let table = self.networks.table.lock().await;
        let default = table.networks.values().find(|network| network.name == "bridge").cloned();
        let (name, living) = (table.rules_table(), !table.members.is_empty());
        let left = default.filter(|network| !network.bridge.is_empty() && !table.up.contains(&network.id));
        drop(table);
        if living {
            self.apply_rules(door).await?;
        }
        if let Some(network) = left {
            if !living {
                // Without nft there were never any.
                let _ = door.perform(NetworkOp::RemoveRules { table: name }).await;
            }
            let remove =
                NetworkOp::RemoveBridge { name: network.bridge.clone(), owner: self.network_owner() };
            // A bridge that is not ours any more stays.
            let _ = door.perform(remove).await;
        }
        Ok(())
    }
}
