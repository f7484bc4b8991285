//! `docker network connect` and `disconnect`: for a container that runs at once, for another when
//! it starts.

use super::super::{Container, Engine, Error};
use crate::container::{Record, networking};
use crate::kernel::{Payload, TracedHost};
use crate::network::error::Error as NetworkError;
use crate::network::{Driver, Network};
use crate::op::{FsOp, NetworkOp, Op, WriteReason};
use crate::trace::Scope;
use crate::wire::EndpointSettings;
use std::sync::atomic::Ordering;

impl Engine {
    /// Connects a container to one more network.
    ///
    /// # Errors
    /// No such network or container; it is there already; the address is somebody's.
    pub async fn connect_network(
        &self,
        door: &TracedHost,
        network: &str,
        container: &str,
        settings: EndpointSettings,
    ) -> Result<(), Error> {
        let container = self.containers.find(container)?;
        let _turn = container.turn.lock().await;
        let network = self.networks.table.lock().await.find(network)?.clone();
        let record = container.snapshot();
        check_mixable(&network, &record)?;
        let there = |name: &String| *name == network.name || *name == network.id;
        let mode = super::attach::network_mode(&record);
        if there(&mode) || record.networking.endpoints_config.keys().any(there) {
            let error = NetworkError::Connected { container: record.name, network: network.name };
            return Err(error.into());
        }
        if record.state.is_running() {
            let about = container.short_id();
            let connected = door.within(Scope::NetworkConnect, about, |door| {
                self.connect_now(door, &container, &network, &settings)
            });
            connected.await?;
        } else {
            super::attach::check_settings(&network, &settings)?;
        }
        let record = {
            let mut record = container.record();
            record.networking.endpoints_config.insert(network.name.clone(), Some(settings));
            record.clone()
        };
        self.persist(door, &record).await?;
        self.events.network(&network, "connect", Some(&container.id));
        Ok(())
    }

    async fn connect_now(
        &self,
        door: TracedHost,
        container: &Container,
        network: &Network,
        settings: &EndpointSettings,
    ) -> Result<(), Error> {
        self.networks.changes.fetch_add(1, Ordering::Relaxed);
        let short = container.short_id();
        let record = container.snapshot();
        let (endpoint, mtu, first_way) = {
            let mut table = self.networks.table.lock().await;
            let network = self.raise_bridge(&door, &mut table, &network.id).await?;
            let known = record.network.endpoints.iter().map(|endpoint| endpoint.inside.clone());
            let known: Vec<String> = known.collect();
            let number = (0..).find(|number| !known.contains(&format!("eth{number}"))).unwrap_or_default();
            let endpoint = self.endpoint(&table, &network, settings, &record, number)?;
            let member = table.members.entry(record.id.clone()).or_default();
            let first_way = member.endpoints.iter().all(|endpoint| endpoint.gateway.is_none());
            member.endpoints.push(endpoint.clone());
            (endpoint, network.mtu(), first_way)
        };
        let mut done: Vec<Op> = Vec::new();
        let made = async {
            self.plug_in(&door, &short, &endpoint, mtu, &mut done).await?;
            if first_way {
                self.route_out(&door, &short, std::slice::from_ref(&endpoint)).await?;
            }
            self.apply_rules(&door).await
        };
        if let Err(error) = made.await {
            // What cannot be undone is in the trace; why it began is what the client hears.
            let _ = door.roll_back(done, &short).await;
            self.leave(container, &network.id).await;
            return Err(error);
        }
        self.remember(container).await;
        self.rewrite_names(&door, &container.snapshot()).await
    }

