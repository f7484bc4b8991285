//! A container that starts is connected: a network namespace of its own, and in it one end of a
//! pair of interfaces for each network.

use super::super::{Container, Engine, Error};
use super::{Member, Table};
use crate::container::Record;
use crate::kernel::{TracedHost, Value};
use crate::network::{Driver, Endpoint, Network, endpoint, error::Error as NetworkError, pool};
use crate::op::{NetworkOp, Op};
use crate::trace::{Note, Scope, facts};
use crate::wire::EndpointSettings;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

impl Engine {
    /// Connects a container that is about to start, and gives back what was made, for the way
    /// back. Its record knows its place in the networks then.
    ///
    /// # Errors
    /// No such network; no address, or a port that is somebody's; the kernel's refusal. Nothing is
    /// left then.
    pub(in crate::engine) async fn attach_networks(
        &self,
        door: &TracedHost,
        container: &Container,
    ) -> Result<Vec<Op>, Error> {
        let record = container.snapshot();
        container.record().network = Default::default();
        let mode = network_mode(&record);
        if let Some(other) = mode.strip_prefix("container:") {
            self.share_network(door, container, other)?;
            return Ok(Vec::new());
        }
        let (driver, wanted) = self.wanted_networks(&record).await?;
        let said = match driver {
            Driver::Bridge if self.machine.unprivileged() => "loopback",
            Driver::Bridge => "bridge",
            Driver::Host => "host",
            Driver::Null => "none",
        };
        door.note(Note::NetworkMode, facts([("mode", &said)]));
        if said != "bridge" {
            return Ok(Vec::new());
        }
        let connected = door.within(Scope::NetworkConnect, container.short_id(), |door| async move {
            self.connect_start(&door, container, &record, wanted).await
        });
        connected.await
    }

    /// The namespace of a container that runs, and its files that tell of networks.
    fn share_network(&self, door: &TracedHost, container: &Container, other: &str) -> Result<(), Error> {
        let other = self.containers.find(other)?;
        let theirs = other.snapshot();
        if !theirs.state.is_running() {
            return Err(NetworkError::Container(theirs.id).into());
        }
        door.note(Note::NetworkMode, facts([("mode", &"container"), ("container", &theirs.name)]));
        let mut record = container.record();
        record.network.sandbox = format!("/proc/{}/ns/net", theirs.state.pid);
        record.network.files = self.places.bundle(&theirs.id);
        Ok(())
    }

    /// The networks asked for, the one the default route leads through first.
    async fn wanted_networks(
        &self,
        record: &Record,
    ) -> Result<(Driver, Vec<(Network, EndpointSettings)>), Error> {
        let table = self.networks.table.lock().await;
        let first = table.find(&network_mode(record))?.clone();
        let mut wanted = Vec::new();
        for (name, settings) in &record.networking.endpoints_config {
            let network = table.find(name)?.clone();
            if network.id != first.id {
                wanted.push((network, settings.clone().unwrap_or_default()));
            }
        }
        let of_first = |(name, _): &(&String, &Option<EndpointSettings>)| {
            table.find(name).is_ok_and(|network| network.id == first.id)
        };
        let settings = record.networking.endpoints_config.iter().find(of_first);
        let settings = settings.and_then(|(_, settings)| settings.clone()).unwrap_or_default();
        let driver = first.driver;
        wanted.insert(0, (first, settings));
        Ok((driver, wanted))
    }

    async fn connect_start(
        &self,
        door: &TracedHost,
        container: &Container,
        record: &Record,
        wanted: Vec<(Network, EndpointSettings)>,
    ) -> Result<Vec<Op>, Error> {
        self.networks.changes.fetch_add(1, Ordering::Relaxed);
        let short = container.short_id();
        let mut done: Vec<Op> = Vec::new();
        let made = async {
            let endpoints = self.reserve(door, record, &wanted).await?;
            let create = NetworkOp::CreateSandbox { sandbox: short.clone() };
            let outcome = door.perform(create.clone()).await?;
            done.push(create.into());
            if let Value::Sandbox(path) = outcome.value {
                container.record().network.sandbox = path;
            }
            door.perform(NetworkOp::LinkUp { interface: "lo".into(), sandbox: Some(short.clone()) }).await?;
            for (endpoint, (network, _)) in endpoints.iter().zip(&wanted) {
                self.plug_in(door, &short, endpoint, network.mtu(), &mut done).await?;
            }
            self.route_out(door, &short, &endpoints).await?;
            self.take_ports(door, record, &endpoints).await?;
            self.apply_rules(door).await?;
            self.remember(container).await;
            self.serve_names(&container.snapshot()).await
        };
        if let Err(error) = made.await {
            // What cannot be undone is in the trace; why it began is what the client hears.
            let _ = door.roll_back(done, &short).await;
            self.forget_networks(door, container).await;
            return Err(error);
        }
        for (network, _) in &wanted {
            self.events.network(network, "connect", Some(&container.id));
        }
        Ok(done)
    }

    /// Takes a container out of the table whose start came to nothing; what was made for it was
    /// taken back.
    pub(in crate::engine) async fn forget_networks(&self, door: &TracedHost, container: &Container) {
        container.record().network = Default::default();
        if self.networks.table.lock().await.forget(&container.id).is_some() {
            let _ = self.apply_rules(door).await;
            self.tidy_later();
        }
    }

