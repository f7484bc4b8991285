//! Network interfaces, addresses, routes, rules and ports: rtnetlink(7), veth(4), nft(8).
//!
//! An act names the namespace it happens in: the host's when `sandbox` is absent, else that of a
//! container, by its short id.

use super::{Op, quote};
use serde::{Deserialize, Serialize};

/// An act on a network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum NetworkOp {
    /// Makes a network namespace for a container before there is a process in it.
    CreateSandbox {
        /// Short id of the container.
        sandbox: String,
    },
    /// Opens the network namespace of a container that runs.
    OpenSandbox {
        /// Short id of the container.
        sandbox: String,
        /// A process in it, on the host.
        pid: u32,
    },
    /// Lets go of a network namespace: with its last process it ends, and its interfaces with it.
    ReleaseSandbox {
        /// Short id of the container.
        sandbox: String,
    },
    /// Makes a bridge: a switch made of software.
    CreateBridge {
        /// Its name: `learn0`.
        name: String,
        /// Whose it is; kept as the interface's alias.
        owner: String,
    },
    /// Makes a pair of interfaces, one here and one in a container's namespace: what goes into one
    /// comes out of the other.
    CreateVeth {
        /// The end that stays here.
        host: String,
        /// The end inside: `eth0`.
        inside: String,
        /// The container.
        sandbox: String,
        /// Hardware address of the end inside.
        mac: String,
        /// Longest packet in bytes.
        mtu: u32,
    },
    /// Plugs an interface into a bridge and switches it on.
    AttachToBridge {
        /// The interface.
        interface: String,
        /// The bridge.
        bridge: String,
    },
    /// Gives an interface an address.
    AddAddress {
        /// The interface.
        interface: String,
        /// With the length of the network's prefix: `172.17.0.2/16`.
        address: String,
        /// Where the interface is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<String>,
    },
    /// Says where packets for everywhere else go.
    AddDefaultRoute {
        /// The next hop.
        gateway: String,
        /// The container.
        sandbox: String,
    },
    /// Switches an interface on.
    LinkUp {
        /// Its name: `lo`.
        interface: String,
        /// Where the interface is; absent for the caller's own namespace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<String>,
    },
    /// Removes an interface, and the other end of a pair with it.
    RemoveLink {
        /// Its name.
        interface: String,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<String>,
    },
    /// Removes a bridge that is this engine's own.
    RemoveBridge {
        /// Its name.
        name: String,
        /// Whose it must be; another's stays.
        owner: String,
    },
    /// Replaces this engine's own table of rules, in one transaction.
    ReplaceRules {
        /// The table: `ip learn`.
        table: String,
        /// What is in it, in nft(8)'s language.
        rules: String,
    },
    /// Removes this engine's own table of rules.
    RemoveRules {
        /// The table.
        table: String,
    },
    /// Takes a port of the host.
    Listen {
        /// `tcp` or `udp`.
        protocol: String,
        /// Address of the host: `0.0.0.0`.
        address: String,
        /// The port; 0 for any free one.
        port: u16,
    },
}

