//! A container's place in its networks, as inspect and `docker ps` show it.

use super::{Record, summary};
use crate::network::{Endpoint, Published, ports};
use crate::wire::{EndpointSettings, NetworkSettings, Port, PortBinding};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// `NetworkSettings` of inspect.
pub fn settings(record: &Record) -> NetworkSettings {
    let pid = record.state.pid;
    let running = pid != 0;
    let first = record.network.endpoints.iter().find(|endpoint| endpoint.network == "bridge");
    let of_first = first.map(|endpoint| endpoint_settings(record, endpoint)).unwrap_or_default();
    NetworkSettings {
        sandbox_id: if running { sandbox_id(record) } else { String::new() },
        sandbox_key: if running { format!("/proc/{pid}/ns/net") } else { String::new() },
        ports: port_map(record),
        endpoint_id: of_first.endpoint_id,
        gateway: of_first.gateway,
        ip_address: of_first.ip_address,
        ip_prefix_len: of_first.ip_prefix_len,
        mac_address: of_first.mac_address,
        networks: networks(record),
        ..NetworkSettings::default()
    }
}

/// Network name → the container's place in it. One that does not run has a place by name only.
pub fn networks(record: &Record) -> BTreeMap<String, EndpointSettings> {
    let asked = &record.networking.endpoints_config;
    let named = |name: &String| if name == "default" { "bridge".to_owned() } else { name.clone() };
    let wished = |name: &str| {
        let settings = asked.iter().find(|(known, _)| named(known) == name);
        settings.and_then(|(_, settings)| settings.clone()).unwrap_or_default()
    };
    let first = summary::network(record);
    if first.starts_with("container:") {
        return BTreeMap::new();
    }
    let mut networks: BTreeMap<String, EndpointSettings> =
        asked.keys().map(named).map(|name| (name.clone(), wished(&name))).collect();
    networks.entry(first.clone()).or_insert_with(|| wished(&first));
    for endpoint in &record.network.endpoints {
        networks.insert(endpoint.network.clone(), endpoint_settings(record, endpoint));
    }
    networks
}

fn endpoint_settings(record: &Record, endpoint: &Endpoint) -> EndpointSettings {
    let asked = record.networking.endpoints_config.get(&endpoint.network).cloned().flatten();
    let asked = asked.unwrap_or_default();
    let names = endpoint.has_names.then(|| names(record, endpoint));
    EndpointSettings {
        ipam_config: asked.ipam_config,
        links: None,
        aliases: asked.aliases,
        mac_address: endpoint.mac.clone(),
        driver_opts: asked.driver_opts,
        network_id: endpoint.network_id.clone(),
        endpoint_id: endpoint.id.clone(),
        gateway: endpoint.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
        ip_address: endpoint.address.addr().to_string(),
        ip_prefix_len: i64::from(endpoint.address.prefix_len()),
        dns_names: names,
        ..EndpointSettings::default()
    }
}

/// What other containers of the network call this one.
pub fn names(record: &Record, endpoint: &Endpoint) -> Vec<String> {
    let mut names = vec![record.name.clone()];
    names.extend(endpoint.aliases.clone());
    names.push(record.short_id().to_owned());
    names.push(record.config.hostname.clone());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

/// Id of the network namespace; it lives as long as the program.
fn sandbox_id(record: &Record) -> String {
    let started = record.state.started_at.as_deref().unwrap_or_default();
    hex::encode(Sha256::digest(format!("sandbox of {} since {started}", record.id)))
}

/// `80/tcp` → addresses of the host; exposed ports that lead nowhere are there, too.
fn port_map(record: &Record) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let mut map: BTreeMap<String, Option<Vec<PortBinding>>> = BTreeMap::new();
    if record.network.endpoints.is_empty() {
        return map;
    }
    for (port, protocol) in ports::exposed(&record.config) {
        map.insert(format!("{port}/{protocol}"), None);
    }
    for Published { protocol, host, host_port, port } in &record.network.published {
        let binding = PortBinding { host_ip: host.clone(), host_port: host_port.to_string() };
        map.entry(format!("{port}/{protocol}")).or_default().get_or_insert_default().push(binding);
    }
    map
}

/// The `PORTS` of `docker ps`.
pub fn ports(record: &Record) -> Vec<Port> {
    if record.network.endpoints.is_empty() {
        return Vec::new();
    }
    let published = &record.network.published;
    let mut all: Vec<Port> = published
        .iter()
        .map(|one| Port {
            ip: one.host.clone(),
            private_port: one.port,
            public_port: Some(one.host_port),
            r#type: one.protocol.clone(),
        })
        .collect();
    let leads =
        |port: u16, protocol: &str| published.iter().any(|one| one.port == port && one.protocol == protocol);
    for (port, protocol) in ports::exposed(&record.config) {
        if !leads(port, &protocol) {
            all.push(Port { ip: String::new(), private_port: port, public_port: None, r#type: protocol });
        }
    }
    all.sort_by_key(|port| (port.private_port, port.public_port));
    all
}
