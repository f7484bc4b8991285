//! `docker network create`.

use super::super::{Engine, Error};
use super::Table;
use crate::kernel::TracedHost;
use crate::network::error::Error as NetworkError;
use crate::network::record::{MASQUERADE_OPTION, MTU_OPTION, NAME_OPTION};
use crate::network::{Driver, Network, pool};
use crate::op::{FsOp, Op};
use crate::trace::Scope;
use crate::wire::{IpamConfig, NetworkCreate, NetworkCreated};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

/// Longest name of an interface: netdevice(7), IFNAMSIZ with its end.
const INTERFACE_NAME: usize = 15;

/// Says what every bridge does anyhow.
const CONTAINERS_TALK_OPTION: &str = "com.docker.network.bridge.enable_icc";

impl Engine {
    /// Makes a network of a user's own, with its bridge.
    ///
    /// # Errors
    /// The name is taken; the subnet is somebody's; an option that is not done here.
    pub async fn create_network(
        &self,
        door: &TracedHost,
        request: NetworkCreate,
    ) -> Result<NetworkCreated, Error> {
        check(&request)?;
        if self.machine.unprivileged() {
            return Err(
                NetworkError::Unsupported("a network by a daemon without root privileges".into()).into()
            );
        }
        self.networks.changes.fetch_add(1, Ordering::Relaxed);
        let name = request.name.clone();
        let created = door.within(Scope::NetworkCreate, name, |door| async move {
            let mut table = self.networks.table.lock().await;
            if table.networks.values().any(|network| network.name == request.name) {
                return Err(NetworkError::Exists(request.name).into());
            }
            // Two engines must not choose the same at the same time.
            let _lock = self.lock_machine().await?;
            let network = self.design(&door, &table, request)?;
            let record = FsOp::RemoveFile { path: self.places.network(&network.id) };
            self.persist_network(&door, &network).await?;
            if let Err(error) = self.make_bridge(&door, &network).await {
                // Without its bridge there is no network.
                let _ = door.perform(Op::from(record)).await;
                return Err(error);
            }
            table.up.insert(network.id.clone());
            table.networks.insert(network.id.clone(), network.clone());
            Ok(network)
        });
        let network = created.await?;
        self.events.network(&network, "create", None);
        Ok(NetworkCreated { id: network.id, warning: String::new() })
    }

    /// A network with everything decided.
    fn design(&self, door: &TracedHost, table: &Table, request: NetworkCreate) -> Result<Network, Error> {
        let asked = request.ipam.config.first().cloned().unwrap_or_default();
        let own: Option<Ipv4Net> = parsed("subnet", &asked.subnet)?;
        let subnet = match own {
            Some(subnet) => {
                let subnet = subnet.trunc();
                if table.subnets().iter().any(|known| pool::overlap(known, &subnet)) {
                    return Err(NetworkError::Overlap.into());
                }
                subnet
            }
            None => {
                let mut taken = table.subnets();
                taken.extend(self.routes(door));
                // The first is the default network's, also while nobody is in it.
                taken.extend(pool::free_subnet(&[]));
                pool::free_subnet(&taken).ok_or(NetworkError::NoSubnet)?
            }
        };
        let ip_range = parsed::<Ipv4Net>("ip-range", &asked.ip_range)?.map(|range| range.trunc());
        let gateway = parsed::<Ipv4Addr>("gateway", &asked.gateway)?;
        let mut auxiliary = std::collections::BTreeMap::new();
        for (name, address) in &asked.auxiliary_addresses {
            auxiliary
                .extend(parsed::<Ipv4Addr>("aux-address", address)?.map(|address| (name.clone(), address)));
        }
        let inside = |what: &str, address: &Ipv4Addr| match subnet.contains(address) {
            true => Ok(()),
            false => Err(NetworkError::Invalid(format!(
                "invalid {what} {address}: parent subnet is an invalid: {subnet}"
            ))),
        };
        gateway.iter().try_for_each(|gateway| inside("gateway", gateway))?;
        auxiliary.values().try_for_each(|address| inside("auxiliary address", address))?;
        ip_range.iter().try_for_each(|range| inside("ip-range", &range.network()))?;
        let id = hex::encode(self.source.random());
        let bridge = request.options.get(NAME_OPTION).cloned().unwrap_or_else(|| format!("br-{}", &id[..12]));
        Ok(Network {
            bridge,
            name: request.name,
            created: self.stamp(),
            driver: Driver::Bridge,
            subnet: Some(subnet),
            own_subnet: own.is_some(),
            gateway: gateway
                .or_else(|| pool::free_address(&subnet, &ip_range.unwrap_or(subnet), &Default::default())),
            ip_range,
            auxiliary,
            internal: request.internal,
            attachable: request.attachable,
            labels: request.labels,
            options: request.options,
            ipam_options: request.ipam.options,
            id,
        })
    }
}

