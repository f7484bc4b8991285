//! A container's place in its networks, as long as it runs.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Everything that connects a running container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Attachment {
    /// A path under which the runtime joins the network namespace; empty when it makes its own.
    #[serde(skip)]
    pub sandbox: String,
    /// Directory of `hosts` and the other files that tell of networks; empty for the bundle.
    #[serde(skip)]
    pub files: String,
    /// One a network.
    pub endpoints: Vec<Endpoint>,
    /// Ports of the host that lead into the container.
    pub published: Vec<Published>,
}

/// A pair of interfaces between a network's bridge and a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Endpoint {
    /// 64 hex digits.
    pub id: String,
    /// Name of the network.
    pub network: String,
    /// Id of the network.
    pub network_id: String,
    /// The network's bridge.
    pub bridge: String,
    /// The end on the bridge: `veth1a2b3c4`.
    pub interface: String,
    /// The end in the container: `eth0`.
    pub inside: String,
    /// Address, with the length of the network's prefix.
    pub address: Ipv4Net,
    /// The next hop to everywhere else; none in a network without a way out.
    pub gateway: Option<Ipv4Addr>,
    /// `02:42:ac:11:00:02`.
    pub mac: String,
    /// Whether the network's containers find each other by name.
    #[serde(default)]
    pub has_names: bool,
    /// Names it answers to beside the container's own.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// One port of the host that leads into a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Published {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Address of the host: `0.0.0.0`, `::`.
    pub host: String,
    /// Port of the host.
    pub host_port: u16,
    /// Port of the container.
    pub port: u16,
}

impl Published {
    /// `0.0.0.0:8080`, `[::]:8080`.
    pub fn door(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.host_port)
        } else {
            format!("{}:{}", self.host, self.host_port)
        }
    }
}

/// Docker's hardware address: a prefix of its own and the four bytes of the address, so that
/// neighbours' tables stay right when an address moves to another container.
pub fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_holds_the_address() {
        assert_eq!(mac(Ipv4Addr::new(172, 17, 0, 2)), "02:42:ac:11:00:02");
    }
}
