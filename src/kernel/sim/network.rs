//! Interfaces, addresses, routes, rules and ports of the modelled machine: which there are, and
//! what an act on them meets. rtnetlink(7), bind(2).

use super::host::SimHost;
use super::jail::fault;
use super::namespaces::{NsId, first};
use super::processes::{Life, Pid};
use super::world::{DAEMON, World, lock};
use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Value};
use crate::op::{Namespace, NetworkOp};
use crate::trace::facts;
use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

/// Descriptors that hold namespaces are numbered from here.
const FIRST_DESCRIPTOR: usize = 20;

/// Ports given out when any will do: ip_local_port_range.
const FIRST_FREE_PORT: u16 = 32_768;

/// What is known of networks beside the interfaces' names.
#[derive(Debug, Default)]
pub struct Networks {
    /// Namespaces the daemon holds open, by the containers' short ids.
    sandboxes: BTreeMap<String, (NsId, String)>,
    opened: usize,
    /// Packets pass between interfaces.
    pub(super) forwards: bool,
    /// Ends of pairs.
    peers: BTreeMap<(NsId, String), (NsId, String)>,
    addresses: BTreeMap<(NsId, String), BTreeSet<String>>,
    /// Bridges, with whose they are.
    bridges: BTreeMap<String, String>,
    routes: BTreeSet<NsId>,
    rules: BTreeMap<String, String>,
    /// Taken ports, each with the reading end of a pipe: free again when nobody holds the other.
    ports: Vec<(String, String, u16, OwnedFd)>,
    /// Proxies: whose process they end with, and the line they were told what to carry over.
    proxies: Vec<(Pid, OwnedFd)>,
}

impl Networks {
    /// The namespace behind a path the daemon gave out.
    pub(super) fn behind(&self, path: &str) -> Option<NsId> {
        self.sandboxes.values().find(|(_, known)| known == path).map(|(id, _)| *id)
    }
}

impl SimHost {
    pub(super) fn network(&self, op: &NetworkOp) -> Result<Outcome, Fault> {
        let mut world = lock(&self.world);
        match op {
            NetworkOp::CreateSandbox { sandbox } => world.create_sandbox(sandbox).map_err(fault),
            NetworkOp::OpenSandbox { sandbox, pid } => world.open_sandbox(sandbox, *pid).map_err(fault),
            NetworkOp::Listen { protocol, address, port } => world.listen(protocol, address, *port),
            op => world.daemon_network_op(op).map(|()| Outcome::done()).map_err(fault),
        }
    }

    /// A proxy: it holds its ports until the process ends.
    pub(super) fn spawn_proxy(&self, ends_with: Pid, line: OwnedFd) -> Result<Outcome, Fault> {
        let pid = self.spawn_process("learn-proxy").map_err(fault)?;
        lock(&self.world).networks.proxies.push((ends_with, line));
        let facts = facts([("pid", &pid), ("sealed", &self.sealed())]);
        Ok(Outcome { facts, value: Value::Pid(pid) })
    }
}

impl World {
    fn create_sandbox(&mut self, name: &str) -> Result<Outcome, Errno> {
        let daemon = self.processes.get(DAEMON)?;
        if !daemon.has_capability("CAP_SYS_ADMIN") {
            return Err(Errno::EPERM);
        }
        let (from, owner) = (daemon.namespaces[&Namespace::Network], daemon.user_namespace());
        let id = self.namespaces.make(Namespace::Network, from, owner, DAEMON);
        Ok(self.hold(name, id))
    }

    fn open_sandbox(&mut self, name: &str, pid: Pid) -> Result<Outcome, Errno> {
        let id = self.processes.get(pid).map_err(|_| Errno::ENOENT)?.namespaces[&Namespace::Network];
        Ok(self.hold(name, id))
    }

    fn hold(&mut self, name: &str, id: NsId) -> Outcome {
        let path = format!("/proc/{DAEMON}/fd/{}", FIRST_DESCRIPTOR + self.networks.opened);
        self.networks.opened += 1;
        self.networks.sandboxes.insert(name.to_owned(), (id, path.clone()));
        Outcome { facts: facts([("inode", &id), ("path", &path)]), value: Value::Sandbox(path) }
    }

    /// The namespace an act names.
    fn place(&self, sandbox: Option<&str>) -> Result<NsId, Errno> {
        match sandbox {
            None => Ok(self.processes.get(DAEMON)?.namespaces[&Namespace::Network]),
            Some(name) => self.networks.sandboxes.get(name).map(|(id, _)| *id).ok_or(Errno::ENOENT),
        }
    }

