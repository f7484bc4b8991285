//! What a container asks of networks, checked; and the two files that tell its programs of names:
//! hosts(5) and resolv.conf(5).

use super::{Error, Record};
use crate::kernel::Machine;
use crate::network::ports;
use crate::wire::{Config, CreateRequest, HostConfig, NetworkingConfig};
use std::net::IpAddr;

/// The resolver of containers in networks of a user's own; it knows the other containers' names.
pub const RESOLVER: &str = "127.0.0.11";

/// Docker's resolvers for machines that have none a container could reach.
const PUBLIC_RESOLVERS: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// `--add-host name:host-gateway`: the machine itself, as seen from the container.
const HOST_GATEWAY: &str = "host-gateway";

/// Refuses what contradicts itself, in Docker's words.
///
/// # Errors
/// The first contradiction; a port that cannot be read.
pub fn check(config: &Config, host: &HostConfig, networking: &NetworkingConfig) -> Result<(), Error> {
    let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
    let wanted = ports::wanted(config, host).map_err(|error| match error {
        ports::Error::Port(_) => Error::Invalid(error.to_string()),
        ports::Error::Protocol(protocol) => {
            Error::Unsupported(format!("publishing a port of {protocol} (--publish)"))
        }
    })?;
    let mode = host.network_mode.as_str();
    if mode.starts_with("container:") {
        let contradictions = [
            (!config.hostname.is_empty(), "conflicting options: hostname and the network mode"),
            (!host.dns.is_empty(), "conflicting options: dns and the network mode"),
            (
                host.extra_hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()),
                "conflicting options: custom host-to-IP mapping and the network mode",
            ),
            (
                config.mac_address.as_ref().is_some_and(|mac| !mac.is_empty()),
                "conflicting options: mac-address and the network mode",
            ),
            (!wanted.is_empty(), "conflicting options: port publishing and the container type network mode"),
            (
                !config.exposed_ports.is_empty() && host.publish_all_ports,
                "conflicting options: port exposing and the container type network mode",
            ),
        ];
        if let Some((_, text)) = contradictions.iter().find(|(asked, _)| *asked) {
            return invalid(text);
        }
    }
    for entry in host.extra_hosts.iter().flatten() {
        let address = entry.split_once([':', '=']).map(|(_, address)| bare(address));
        if !address.is_some_and(|address| address == HOST_GATEWAY || address.parse::<IpAddr>().is_ok()) {
            return invalid(&format!("bad format for add-host: {entry:?}"));
        }
    }
    for settings in networking.endpoints_config.values().flatten() {
        if settings.links.as_ref().is_some_and(|links| !links.is_empty()) {
            return Err(Error::Unsupported("--link".into()));
        }
        let asked = settings.ipam_config.as_ref();
        let v6 = asked.and_then(|config| config.get("IPv6Address")?.as_str()).unwrap_or_default();
        if !v6.is_empty() {
            return Err(Error::Unsupported("--ip6".into()));
        }
    }
    Ok(())
}

/// Without privilege there is no bridge, so no port can lead into a container.
///
/// # Errors
/// [`Error::Unsupported`].
pub fn check_privilege(request: &CreateRequest, machine: &Machine) -> Result<(), Error> {
    let wanted = ports::wanted(&request.config, &request.host_config).unwrap_or_default();
    let shared = matches!(request.host_config.network_mode.as_str(), "host" | "none");
    if machine.unprivileged() && !wanted.is_empty() && !shared {
        return Err(Error::Unsupported("--publish by a daemon without root privileges".into()));
    }
    Ok(())
}

/// IPv6 addresses may stand in brackets.
fn bare(address: &str) -> &str {
    address.trim_start_matches('[').trim_end_matches(']')
}

