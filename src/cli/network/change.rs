//! `learn network create`, `rm`, `connect`, `disconnect` and `prune`.

use super::args::{Connect, Create, Disconnect, Prune, Remove};
use crate::cli::{Context, Failure, filter, output};
use crate::wire::{EndpointSettings, Ipam, IpamConfig, NetworkConnect, NetworkCreate, NetworkDisconnect};
use std::collections::BTreeMap;
use std::io::Write;

/// Docker's question before `prune`.
const QUESTION: &str = "WARNING! This will remove all custom networks not used by at least one container.\n\
                        Are you sure you want to continue? [y/N] ";

/// Makes a network and prints its id.
pub async fn create(context: &Context, create: Create) -> Result<(), Failure> {
    let request = NetworkCreate {
        name: create.network.clone(),
        driver: create.driver.clone(),
        enable_ipv6: create.ipv6,
        internal: create.internal,
        attachable: create.attachable,
        options: pairs(&create.opt),
        labels: pairs(&create.label),
        ipam: Ipam { driver: "default".into(), options: Some(BTreeMap::new()), config: subnets(&create) },
        ..NetworkCreate::default()
    };
    let created = context.client.create_network(&request).await?;
    output::line(&created.id)
}

/// Range, gateway and other addresses belong to the subnet at the same place.
fn subnets(create: &Create) -> Vec<IpamConfig> {
    let count = create.subnet.len().max(create.gateway.len()).max(create.ip_range.len());
    let at = |list: &[String], place: usize| list.get(place).cloned().unwrap_or_default();
    let one = |place: usize| IpamConfig {
        subnet: at(&create.subnet, place),
        gateway: at(&create.gateway, place),
        ip_range: at(&create.ip_range, place),
        auxiliary_addresses: if place == 0 { pairs(&create.aux_address) } else { BTreeMap::new() },
    };
    (0..count).map(one).collect()
}

/// `NAME=VALUE`; a name alone has an empty value.
fn pairs(given: &[String]) -> BTreeMap<String, String> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    given.iter().map(pair).collect()
}

/// Removes networks and prints their names.
pub async fn remove(context: &Context, remove: Remove) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for name in &remove.networks {
        match context.client.remove_network(name).await {
            Ok(()) => output::line(name)?,
            Err(error) if remove.force && error.status().is_some_and(|status| status == 404) => {}
            Err(error) => failures.push(error.into()),
        }
    }
    Failure::all(failures)
}

/// Connects a container.
pub async fn connect(context: &Context, connect: Connect) -> Result<(), Failure> {
    let ipam_config = connect.ip.map(|address| serde_json::json!({ "IPv4Address": address }));
    let aliases = Some(connect.alias).filter(|aliases| !aliases.is_empty());
    let request = NetworkConnect {
        container: connect.container,
        endpoint_config: EndpointSettings { ipam_config, aliases, ..EndpointSettings::default() },
    };
    Ok(context.client.connect_network(&connect.network, &request).await?)
}

/// Disconnects a container.
pub async fn disconnect(context: &Context, disconnect: Disconnect) -> Result<(), Failure> {
    let request = NetworkDisconnect { container: disconnect.container, force: disconnect.force };
    Ok(context.client.disconnect_network(&disconnect.network, &request).await?)
}

/// Removes the networks nobody uses, when that was meant.
pub async fn prune(context: &Context, prune: Prune) -> Result<(), Failure> {
    let filters = filter::collect(&prune.filter)?;
    if !prune.force && !agreed()? {
        return Err(Failure::Arguments("operation canceled: network prune has been canceled".into()));
    }
    let pruned = context.client.prune_networks(&filters).await?;
    match pruned.networks_deleted {
        Some(names) if !names.is_empty() => {
            output::line("Deleted Networks:")?;
            names.iter().try_for_each(|name| output::line(name))?;
            output::line("")
        }
        _ => Ok(()),
    }
}

fn agreed() -> Result<bool, Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(QUESTION.as_bytes())?;
    stdout.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