    /// Addresses for every network, and the bridges they are on.
    async fn reserve(
        &self,
        door: &TracedHost,
        record: &Record,
        wanted: &[(Network, EndpointSettings)],
    ) -> Result<Vec<Endpoint>, Error> {
        let mut table = self.networks.table.lock().await;
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for (number, (network, settings)) in wanted.iter().enumerate() {
            let network = self.raise_bridge(door, &mut table, &network.id).await?;
            endpoints.push(self.endpoint(&table, &network, settings, record, number)?);
            // Each is there for the next to see.
            let member = Member { endpoints: endpoints.clone(), ..Member::default() };
            table.members.insert(record.id.clone(), member);
        }
        Ok(endpoints)
    }

    /// A place in a network: the address asked for, or the lowest that is free.
    pub(super) fn endpoint(
        &self,
        table: &Table,
        network: &Network,
        settings: &EndpointSettings,
        record: &Record,
        number: usize,
    ) -> Result<Endpoint, Error> {
        check_settings(network, settings)?;
        let subnet = network.subnet.ok_or_else(|| Error::NoSuchNetwork(network.name.clone()))?;
        let taken = table.taken(network);
        let address = match asked_address(settings)? {
            Some(asked) if taken.contains(&asked) => return Err(NetworkError::AddressInUse.into()),
            Some(asked) if !subnet.contains(&asked) => {
                let reason =
                    format!("invalid address {asked}: It does not belong to any of this network's subnets");
                return Err(NetworkError::Invalid(reason).into());
            }
            Some(asked) => asked,
            None => {
                let range = network.ip_range.unwrap_or(subnet);
                let full = || NetworkError::NoAddress(network.name.clone());
                pool::free_address(&subnet, &range, &taken).ok_or_else(full)?
            }
        };
        let id = hex::encode(self.source.random());
        let mac = Some(settings.mac_address.clone()).filter(|mac| !mac.is_empty());
        let of_container = record.config.mac_address.clone().filter(|mac| !mac.is_empty() && number == 0);
        Ok(Endpoint {
            interface: format!("veth{}", &id[..7]),
            inside: format!("eth{number}"),
            network: network.name.clone(),
            network_id: network.id.clone(),
            bridge: network.bridge.clone(),
            address: ipnet::Ipv4Net::new(address, subnet.prefix_len())
                .map_err(|error| Error::Invalid(error.to_string()))?,
            gateway: network.gateway.filter(|_| !network.internal),
            mac: mac.or(of_container).unwrap_or_else(|| endpoint::mac(address)),
            has_names: network.has_names(),
            aliases: settings.aliases.clone().unwrap_or_default(),
            id,
        })
    }

    /// A pair of interfaces between bridge and container.
    pub(super) async fn plug_in(
        &self,
        door: &TracedHost,
        sandbox: &str,
        endpoint: &Endpoint,
        mtu: u32,
        done: &mut Vec<Op>,
    ) -> Result<(), Error> {
        let Endpoint { interface, inside, bridge, address, mac, .. } = endpoint;
        let within = Some(sandbox.to_owned());
        let veth = NetworkOp::CreateVeth {
            host: interface.clone(),
            inside: inside.clone(),
            sandbox: sandbox.to_owned(),
            mac: mac.clone(),
            mtu,
        };
        door.perform(veth.clone()).await?;
        done.push(veth.into());
        let steps = [
            NetworkOp::AttachToBridge { interface: interface.clone(), bridge: bridge.clone() },
            NetworkOp::AddAddress {
                interface: inside.clone(),
                address: address.to_string(),
                sandbox: within.clone(),
            },
            NetworkOp::LinkUp { interface: inside.clone(), sandbox: within },
        ];
        for step in steps {
            door.perform(step).await?;
        }
        let told = facts([
            ("network", &endpoint.network),
            ("bridge", bridge),
            ("interface", interface),
            ("inside", inside),
            ("address", &address.to_string()),
            ("mac", mac),
        ]);
        door.note(Note::Connected, told);
        Ok(())
    }

    /// The way to everywhere else leads through the first network that has one.
    pub(super) async fn route_out(
        &self,
        door: &TracedHost,
        sandbox: &str,
        endpoints: &[Endpoint],
    ) -> Result<(), Error> {
        if let Some(gateway) = endpoints.iter().find_map(|endpoint| endpoint.gateway) {
            let gateway = gateway.to_string();
            door.perform(NetworkOp::AddDefaultRoute { gateway, sandbox: sandbox.to_owned() }).await?;
        }
        Ok(())
    }
}

/// What a container asked for: `bridge` unless it asked for another.
pub(in crate::engine) fn network_mode(record: &Record) -> String {
    match record.host_config.network_mode.as_str() {
        "" | "default" => "bridge".into(),
        mode => mode.into(),
    }
}

/// What only networks of a user's own have.
pub(super) fn check_settings(network: &Network, settings: &EndpointSettings) -> Result<(), Error> {
    let refuse = |text: &str| Err(NetworkError::Invalid(text.to_owned()).into());
    let address = asked_address(settings)?.is_some();
    if network.is_predefined() && address {
        return refuse("user specified IP address is supported on user defined networks only");
    }
    if address && !network.own_subnet {
        return refuse(
            "user specified IP address is supported only when connecting to networks with user configured subnets",
        );
    }
    if network.is_predefined() && settings.aliases.as_ref().is_some_and(|aliases| !aliases.is_empty()) {
        return refuse("network-scoped alias is supported only for containers in user defined networks");
    }
    Ok(())
}

/// `--ip`.
fn asked_address(settings: &EndpointSettings) -> Result<Option<Ipv4Addr>, Error> {
    let asked = settings.ipam_config.as_ref().and_then(|config| config.get("IPv4Address")?.as_str());
    let Some(text) = asked.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| NetworkError::Invalid(format!("invalid IPv4 address: {text}")).into())
}