    fn daemon_network_op(&mut self, op: &NetworkOp) -> Result<(), Errno> {
        if !self.processes.get(DAEMON)?.has_capability("CAP_NET_ADMIN") {
            return Err(Errno::EPERM);
        }
        let host = self.place(None)?;
        match op {
            NetworkOp::ReleaseSandbox { sandbox } => {
                if let Some((id, _)) = self.networks.sandboxes.remove(sandbox) {
                    self.end_network(id);
                }
                Ok(())
            }
            NetworkOp::CreateBridge { name, owner } => {
                self.namespaces.add_link(host, name)?;
                self.networks.bridges.insert(name.clone(), owner.clone());
                Ok(())
            }
            NetworkOp::RemoveBridge { name, owner } => match self.networks.bridges.get(name) {
                Some(known) if known != owner => Err(Errno::EPERM),
                Some(_) => {
                    self.remove_interface(host, name);
                    Ok(())
                }
                None if self.namespaces.has_link(host, name) => Err(Errno::EPERM),
                None => Ok(()),
            },
            NetworkOp::CreateVeth { host: here, inside, sandbox, .. } => {
                let there = self.place(Some(sandbox))?;
                self.namespaces.add_link(host, here)?;
                if let Err(errno) = self.namespaces.add_link(there, inside) {
                    self.namespaces.remove_link(host, here);
                    return Err(errno);
                }
                let (one, other) = ((host, here.clone()), (there, inside.clone()));
                self.networks.peers.insert(one.clone(), other.clone());
                self.networks.peers.insert(other, one);
                Ok(())
            }
            NetworkOp::AttachToBridge { interface, bridge } if self.networks.bridges.contains_key(bridge) => {
                self.namespaces.link_up(host, interface)
            }
            NetworkOp::AttachToBridge { .. } => Err(Errno::ENODEV),
            NetworkOp::AddAddress { interface, address, sandbox } => {
                let place = self.place(sandbox.as_deref())?;
                if !self.namespaces.has_link(place, interface) {
                    return Err(Errno::ENODEV);
                }
                let known = self.networks.addresses.entry((place, interface.clone())).or_default();
                if known.insert(address.clone()) { Ok(()) } else { Err(Errno::EEXIST) }
            }
            NetworkOp::AddDefaultRoute { sandbox, .. } => {
                let place = self.place(Some(sandbox))?;
                // A gateway is reached over an interface with an address.
                if !self.networks.addresses.keys().any(|(of, _)| *of == place) {
                    return Err(Errno::ENETUNREACH);
                }
                if self.networks.routes.insert(place) { Ok(()) } else { Err(Errno::EEXIST) }
            }
            NetworkOp::LinkUp { interface, sandbox } => {
                let place = self.place(sandbox.as_deref())?;
                self.namespaces.link_up(place, interface)
            }
            NetworkOp::RemoveLink { interface, sandbox } => {
                let place = self.place(sandbox.as_deref())?;
                self.remove_interface(place, interface);
                Ok(())
            }
            NetworkOp::ReplaceRules { table, rules } => {
                self.networks.rules.insert(table.clone(), rules.clone());
                Ok(())
            }
            NetworkOp::RemoveRules { table } => {
                self.networks.rules.remove(table);
                Ok(())
            }
            NetworkOp::CreateSandbox { .. } | NetworkOp::OpenSandbox { .. } | NetworkOp::Listen { .. } => {
                Err(Errno::EINVAL)
            }
        }
    }

    /// An interface, with the other end of its pair.
    fn remove_interface(&mut self, place: NsId, interface: &str) {
        let end = (place, interface.to_owned());
        let other = self.networks.peers.remove(&end);
        for end in std::iter::once(end).chain(other) {
            self.namespaces.remove_link(end.0, &end.1);
            self.networks.peers.remove(&end);
            self.networks.addresses.remove(&end);
            if end.0 == first(Namespace::Network) {
                self.networks.bridges.remove(&end.1);
            }
        }
    }

    /// A namespace nobody is in any more ends, and its interfaces with it.
    fn end_network(&mut self, id: NsId) {
        let inhabited =
            |process: &super::processes::Process| process.namespaces.get(&Namespace::Network) == Some(&id);
        if self.processes.living().any(|(_, process)| inhabited(process)) {
            return;
        }
        let ends: Vec<String> =
            self.networks.peers.keys().filter(|(of, _)| *of == id).map(|(_, name)| name.clone()).collect();
        ends.iter().for_each(|name| self.remove_interface(id, name));
        self.networks.routes.remove(&id);
    }

    fn listen(&mut self, protocol: &str, address: &str, port: u16) -> Result<Outcome, Fault> {
        let Networks { ports, proxies, .. } = &mut self.networks;
        let processes = &self.processes;
        proxies.retain(|(pid, _)| {
            processes.get(*pid).is_ok_and(|process| !matches!(process.life, Life::Ended(_)))
        });
        ports.retain(|(.., pipe)| is_held(pipe));
        let any = |address: &str| matches!(address, "0.0.0.0" | "::");
        let taken = |port: u16| {
            ports.iter().any(|(of, at, number, _)| {
                let same_family = at.contains(':') == address.contains(':');
                of == protocol && *number == port && same_family && (at == address || any(at) || any(address))
            })
        };
        let port = match port {
            0 => (FIRST_FREE_PORT..).find(|port| !taken(*port)).unwrap_or(FIRST_FREE_PORT),
            port if taken(port) => {
                return Err(Fault { kind: Kind::Conflict, ..fault(Errno::EADDRINUSE) });
            }
            port => port,
        };
        let (reading, socket) = rustix::pipe::pipe().map_err(std::io::Error::from)?;
        ports.push((protocol.to_owned(), address.to_owned(), port, reading));
        Ok(Outcome { facts: facts([("port", &port)]), value: Value::Listener(socket, port) })
    }
}

/// Whether somebody holds the writing end.
fn is_held(pipe: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(pipe, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&now)).is_ok() && !asked[0].revents().contains(PollFlags::HUP)
}
