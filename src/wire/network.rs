//! Networks.

use super::{EndpointSettings, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One network, in a list or in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkResource {
    /// As people call it.
    pub name: String,
    /// 64 hex digits.
    pub id: String,
    /// RFC 3339 with nanoseconds.
    pub created: String,
    /// `local`.
    pub scope: String,
    /// `bridge`, `host`, `null`.
    pub driver: String,
    /// IPv6 addresses are given out.
    #[serde(rename = "EnableIPv6")]
    pub enable_ipv6: bool,
    /// How addresses are given out.
    #[serde(rename = "IPAM", deserialize_with = "nullable")]
    pub ipam: Ipam,
    /// Nothing outside can be reached.
    pub internal: bool,
    /// Swarm's.
    pub attachable: bool,
    /// Swarm's.
    pub ingress: bool,
    /// Swarm's.
    pub config_from: ConfigReference,
    /// Swarm's.
    pub config_only: bool,
    /// Who is in it, by the container's id.
    #[serde(deserialize_with = "nullable")]
    pub containers: BTreeMap<String, EndpointResource>,
    /// Options of the driver.
    #[serde(deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
}

/// The network another takes its settings from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ConfigReference {
    /// Its name.
    pub network: String,
}

/// How a network's addresses are given out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipam {
    /// `default`.
    #[serde(deserialize_with = "nullable")]
    pub driver: String,
    /// Options of the driver.
    pub options: Option<BTreeMap<String, String>>,
    /// Subnets.
    #[serde(deserialize_with = "nullable")]
    pub config: Vec<IpamConfig>,
}

/// One subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IpamConfig {
    /// `172.18.0.0/16`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    /// Where addresses are given out from.
    #[serde(rename = "IPRange", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    /// The bridge's address.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// Addresses that are somebody else's, by name.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary_addresses: BTreeMap<String, String>,
}

/// One container in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointResource {
    /// The container's name.
    pub name: String,
    /// 64 hex digits.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// Hardware address.
    pub mac_address: String,
    /// `172.18.0.2/16`.
    #[serde(rename = "IPv4Address")]
    pub ipv4_address: String,
    /// Empty without IPv6.
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: String,
}

/// `POST /networks/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkCreate {
    /// The new network's name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// `bridge`; empty for it.
    #[serde(deserialize_with = "nullable")]
    pub driver: String,
    /// `local`; empty for it.
    #[serde(deserialize_with = "nullable")]
    pub scope: String,
    /// IPv6 addresses are to be given out.
    #[serde(rename = "EnableIPv6", deserialize_with = "nullable")]
    pub enable_ipv6: bool,
    /// How addresses are given out.
    #[serde(rename = "IPAM", deserialize_with = "nullable")]
    pub ipam: Ipam,
    /// Nothing outside can be reached.
    #[serde(deserialize_with = "nullable")]
    pub internal: bool,
    /// Swarm's.
    #[serde(deserialize_with = "nullable")]
    pub attachable: bool,
    /// Swarm's.
    #[serde(deserialize_with = "nullable")]
    pub ingress: bool,
    /// Swarm's.
    #[serde(deserialize_with = "nullable")]
    pub config_only: bool,
    /// Options of the driver.
    #[serde(deserialize_with = "nullable")]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
}

/// Its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkCreated {
    /// 64 hex digits.
    pub id: String,
    /// One line, or nothing.
    pub warning: String,
}

/// `POST /networks/{id}/connect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkConnect {
    /// Who is to be connected.
    #[serde(deserialize_with = "nullable")]
    pub container: String,
    /// How.
    #[serde(deserialize_with = "nullable")]
    pub endpoint_config: EndpointSettings,
}

/// `POST /networks/{id}/disconnect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkDisconnect {
    /// Who is to be disconnected.
    #[serde(deserialize_with = "nullable")]
    pub container: String,
    /// Also one that is gone.
    #[serde(deserialize_with = "nullable")]
    pub force: bool,
}

/// Answer of `POST /networks/prune`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworksPruned {
    /// Names of what was removed; `null` when nothing was.
    pub networks_deleted: Option<Vec<String>>,
}
