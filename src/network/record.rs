//! A network as it is kept on disk: `ROOT/networks/<id>.json`.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// How containers of a network reach each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// Over a bridge of its own.
    #[default]
    Bridge,
    /// They share the host's namespace.
    Host,
    /// Not at all.
    Null,
}

impl Driver {
    /// Docker's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Driver::Bridge => "bridge",
            Driver::Host => "host",
            Driver::Null => "null",
        }
    }
}

/// One network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Network {
    /// 64 hex digits.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// RFC 3339 with nanoseconds.
    pub created: String,
    /// How it works.
    pub driver: Driver,
    /// The bridge's interface.
    pub bridge: String,
    /// All its addresses.
    pub subnet: Option<Ipv4Net>,
    /// The subnet was asked for.
    pub own_subnet: bool,
    /// The bridge's own address.
    pub gateway: Option<Ipv4Addr>,
    /// Where addresses are given out from; the whole subnet when absent.
    pub ip_range: Option<Ipv4Net>,
    /// Addresses that are somebody else's, by name.
    pub auxiliary: BTreeMap<String, Ipv4Addr>,
    /// Nothing outside can be reached.
    pub internal: bool,
    /// For swarm's networks; kept as it was asked for.
    pub attachable: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
    /// Options of the address management.
    pub ipam_options: Option<BTreeMap<String, String>>,
}

/// Names that mean the same on every machine.
pub const PREDEFINED: [&str; 3] = ["bridge", "host", "none"];

/// Option that sets the longest packet.
pub const MTU_OPTION: &str = "com.docker.network.driver.mtu";

/// Option that names the bridge's interface.
pub const NAME_OPTION: &str = "com.docker.network.bridge.name";

/// Option that switches the way out's disguise off.
pub const MASQUERADE_OPTION: &str = "com.docker.network.bridge.enable_ip_masquerade";

/// Longest packet unless asked for otherwise.
const MTU: u32 = 1500;

impl Network {
    /// Whether users can neither make nor remove it.
    pub fn is_predefined(&self) -> bool {
        PREDEFINED.contains(&self.name.as_str())
    }

    /// Whether its containers find each other by name.
    pub fn has_names(&self) -> bool {
        self.driver == Driver::Bridge && !self.is_predefined()
    }

    /// The first 12 digits of the id.
    pub fn short_id(&self) -> &str {
        &self.id[..self.id.len().min(12)]
    }

    /// Longest packet in bytes.
    pub fn mtu(&self) -> u32 {
        self.options.get(MTU_OPTION).and_then(|mtu| mtu.parse().ok()).unwrap_or(MTU)
    }

    /// Whether packets that leave it carry the host's address.
    pub fn masquerades(&self) -> bool {
        !self.internal && self.options.get(MASQUERADE_OPTION).is_none_or(|value| value != "false")
    }
}
