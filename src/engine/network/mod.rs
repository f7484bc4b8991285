//! Networks: which there are, who is in them, and what holds them up on the machine.
//!
//! ```text
//!  start ─▶ attach   namespace, pair of interfaces, address, route, ports, rules
//!  exit  ─▶ release  the namespace goes and takes its interfaces along; rules, at last the bridge
//! ```
//!
//! One lock guards the table. It is held while addresses are given out, bridges made and rules
//! replaced, never while a container's own interfaces are made.

mod attach;
mod bridge;
mod connect;
mod create;
mod list;
mod names;
mod publish;
mod recover;
mod release;
mod remove;
mod rules;

use super::{Engine, Error};
use crate::network::{Attachment, Driver, Endpoint, Network, Published};
use ipnet::Ipv4Net;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;

/// The table of networks.
#[derive(Debug)]
pub struct Networks {
    table: tokio::sync::Mutex<Table>,
    /// Counts changes, so that whoever tidies up later sees whether somebody came meanwhile.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    networks: BTreeMap<String, Network>,
    /// Networks whose bridge is known to be there.
    up: BTreeSet<String>,
    /// Running containers, by id.
    members: BTreeMap<String, Member>,
    /// The rules in force.
    rules: Option<String>,
}

/// A container in the table.
#[derive(Debug, Default)]
struct Member {
    endpoints: Vec<Endpoint>,
    published: Vec<Published>,
    /// Bound already, on their way to the proxy.
    listeners: Vec<OwnedFd>,
    /// Ends when this is dropped.
    resolver: tokio::task::JoinSet<()>,
}

impl Networks {
    /// The networks every engine has. Their ids follow from where the engine keeps its state.
    pub fn new(root: &str, created: &str) -> Networks {
        let drivers = [("bridge", Driver::Bridge), ("host", Driver::Host), ("none", Driver::Null)];
        let network = |(name, driver): (&str, Driver)| {
            let id = hex::encode(Sha256::digest(format!("network {name} of {root}")));
            let network = Network {
                id: id.clone(),
                name: name.to_owned(),
                created: created.to_owned(),
                driver,
                ..Network::default()
            };
            (id, network)
        };
        let table = Table { networks: drivers.into_iter().map(network).collect(), ..Table::default() };
        Networks { table: tokio::sync::Mutex::new(table), changes: AtomicU64::default() }
    }
}

impl Table {
    /// By name, whole id, or the beginning of an id.
    fn find(&self, wanted: &str) -> Result<&Network, Error> {
        let wanted_name = if wanted == "default" { "bridge" } else { wanted };
        if let Some(network) = self.networks.get(wanted) {
            return Ok(network);
        }
        if let Some(network) = self.networks.values().find(|network| network.name == wanted_name) {
            return Ok(network);
        }
        let missing = || Error::NoSuchNetwork(wanted.to_owned());
        if wanted.is_empty() {
            return Err(missing());
        }
        let mut matches = self.networks.values().filter(|network| network.id.starts_with(wanted));
        match (matches.next(), matches.next()) {
            (Some(network), None) => Ok(network),
            (Some(_), Some(_)) => {
                Err(Error::Invalid(format!("network {wanted} is ambiguous ({} matches found on name)", 2)))
            }
            (None, _) => Err(missing()),
        }
    }

    /// Endpoints in a network, with the ids of their containers.
    fn endpoints<'a>(
        &'a self,
        network: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Member, &'a Endpoint)> {
        self.members.iter().flat_map(move |(id, member)| {
            let of = member.endpoints.iter().filter(move |endpoint| endpoint.network_id == network);
            of.map(move |endpoint| (id.as_str(), member, endpoint))
        })
    }

    /// Addresses of a network that are somebody's.
    fn taken(&self, network: &Network) -> BTreeSet<Ipv4Addr> {
        let given = self.endpoints(&network.id).map(|(_, _, endpoint)| endpoint.address.addr());
        given.chain(network.gateway).chain(network.auxiliary.values().copied()).collect()
    }

    /// Subnets of the networks there are.
    fn subnets(&self) -> Vec<Ipv4Net> {
        self.networks.values().filter_map(|network| network.subnet).collect()
    }

    /// The container's part, forgotten.
    fn forget(&mut self, container: &str) -> Option<Member> {
        self.members.remove(container)
    }

    /// What the container's record keeps.
    fn attachment(&self, container: &str) -> Attachment {
        let member = self.members.get(container);
        Attachment {
            endpoints: member.map(|member| member.endpoints.clone()).unwrap_or_default(),
            published: member.map(|member| member.published.clone()).unwrap_or_default(),
            ..Attachment::default()
        }
    }
}

impl Engine {
    /// Whose bridges and rules these are, as the kernel keeps it.
    fn network_owner(&self) -> String {
        format!("learn {}", self.places.root)
    }
}
