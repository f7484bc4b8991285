//! Bridges: made when they are first needed, each with a subnet that is nobody else's.

use super::super::{Engine, Error};
use super::Table;
use crate::error::Kind;
use crate::kernel::{OpError, TracedHost};
use crate::network::{Network, error::Error as NetworkError, pool};
use crate::op::{FsOp, NetworkOp, Op, WriteReason};
use crate::trace::Scope;
use std::time::Duration;

/// Names of the default bridge: the first that no interface has.
const DEFAULT_NAMES: u32 = 1000;

/// The switch that makes the machine pass packets on.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// How often one asks for the lock of the machine's networks.
const ASK_AGAIN: Duration = Duration::from_millis(3);

impl Engine {
    /// The network, with its bridge standing. The default network gets name and subnet only now,
    /// so that it avoids what the machine has at this moment.
    pub(super) async fn raise_bridge(
        &self,
        door: &TracedHost,
        table: &mut Table,
        id: &str,
    ) -> Result<Network, Error> {
        let Some(network) = table.networks.get(id).cloned() else {
            return Err(Error::NoSuchNetwork(id.to_owned()));
        };
        if table.up.contains(id) {
            return Ok(network);
        }
        let about = network.name.clone();
        let known = &*table;
        let raised = door.within(Scope::NetworkCreate, about, |door| async move {
            // Two engines must not choose the same at the same time.
            let _lock = self.lock_machine().await?;
            self.raise(&door, known, network).await
        });
        let network = raised.await?;
        table.up.insert(network.id.clone());
        table.networks.insert(network.id.clone(), network.clone());
        Ok(network)
    }

    async fn raise(&self, door: &TracedHost, table: &Table, mut network: Network) -> Result<Network, Error> {
        let there = interfaces(door);
        if network.is_predefined() {
            let mut taken = table.subnets();
            taken.extend(self.routes(door));
            let subnet = pool::free_subnet(&taken).ok_or(NetworkError::NoSubnet)?;
            network.subnet = Some(subnet);
            network.gateway = Some(pool::first_address(&subnet));
            let mut names = (0..DEFAULT_NAMES).map(|number| format!("learn{number}"));
            network.bridge = names.find(|name| !there.contains(name)).unwrap_or_else(|| "learn0".into());
            // A daemon that is killed finds by this what it left standing.
            self.persist_network(door, &network).await?;
        } else if there.contains(&network.bridge) {
            // An earlier daemon's.
            return Ok(network);
        }
        self.make_bridge(door, &network).await?;
        Ok(network)
    }

    /// Bridge, address, up, forwarding; all or nothing.
    pub(super) async fn make_bridge(&self, door: &TracedHost, network: &Network) -> Result<(), Error> {
        let bridge = &network.bridge;
        let create = NetworkOp::CreateBridge { name: bridge.clone(), owner: self.network_owner() };
        let done: Vec<Op> = vec![create.clone().into()];
        let made = async {
            door.perform(create).await?;
            if let (Some(subnet), Some(gateway)) = (network.subnet, network.gateway) {
                let address = format!("{gateway}/{}", subnet.prefix_len());
                let interface = bridge.clone();
                door.perform(NetworkOp::AddAddress { interface, address, sandbox: None }).await?;
            }
            door.perform(NetworkOp::LinkUp { interface: bridge.clone(), sandbox: None }).await?;
            self.forward_packets(door).await
        };
        if let Err(error) = made.await {
            // What cannot be undone is in the trace; why it began is what the client hears.
            let _ = door.roll_back(done, &network.name).await;
            return Err(error.into());
        }
        Ok(())
    }

    /// Between interfaces nothing passes unless the machine is told to be a router. Where the
    /// switch cannot be written to it may stand right already.
    async fn forward_packets(&self, door: &TracedHost) -> Result<(), OpError> {
        let path = FORWARDING.to_owned();
        let write = FsOp::WriteFile { path, value: "1".into(), why: WriteReason::Proc };
        match door.perform(write).await {
            Err(error) if error.fault.kind != Kind::Aborted => {
                let value = door.host().read(FORWARDING).unwrap_or_default();
                if value.starts_with(b"1") { Ok(()) } else { Err(error) }
            }
            result => result.map(drop),
        }
    }

    /// What the machine has routes to.
    pub(super) fn routes(&self, door: &TracedHost) -> Vec<ipnet::Ipv4Net> {
        let table = door.host().read("/proc/net/route").unwrap_or_default();
        pool::routes(&String::from_utf8_lossy(&table))
    }

    /// Holds the network namespace itself, which all engines in it share: flock(2).
    pub(super) async fn lock_machine(&self) -> Result<Option<std::fs::File>, Error> {
        const PLACE: &str = "/proc/self/ns/net";
        if self.simulated() {
            return Ok(None);
        }
        let failed = |reason: std::io::Error| Error::Read { path: PLACE.into(), reason: reason.to_string() };
        let file = std::fs::File::open(PLACE).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(ASK_AGAIN).await,
                Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Replaces a network's record on disk.
    pub(super) async fn persist_network(&self, door: &TracedHost, network: &Network) -> Result<(), Error> {
        let mut json =
            serde_json::to_vec_pretty(network).map_err(|error| Error::Invalid(error.to_string()))?;
        json.push(b'\n');
        let value = format!("{{\"id\":\"{}\",\"name\":\"{}\"…", network.short_id(), network.name);
        let write =
            FsOp::WriteFile { path: self.places.network(&network.id), value, why: WriteReason::Store };
        door.perform_with(write, crate::kernel::Payload::Bytes(json.into())).await?;
        Ok(())
    }
}

/// Names of the machine's interfaces: proc_pid_net(5).
fn interfaces(door: &TracedHost) -> Vec<String> {
    let table = door.host().read("/proc/net/dev").unwrap_or_default();
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.trim().to_owned());
    String::from_utf8_lossy(&table).lines().filter_map(name).collect()
}