    /// Disconnects a container from a network.
    ///
    /// # Errors
    /// No such network or container; it is not in the network.
    pub async fn disconnect_network(
        &self,
        door: &TracedHost,
        network: &str,
        container: &str,
    ) -> Result<(), Error> {
        let container = self.containers.find(container)?;
        let _turn = container.turn.lock().await;
        let network = self.networks.table.lock().await.find(network)?.clone();
        let record = container.snapshot();
        check_mixable(&network, &record)?;
        let endpoint = record.network.endpoints.iter().find(|endpoint| endpoint.network_id == network.id);
        let there = |name: &str| name == network.name || name == network.id;
        let mode = super::attach::network_mode(&record);
        let asked = there(&mode) || record.networking.endpoints_config.keys().any(|name| there(name));
        if endpoint.is_none() && !asked {
            return Err(NetworkError::NotConnected { container: record.id, network: network.name }.into());
        }
        if let Some(endpoint) = endpoint.cloned() {
            let about = container.short_id();
            let disconnected = door.within(Scope::NetworkRelease, about.clone(), |door| async {
                let door = door;
                let remove = NetworkOp::RemoveLink { interface: endpoint.interface.clone(), sandbox: None };
                door.perform(remove).await?;
                self.leave(&container, &network.id).await;
                self.remember(&container).await;
                let left = container.snapshot();
                // The kernel dropped the way out with its interface.
                if endpoint.gateway.is_some() {
                    let _ = self.route_out(&door, &about, &left.network.endpoints).await;
                }
                self.apply_rules(&door).await?;
                self.rewrite_names(&door, &left).await
            });
            disconnected.await?;
        }
        let record = {
            let mut record = container.record();
            record.networking.endpoints_config.retain(|name, _| !there(name));
            if there(&mode) {
                let next = record.networking.endpoints_config.keys().next().cloned();
                record.host_config.network_mode = next.unwrap_or_else(|| "none".into());
            }
            record.clone()
        };
        self.persist(door, &record).await?;
        self.events.network(&network, "disconnect", Some(&container.id));
        self.tidy_later();
        Ok(())
    }

    async fn leave(&self, container: &Container, network: &str) {
        let mut table = self.networks.table.lock().await;
        if let Some(member) = table.members.get_mut(&container.id) {
            member.endpoints.retain(|endpoint| endpoint.network_id != network);
        }
    }

    /// The record learns what the table knows.
    pub(super) async fn remember(&self, container: &Container) {
        let attachment = self.networks.table.lock().await.attachment(&container.id);
        let mut record = container.record();
        record.network.endpoints = attachment.endpoints;
        record.network.published = attachment.published;
    }

    /// The files that tell of names, written anew in place: a running container sees them change.
    async fn rewrite_names(&self, door: &TracedHost, record: &Record) -> Result<(), Error> {
        let bundle = self.places.bundle(&record.id);
        let files = [
            ("hosts", networking::hosts(record, String::new)),
            ("resolv.conf", networking::resolv_conf(record, || super::super::launch::resolvers(door))),
        ];
        for (name, text) in files {
            let value = super::super::launch::preview(&text);
            let path = format!("{bundle}/{name}");
            let write = FsOp::WriteFile { path, value, why: WriteReason::Bundle };
            door.perform_with(write, Payload::Bytes(text.into())).await?;
        }
        self.serve_names(record).await
    }
}

/// The host's namespace, none, and another container's cannot be mixed with networks.
fn check_mixable(network: &Network, record: &Record) -> Result<(), NetworkError> {
    let mode = super::attach::network_mode(record);
    let refuse = |text: &str| Err(NetworkError::Forbidden(text.to_owned()));
    match network.driver {
        Driver::Host => {
            return refuse("container cannot be disconnected from host network or connected to host network");
        }
        Driver::Null => {
            return refuse(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode",
            );
        }
        Driver::Bridge => {}
    }
    match mode.as_str() {
        "host" => refuse("container cannot be disconnected from host network or connected to host network"),
        "none" if !record.network.endpoints.is_empty() || !record.state.is_running() => Ok(()),
        "none" => refuse(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode",
        ),
        mode if mode.starts_with("container:") => refuse(
            "container sharing network namespace with another container or host cannot be connected to any other network",
        ),
        _ => Ok(()),
    }
}