impl NetworkOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            NetworkOp::CreateSandbox { .. } => {
                "unshare(CLONE_NEWNET); open(\"/proc/thread-self/ns/net\")".into()
            }
            NetworkOp::OpenSandbox { pid, .. } => format!("open(\"/proc/{pid}/ns/net\")"),
            NetworkOp::ReleaseSandbox { .. } => "close(/* the namespace */)".into(),
            NetworkOp::CreateBridge { name, owner } => format!(
                "sendto(netlink, {{RTM_NEWLINK, IFLA_IFNAME={name:?}, IFLA_IFALIAS={owner:?}, kind=\"bridge\"}})"
            ),
            NetworkOp::CreateVeth { host, inside, mac, mtu, .. } => format!(
                "sendto(netlink, {{RTM_NEWLINK, IFLA_IFNAME={host:?}, IFLA_MTU={mtu}, kind=\"veth\", \
                 peer={{IFLA_IFNAME={inside:?}, IFLA_ADDRESS={mac}, IFLA_NET_NS_FD}}}})"
            ),
            NetworkOp::AttachToBridge { interface, bridge } => format!(
                "sendto(netlink, {{RTM_NEWLINK, IFLA_IFNAME={interface:?}, IFLA_MASTER={bridge:?}, IFF_UP}})"
            ),
            NetworkOp::AddAddress { interface, address, .. } => {
                format!("sendto(netlink, {{RTM_NEWADDR, {interface:?}, IFA_LOCAL={address}}})")
            }
            NetworkOp::AddDefaultRoute { gateway, .. } => {
                format!("sendto(netlink, {{RTM_NEWROUTE, default, RTA_GATEWAY={gateway}}})")
            }
            NetworkOp::LinkUp { interface, sandbox: None } => {
                format!("ioctl(socket(AF_INET), SIOCSIFFLAGS, {{ifr_name={interface:?}, ifr_flags=IFF_UP}})")
            }
            NetworkOp::LinkUp { interface, sandbox: Some(_) } => {
                format!("sendto(netlink, {{RTM_NEWLINK, IFLA_IFNAME={interface:?}, IFF_UP}})")
            }
            NetworkOp::RemoveLink { interface, .. } => {
                format!("sendto(netlink, {{RTM_DELLINK, IFLA_IFNAME={interface:?}}})")
            }
            NetworkOp::RemoveBridge { name, .. } => {
                format!("sendto(netlink, {{RTM_DELLINK, IFLA_IFNAME={name:?}}})")
            }
            NetworkOp::ReplaceRules { table, .. } => {
                format!(
                    "sendto(nfnetlink, {{NFT_MSG_DELTABLE, NFT_MSG_NEWTABLE {table:?}, NFT_MSG_NEWRULE, …}})"
                )
            }
            NetworkOp::RemoveRules { table } => {
                format!("sendto(nfnetlink, {{NFT_MSG_DELTABLE {table:?}}})")
            }
            NetworkOp::Listen { protocol, address, port } if protocol == "udp" => {
                format!("bind(socket(SOCK_DGRAM), {address}, {port})")
            }
            NetworkOp::Listen { address, port, .. } => {
                format!("bind(socket(SOCK_STREAM), {address}, {port}); listen()")
            }
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            NetworkOp::CreateSandbox { sandbox } => format!("ip netns add {}", quote(sandbox)),
            NetworkOp::OpenSandbox { sandbox, pid } => format!("ip netns attach {} {pid}", quote(sandbox)),
            NetworkOp::ReleaseSandbox { sandbox } => format!("ip netns del {}", quote(sandbox)),
            NetworkOp::CreateBridge { name, owner } => {
                format!("ip link add {} type bridge; ip link set {0} alias {}", quote(name), quote(owner))
            }
            NetworkOp::CreateVeth { host, inside, sandbox, mac, mtu } => format!(
                "ip link add {} mtu {mtu} type veth peer name {} mtu {mtu} address {mac} netns {}",
                quote(host),
                quote(inside),
                quote(sandbox)
            ),
            NetworkOp::AttachToBridge { interface, bridge } => {
                format!("ip link set {} master {} up", quote(interface), quote(bridge))
            }
            NetworkOp::AddAddress { interface, address, sandbox } => {
                format!("ip{} addr add {address} dev {}", within(sandbox.as_deref()), quote(interface))
            }
            NetworkOp::AddDefaultRoute { gateway, sandbox } => {
                format!("ip{} route add default via {gateway}", within(Some(sandbox)))
            }
            NetworkOp::LinkUp { interface, sandbox } => {
                format!("ip{} link set {} up", within(sandbox.as_deref()), quote(interface))
            }
            NetworkOp::RemoveLink { interface, sandbox } => {
                format!("ip{} link del {}", within(sandbox.as_deref()), quote(interface))
            }
            NetworkOp::RemoveBridge { name, .. } => format!("ip link del {}", quote(name)),
            NetworkOp::ReplaceRules { rules, .. } => format!("nft -f - <<'EOF'\n{rules}EOF"),
            NetworkOp::RemoveRules { table } => format!("nft delete table {table}"),
            NetworkOp::Listen { protocol, address, port } => {
                let datagrams = if protocol == "udp" { "u" } else { "" };
                format!("nc -l{datagrams} -s {address} -p {port}")
            }
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        let op = match self {
            NetworkOp::CreateSandbox { sandbox } => NetworkOp::ReleaseSandbox { sandbox: sandbox.clone() },
            NetworkOp::CreateBridge { name, owner } => {
                NetworkOp::RemoveBridge { name: name.clone(), owner: owner.clone() }
            }
            NetworkOp::CreateVeth { host, .. } => {
                NetworkOp::RemoveLink { interface: host.clone(), sandbox: None }
            }
            _ => return None,
        };
        Some(op.into())
    }
}

/// ip(8)'s option for a namespace.
fn within(sandbox: Option<&str>) -> String {
    sandbox.map_or(String::new(), |sandbox| format!(" -n {}", quote(sandbox)))
}
