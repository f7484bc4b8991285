//! Networks on the real kernel: interfaces by netlink, rules by nft(8), ports by bind(2).

mod netlink;
mod ports;
mod rules;
mod sandbox;

use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Value};
use crate::op::NetworkOp;
use crate::trace::facts;
use netlink::{Netlink, Veth};
use sandbox::Sandbox;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The daemon's hold on networks: the namespaces of its containers, by their short ids.
#[derive(Debug, Default)]
pub struct Network {
    host: OnceLock<Netlink>,
    sandboxes: Mutex<HashMap<String, Arc<Sandbox>>>,
}

impl Network {
    /// Performs one act. It may wait for the kernel's lock of all interfaces, or for nft.
    ///
    /// # Errors
    /// The kernel's refusal, or nft's.
    pub fn perform(&self, op: &NetworkOp) -> Result<Outcome, Fault> {
        match op {
            NetworkOp::CreateSandbox { sandbox } => return self.keep(sandbox, Sandbox::create()?),
            NetworkOp::OpenSandbox { sandbox, pid } => return self.keep(sandbox, Sandbox::of(*pid)?),
            NetworkOp::ReleaseSandbox { sandbox } => drop(self.sandboxes().remove(sandbox)),
            NetworkOp::CreateBridge { name, owner } => self.host()?.create_bridge(name, owner)?,
            NetworkOp::CreateVeth { host, inside, sandbox, mac, mtu } => {
                let sandbox = self.sandbox(sandbox)?;
                let mac = parse_mac(mac)?;
                let veth = Veth { host, inside, namespace: sandbox.fd(), mac, mtu: *mtu };
                self.host()?.create_veth(&veth)?;
            }
            NetworkOp::AttachToBridge { interface, bridge } => self.host()?.attach(interface, bridge)?,
            NetworkOp::AddAddress { interface, address, sandbox } => {
                let (address, prefix) = parse_address(address)?;
                self.through(sandbox.as_deref(), |link| link.add_address(interface, address, prefix))?;
            }
            NetworkOp::AddDefaultRoute { gateway, sandbox } => {
                let gateway: Ipv4Addr = gateway.parse().map_err(|_| malformed("gateway", gateway))?;
                self.through(Some(sandbox), |link| link.add_default_route(gateway))?;
            }
            NetworkOp::LinkUp { interface, sandbox: None } => super::jail::link_up(interface)?,
            NetworkOp::LinkUp { interface, sandbox } => {
                self.through(sandbox.as_deref(), |link| link.link_up(interface))?;
            }
            NetworkOp::RemoveLink { interface, sandbox } => {
                self.through(sandbox.as_deref(), |link| link.remove(interface))?;
            }
            NetworkOp::RemoveBridge { name, owner } => self.host()?.remove_bridge(name, owner)?,
            NetworkOp::ReplaceRules { table, rules } => rules::replace(table, rules)?,
            NetworkOp::RemoveRules { table } => rules::remove(table)?,
            NetworkOp::Listen { protocol, address, port } => return listen(protocol, address, *port),
        }
        Ok(Outcome::done())
    }

    /// Sockets of a resolver inside a container's namespace.
    ///
    /// # Errors
    /// As bind(2).
    pub fn resolver(&self, sandbox: &str, address: Ipv4Addr) -> io::Result<(UdpSocket, TcpListener)> {
        let sandbox = self.sandboxes().get(sandbox).cloned();
        let sandbox = sandbox.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
        sandbox.within(move || {
            let (udp, _) = ports::take("udp", IpAddr::V4(address), 53)?;
            let (tcp, _) = ports::take("tcp", IpAddr::V4(address), 53)?;
            Ok((udp.into(), tcp.into()))
        })
    }

    fn keep(&self, name: &str, sandbox: Sandbox) -> Result<Outcome, Fault> {
        let path = sandbox.path();
        let facts = facts([("inode", &sandbox.inode()), ("path", &path)]);
        self.sandboxes().insert(name.to_owned(), Arc::new(sandbox));
        Ok(Outcome { facts, value: Value::Sandbox(path) })
    }

    fn sandboxes(&self) -> MutexGuard<'_, HashMap<String, Arc<Sandbox>>> {
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sandbox(&self, name: &str) -> Result<Arc<Sandbox>, Fault> {
        let missing = || Fault::new(Kind::NotFound, format!("no namespace is open for container {name}"));
        self.sandboxes().get(name).cloned().ok_or_else(missing)
    }

    fn host(&self) -> io::Result<&Netlink> {
        if let Some(netlink) = self.host.get() {
            return Ok(netlink);
        }
        let opened = Netlink::open()?;
        Ok(self.host.get_or_init(|| opened))
    }

    fn through(
        &self,
        sandbox: Option<&str>,
        work: impl FnOnce(&Netlink) -> io::Result<()>,
    ) -> Result<(), Fault> {
        match sandbox {
            Some(name) => Ok(work(&self.sandbox(name)?.netlink)?),
            None => Ok(work(self.host()?)?),
        }
    }
}

fn listen(protocol: &str, address: &str, port: u16) -> Result<Outcome, Fault> {
    let parsed: IpAddr = address.parse().map_err(|_| malformed("address", address))?;
    let (socket, port) = ports::take(protocol, parsed, port).map_err(|error| match error.raw_os_error() {
        Some(libc::EADDRINUSE) => Fault { kind: Kind::Conflict, ..Fault::from(error) },
        _ => Fault::from(error),
    })?;
    Ok(Outcome { facts: facts([("port", &port)]), value: Value::Listener(socket, port) })
}

fn malformed(what: &str, value: &str) -> Fault {
    Fault::new(Kind::Invalid, format!("{value:?} is no {what}"))
}

fn parse_mac(text: &str) -> Result<[u8; 6], Fault> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| malformed("hardware address", text))
}

fn parse_address(text: &str) -> Result<(Ipv4Addr, u8), Fault> {
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| *prefix <= 32)?))
    });
    parsed.ok_or_else(|| malformed("address with a prefix", text))
}
