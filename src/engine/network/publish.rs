//! Published ports: taken before anything starts, handed to a proxy when the program runs.

use super::super::{Container, Engine, Error};
use super::Table;
use crate::container::Record;
use crate::error::Kind;
use crate::kernel::{Payload, TracedHost, Value};
use crate::network::error::Error as NetworkError;
use crate::network::ports::{self, Wanted};
use crate::network::{Endpoint, Published};
use crate::op::{NetworkOp, ProcessOp};
use crate::runtime::protocol::Carry;
use crate::trace::{Note, Scope, facts};
use std::os::fd::{AsFd, OwnedFd};

/// How often a port that is free in both families is looked for.
const ATTEMPTS: u32 = 16;

impl Engine {
    /// Takes the ports of the host that a container wants.
    ///
    /// # Errors
    /// Another container's, or another program's, in Docker's words.
    pub(super) async fn take_ports(
        &self,
        door: &TracedHost,
        record: &Record,
        endpoints: &[Endpoint],
    ) -> Result<(), Error> {
        let wanted = ports::wanted(&record.config, &record.host_config).map_err(NetworkError::from)?;
        let Some(endpoint) = endpoints.first().filter(|_| !wanted.is_empty()) else { return Ok(()) };
        let taken = door.within(Scope::PortsPublish, record.short_id(), |door| async move {
            let mut table = self.networks.table.lock().await;
            for one in &wanted {
                let refused = |reason: String| NetworkError::Port {
                    container: record.name.clone(),
                    endpoint: endpoint.id.clone(),
                    reason,
                };
                let (published, sockets) =
                    self.take(&door, &table, one).await.map_err(|error| match error {
                        Refused::Port(reason) => Error::from(refused(reason)),
                        Refused::Op(error) => error,
                    })?;
                if let Some(member) = table.members.get_mut(&record.id) {
                    member.published.extend(published);
                    member.listeners.extend(sockets);
                }
            }
            Ok(())
        });
        taken.await
    }

    /// The first of the candidates that can be had, in IPv4 and, where there is IPv6, in both.
    async fn take(
        &self,
        door: &TracedHost,
        table: &Table,
        wanted: &Wanted,
    ) -> Result<(Vec<Published>, Vec<OwnedFd>), Refused> {
        let any = wanted.candidates.is_empty();
        let candidates: Vec<u16> = if any { vec![0; ATTEMPTS as usize] } else { wanted.candidates.clone() };
        let mut last = Refused::Port("no port is free".into());
        for candidate in candidates {
            match self.take_one(door, table, wanted, candidate).await {
                Err(Refused::Port(reason)) => last = Refused::Port(reason),
                result => return result,
            }
        }
        Err(last)
    }

    async fn take_one(
        &self,
        door: &TracedHost,
        table: &Table,
        wanted: &Wanted,
        port: u16,
    ) -> Result<(Vec<Published>, Vec<OwnedFd>), Refused> {
        let Wanted { protocol, port: inside, host, .. } = wanted;
        let hosts: &[&str] = match host.as_str() {
            "" if self.has_ipv6(door) => &["0.0.0.0", "::"],
            "" => &["0.0.0.0"],
            host => &[host],
        };
        let (mut published, mut sockets, mut port) = (Vec::new(), Vec::new(), port);
        for host in hosts {
            let mut one = Published {
                protocol: protocol.clone(),
                host: (*host).into(),
                host_port: port,
                port: *inside,
            };
            if port != 0 && table.holds(&one) {
                return Err(Refused::Port(format!(
                    "Bind for {} failed: port is already allocated",
                    one.door()
                )));
            }
            let listen = NetworkOp::Listen { protocol: protocol.clone(), address: (*host).into(), port };
            match door.perform(listen).await {
                Ok(outcome) => {
                    let Value::Listener(socket, got) = outcome.value else { continue };
                    sockets.push(socket);
                    (port, one.host_port) = (got, got);
                    published.push(one);
                }
                Err(error) if error.fault.kind == Kind::Aborted => return Err(Refused::Op(error.into())),
                Err(error) => {
                    let family = if host.contains(':') { "6" } else { "4" };
                    let reason = &error.fault.message;
                    let door = one.door();
                    return Err(Refused::Port(format!(
                        "Error starting userland proxy: listen {protocol}{family} {door}: bind: {reason}"
                    )));
                }
            }
        }
        Ok((published, sockets))
    }

    /// A machine without IPv6 has no such file: proc_pid_net(5).
    fn has_ipv6(&self, door: &TracedHost) -> bool {
        door.host().read("/proc/net/if_inet6").is_ok_and(|table| !table.is_empty())
    }

    /// Hands the taken ports to a proxy that ends with the container's first process.
    ///
    /// # Errors
    /// When it cannot be spawned.
    pub(in crate::engine) async fn open_ports(
        &self,
        door: &TracedHost,
        container: &Container,
        pid: u32,
    ) -> Result<(), Error> {
        let mut table = self.networks.table.lock().await;
        let Some(member) = table.members.get_mut(&container.id) else { return Ok(()) };
        let listeners = std::mem::take(&mut member.listeners);
        let Some(to) = member.endpoints.first().map(|endpoint| endpoint.address.addr()) else {
            return Ok(());
        };
        if listeners.is_empty() {
            return Ok(());
        }
        let published = member.published.clone();
        drop(table);
        let about = container.short_id();
        let opened = door.within(Scope::PortsPublish, about.clone(), |door| async move {
            let told = |port: &Published| format!("{}/{} → {to}:{}", port.door(), port.protocol, port.port);
            let ports: Vec<String> = published.iter().map(told).collect();
            let broken =
                |error: std::io::Error| Error::Shim { container: about.clone(), reason: error.to_string() };
            let (ours, theirs) = super::super::shim::ShimSocket::pair().map_err(broken)?;
            for (port, listener) in published.iter().zip(&listeners) {
                let carry = Carry {
                    protocol: port.protocol.clone(),
                    to: format!("{to}:{}", port.port),
                    ends_with: pid,
                };
                ours.send(&carry, Some(listener.as_fd())).await.map_err(broken)?;
            }
            let spawn = ProcessOp::SpawnProxy { container: about.clone(), pid, ports: ports.clone() };
            let outcome = door.perform_with(spawn, Payload::Control(theirs)).await?;
            let owner = match outcome.value {
                Value::Pid(pid) => pid,
                _ => 0,
            };
            for port in ports {
                let (from, to) = port.split_once(" → ").unwrap_or((port.as_str(), ""));
                door.note(Note::Published, facts([("from", &from), ("to", &to), ("owner", &owner)]));
            }
            Ok(())
        });
        opened.await
    }
}

/// Why a port was not taken.
enum Refused {
    /// It is somebody's; another may do.
    Port(String),
    /// Nothing goes on.
    Op(Error),
}

impl Table {
    /// Whether another container of this engine has the port.
    fn holds(&self, wanted: &Published) -> bool {
        let any = |host: &str| matches!(host, "0.0.0.0" | "::");
        let same = |port: &Published| {
            let family = port.host.contains(':') == wanted.host.contains(':');
            let address = port.host == wanted.host || any(&port.host) || any(&wanted.host);
            port.host_port == wanted.host_port && port.protocol == wanted.protocol && family && address
        };
        self.members.values().flat_map(|member| &member.published).any(same)
    }
}
