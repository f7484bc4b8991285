//! A socket to the kernel's table of interfaces, addresses and routes: rtnetlink(7). It belongs to
//! the network namespace its maker was in, wherever its user is.

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::sys::socket::{
    AddressFamily as Family, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;

/// Main routing table: `RT_TABLE_MAIN`.
const MAIN_TABLE: u8 = 254;

/// Longest answer to one question.
const ANSWER_CAPACITY: usize = 32 * 1024;

/// One question at a time.
#[derive(Debug)]
pub(super) struct Netlink(Mutex<OwnedFd>);

/// The two ends of a pair that is to be.
pub(super) struct Veth<'a> {
    /// Here.
    pub host: &'a str,
    /// In the namespace.
    pub inside: &'a str,
    /// The namespace.
    pub namespace: BorrowedFd<'a>,
    /// Of the end inside.
    pub mac: [u8; 6],
    /// Of both.
    pub mtu: u32,
}

impl Netlink {
    /// A socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// As socket(2).
    pub(super) fn open() -> io::Result<Netlink> {
        let protocol = SockProtocol::NetlinkRoute;
        Ok(Netlink(Mutex::new(socket(Family::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?)))
    }

    /// Makes a bridge that keeps what is told to it apart from firewalls of bridged packets.
    pub(super) fn create_bridge(&self, name: &str, owner: &str) -> io::Result<()> {
        let data = InfoData::Bridge(vec![InfoBridge::ForwardDelay(0)]);
        let info = vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(data)];
        let mut link = named(name);
        link.attributes.push(LinkAttribute::LinkInfo(info));
        self.change(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)?;
        let mut alias = named(name);
        alias.attributes.push(LinkAttribute::IfAlias(owner.to_owned()));
        self.change(RouteNetlinkMessage::SetLink(alias), 0)
    }

    /// Makes a pair whose other end is born in another namespace: no interface has to move.
    pub(super) fn create_veth(&self, veth: &Veth<'_>) -> io::Result<()> {
        let mut peer = named(veth.inside);
        peer.attributes.extend([
            LinkAttribute::Address(veth.mac.to_vec()),
            LinkAttribute::Mtu(veth.mtu),
            LinkAttribute::NetNsFd(veth.namespace.as_raw_fd()),
        ]);
        let mut link = named(veth.host);
        link.attributes.push(LinkAttribute::Mtu(veth.mtu));
        link.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        self.change(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Plugs an interface into a bridge and switches it on.
    pub(super) fn attach(&self, interface: &str, bridge: &str) -> io::Result<()> {
        let mut link = up(interface);
        link.attributes.push(LinkAttribute::Controller(self.index(bridge)?));
        self.change(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// Switches an interface on.
    pub(super) fn link_up(&self, interface: &str) -> io::Result<()> {
        self.change(RouteNetlinkMessage::SetLink(up(interface)), 0)
    }

    /// Removes an interface; one that is gone already is gone.
    pub(super) fn remove(&self, interface: &str) -> io::Result<()> {
        match self.change(RouteNetlinkMessage::DelLink(named(interface)), 0) {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
            result => result,
        }
    }

    /// Removes a bridge whose alias names `owner`; one that is gone already is gone.
    pub(super) fn remove_bridge(&self, name: &str, owner: &str) -> io::Result<()> {
        let asked = self.ask(RouteNetlinkMessage::GetLink(named(name)), 0);
        let link = match asked {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(()),
            Ok(Some(RouteNetlinkMessage::NewLink(link))) => link,
            Ok(_) => return Ok(()),
            Err(error) => return Err(error),
        };
        let ours =
            |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::IfAlias(alias) if alias == owner);
        if !link.attributes.iter().any(ours) {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        self.remove(name)
    }

    /// Gives an interface an address.
    pub(super) fn add_address(&self, interface: &str, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = prefix;
        message.header.index = self.index(interface)?;
        let hosts = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
        message.attributes = vec![
            AddressAttribute::Local(IpAddr::V4(address)),
            AddressAttribute::Address(IpAddr::V4(address)),
            AddressAttribute::Broadcast(Ipv4Addr::from(u32::from(address) | hosts)),
        ];
        self.change(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Where packets for everywhere else go.
    pub(super) fn add_default_route(&self, gateway: Ipv4Addr) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.table = MAIN_TABLE;
        message.header.protocol = RouteProtocol::Boot;
        message.header.scope = RouteScope::Universe;
        message.header.kind = RouteType::Unicast;
        message.attributes = vec![RouteAttribute::Gateway(RouteAddress::Inet(gateway))];
        self.change(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// The kernel's number of an interface.
    fn index(&self, interface: &str) -> io::Result<u32> {
        match self.ask(RouteNetlinkMessage::GetLink(named(interface)), 0)? {
            Some(RouteNetlinkMessage::NewLink(link)) => Ok(link.header.index),
            _ => Err(io::Error::from_raw_os_error(libc::ENODEV)),
        }
    }

    fn change(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.ask(message, flags | NLM_F_ACK).map(drop)
    }

    /// Sends one message and takes its answer: an object, or an acknowledgement.
    fn ask(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<Option<RouteNetlinkMessage>> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        let socket = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        send(socket.as_raw_fd(), &bytes, MsgFlags::empty())?;
        let mut answer = vec![0; ANSWER_CAPACITY];
        let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        let answer: NetlinkMessage<RouteNetlinkMessage> =
            NetlinkMessage::deserialize(&answer[..length]).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::InnerMessage(message) => Ok(Some(message)),
            NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
            _ => Ok(None),
        }
    }
}

fn named(name: &str) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link
}

fn up(name: &str) -> LinkMessage {
    let mut link = named(name);
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    link
}