/// hosts(5): loopback, what was asked for, the container itself. With the host's network the
/// host's own file comes first.
pub fn hosts(record: &Record, of_host: impl Fn() -> String) -> String {
    let host = &record.host_config;
    let mut text = if host.network_mode == "host" {
        of_host()
    } else {
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
            .to_owned()
    };
    let gateway = record.network.endpoints.iter().find_map(|endpoint| endpoint.gateway);
    for entry in host.extra_hosts.iter().flatten() {
        let Some((name, address)) = entry.split_once([':', '=']) else { continue };
        let address = match (bare(address), gateway) {
            (HOST_GATEWAY, Some(gateway)) => gateway.to_string(),
            // The machine is the container's own loopback, or out of its reach.
            (HOST_GATEWAY, None) => "127.0.0.1".to_owned(),
            (address, _) => address.to_owned(),
        };
        text.push_str(&format!("{address}\t{name}\n"));
    }
    let Config { hostname, domainname, .. } = &record.config;
    for endpoint in &record.network.endpoints {
        let names = match domainname.as_str() {
            "" => hostname.clone(),
            domain => format!("{hostname}.{domain} {hostname}"),
        };
        text.push_str(&format!("{}\t{names}\n", endpoint.address.addr()));
    }
    text
}

/// resolv.conf(5): what was asked for over what the host has. A resolver on the host's loopback is
/// out of reach from another network namespace, so it is left out there; in a network of a user's
/// own the engine's resolver stands before all others.
pub fn resolv_conf(record: &Record, of_host: impl Fn() -> String) -> String {
    let config = &record.host_config;
    let shared = config.network_mode == "host";
    let named = record.network.endpoints.iter().any(|endpoint| endpoint.has_names);
    let inherited = of_host();
    let mut text = String::new();
    let mut resolvers = 0;
    for line in inherited.lines() {
        let mut words = line.split_whitespace();
        let (key, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let replaced = match key {
            "nameserver" => named || !config.dns.is_empty() || (!shared && is_loopback(value)),
            "search" | "domain" => !config.dns_search.is_empty(),
            "options" => !config.dns_options.is_empty(),
            _ => true,
        };
        if !replaced {
            resolvers += usize::from(key == "nameserver");
            text.push_str(line);
            text.push('\n');
        }
    }
    let asked: Vec<&str> = config.dns.iter().map(String::as_str).collect();
    let added: &[&str] = match (named, asked.is_empty()) {
        (true, _) => &[RESOLVER],
        (false, false) => &asked,
        // Where nothing outside is reached nobody needs them.
        (false, true) if resolvers == 0 && !record.network.endpoints.is_empty() => &PUBLIC_RESOLVERS,
        (false, true) => &[],
    };
    for server in added {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if config.dns_search.iter().any(|domain| domain != ".") {
        text.push_str(&format!("search {}\n", config.dns_search.join(" ")));
    }
    if !config.dns_options.is_empty() {
        text.push_str(&format!("options {}\n", config.dns_options.join(" ")));
    } else if named && !inherited.lines().any(|line| line.starts_with("options")) {
        // Names of containers have no dot and are asked for as they are.
        text.push_str("options ndots:0\n");
    }
    text
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: HostConfig) -> String {
        check(&Config::default(), &host, &NetworkingConfig::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_shared_namespace_publishes_nothing_of_its_own() {
        let host = HostConfig {
            network_mode: "container:web".into(),
            port_bindings: [("80/tcp".to_owned(), None)].into(),
            ..HostConfig::default()
        };
        let message = "conflicting options: port publishing and the container type network mode";
        assert_eq!(refused(host), message);
    }

    #[test]
    fn an_extra_host_needs_an_address() {
        let extra_hosts = Some(vec!["db:nowhere".to_owned()]);
        assert_eq!(
            refused(HostConfig { extra_hosts, ..HostConfig::default() }),
            "bad format for add-host: \"db:nowhere\""
        );
        let extra_hosts = Some(vec!["host:host-gateway".to_owned(), "db:[::1]".to_owned()]);
        let host = HostConfig { extra_hosts, ..HostConfig::default() };
        assert!(check(&Config::default(), &host, &NetworkingConfig::default()).is_ok());
    }
}