/// Refuses what is not a network, or not one of this engine's, by name.
fn check(request: &NetworkCreate) -> Result<(), NetworkError> {
    let NetworkCreate { name, driver, options, ipam, .. } = request;
    if name.is_empty() {
        return Err(NetworkError::Invalid("network name cannot be empty".into()));
    }
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !name.chars().all(good) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let rule = "only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed";
        return Err(NetworkError::Invalid(format!("invalid network name: {name}: {rule}")));
    }
    if matches!(name.as_str(), "bridge" | "host" | "none" | "default") {
        return Err(NetworkError::PredefinedName(name.clone()));
    }
    match driver.as_str() {
        "" | "bridge" | "default" => {}
        "host" | "null" => {
            let text = format!("only one instance of {driver:?} network is allowed");
            return Err(NetworkError::Forbidden(text));
        }
        "overlay" | "macvlan" | "ipvlan" => {
            return Err(NetworkError::Unsupported(format!("--driver {driver}")));
        }
        other => return Err(NetworkError::Driver(other.to_owned())),
    }
    if !matches!(ipam.driver.as_str(), "" | "default") {
        return Err(NetworkError::Driver(ipam.driver.clone()));
    }
    let asked = [
        (request.enable_ipv6, "--ipv6"),
        (request.ingress, "--ingress"),
        (request.config_only, "--config-only"),
        (!matches!(request.scope.as_str(), "" | "local"), "--scope"),
        (ipam.config.len() > 1, "more than one --subnet"),
        (ipam.options.as_ref().is_some_and(|options| !options.is_empty()), "--ipam-opt"),
    ];
    if let Some((_, flag)) = asked.iter().find(|(asked, _)| *asked) {
        return Err(NetworkError::Unsupported((*flag).to_owned()));
    }
    let without_subnet = |config: &IpamConfig| config.subnet.is_empty() && *config != IpamConfig::default();
    if ipam.config.iter().any(without_subnet) {
        return Err(NetworkError::Invalid(
            "every ip-range or gateway must have a corresponding subnet".into(),
        ));
    }
    for (key, value) in options {
        match key.as_str() {
            NAME_OPTION if value.is_empty() || value.len() > INTERFACE_NAME || value.contains(['/', ' ']) => {
                return Err(NetworkError::Invalid(format!("invalid name of an interface: {value:?}")));
            }
            MTU_OPTION if value.parse::<u32>().is_err() => {
                return Err(NetworkError::Invalid(format!("invalid value for {key}: {value:?}")));
            }
            CONTAINERS_TALK_OPTION if value == "true" => {}
            NAME_OPTION | MTU_OPTION | MASQUERADE_OPTION => {}
            _ => return Err(NetworkError::Unsupported(format!("--opt {key}"))),
        }
    }
    Ok(())
}

/// A text of the request's, if there is one.
fn parsed<T: std::str::FromStr>(what: &str, text: &str) -> Result<Option<T>, NetworkError> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains("::") {
        return Err(NetworkError::Unsupported(format!("--{what} of IPv6")));
    }
    text.parse().map(Some).map_err(|_| NetworkError::Invalid(format!("invalid {what} {text:?}")))
}
