//! `docker network ls` and `inspect`.

use super::super::{Engine, Error};
use super::Table;
use crate::network::record::{MASQUERADE_OPTION, MTU_OPTION, NAME_OPTION};
use crate::network::{Driver, Network};
use crate::wire::{EndpointResource, Filters, Ipam, IpamConfig, NetworkResource};

/// What filters may name.
const FILTERS: [&str; 7] = ["dangling", "driver", "id", "label", "name", "scope", "type"];

impl Engine {
    /// All networks that pass.
    ///
    /// # Errors
    /// An unknown filter.
    pub async fn list_networks(&self, filters: &Filters) -> Result<Vec<NetworkResource>, Error> {
        if let Some(unknown) = filters.unknown(&FILTERS) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        if let Some(kind) = filters.get("type").iter().find(|kind| !matches!(&***kind, "builtin" | "custom"))
        {
            return Err(Error::Invalid(format!("invalid filter: 'type'='{kind}'")));
        }
        let table = self.networks.table.lock().await;
        let dangling =
            |network: &Network| !network.is_predefined() && table.endpoints(&network.id).next().is_none();
        let truth = |value: &str| matches!(value, "true" | "1");
        let passes = |network: &&Network| {
            filters.any("driver", |driver| network.driver.name() == driver)
                && filters.any("id", |id| network.id.starts_with(id))
                && filters.any("name", |name| network.name.contains(name))
                && filters.any("scope", |scope| scope == "local")
                && filters.any("type", |kind| (kind == "builtin") == network.is_predefined())
                && filters.any("dangling", |value| truth(value) == dangling(network))
                && filters.labels(&network.labels)
        };
        Ok(table.networks.values().filter(passes).map(|network| resource(network, None)).collect())
    }

    /// One network, with who is in it.
    ///
    /// # Errors
    /// No such network.
    pub async fn inspect_network(&self, wanted: &str) -> Result<NetworkResource, Error> {
        let table = self.networks.table.lock().await;
        let network = table.find(wanted)?;
        let mut shown = resource(network, Some(&table));
        for (id, container) in &mut shown.containers {
            if let Ok(known) = self.containers.find(id) {
                container.name = known.name();
            }
        }
        Ok(shown)
    }
}

fn resource(network: &Network, table: Option<&Table>) -> NetworkResource {
    let config = network.subnet.map(|subnet| IpamConfig {
        subnet: subnet.to_string(),
        ip_range: network.ip_range.map(|range| range.to_string()).unwrap_or_default(),
        gateway: network.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
        auxiliary_addresses: network
            .auxiliary
            .iter()
            .map(|(name, address)| (name.clone(), address.to_string()))
            .collect(),
    });
    let containers =
        table.into_iter().flat_map(|table| table.endpoints(&network.id)).map(|(id, _, endpoint)| {
            let shown = EndpointResource {
                name: String::new(),
                endpoint_id: endpoint.id.clone(),
                mac_address: endpoint.mac.clone(),
                ipv4_address: endpoint.address.to_string(),
                ipv6_address: String::new(),
            };
            (id.to_owned(), shown)
        });
    let mut options = network.options.clone();
    if network.is_predefined() && network.driver == Driver::Bridge {
        let known = [
            ("com.docker.network.bridge.default_bridge", "true"),
            ("com.docker.network.bridge.enable_icc", "true"),
            (MASQUERADE_OPTION, "true"),
            ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
            (NAME_OPTION, if network.bridge.is_empty() { "learn0" } else { &network.bridge }),
            (MTU_OPTION, "1500"),
        ];
        options.extend(known.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    NetworkResource {
        name: network.name.clone(),
        id: network.id.clone(),
        created: network.created.clone(),
        scope: "local".into(),
        driver: network.driver.name().into(),
        ipam: Ipam {
            driver: "default".into(),
            options: network.ipam_options.clone(),
            config: config.into_iter().collect(),
        },
        internal: network.internal,
        attachable: network.attachable,
        containers: containers.collect(),
        options,
        labels: network.labels.clone(),
        ..NetworkResource::default()
    }
}
