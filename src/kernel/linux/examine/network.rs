//! Two questions by netlink(7): would the kernel make a veth pair, and does it know nftables?

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use std::os::fd::AsRawFd;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN`
const NFT_GETGEN: u16 = 10 << 8 | 16;

/// Makes a veth pair with names of the kernel's choice: rtnetlink(7).
pub(super) fn make_veth() -> nix::Result<()> {
    let kind = attribute(IFLA_INFO_KIND, b"veth\0");
    let mut body = vec![0; 16]; // struct ifinfomsg, nothing chosen
    body.extend(attribute(IFLA_LINKINFO, &kind));
    ask(SockProtocol::NetlinkRoute, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, &body)
}

/// Asks for the rule set's generation, which changes nothing.
pub(super) fn ask_nftables() -> nix::Result<()> {
    // struct nfgenmsg: AF_UNSPEC, version 0, resource 0
    ask(SockProtocol::NetlinkNetFilter, NFT_GETGEN, NLM_F_REQUEST, &[0; 4])
}

/// Sends one message; an answer other than an error is a yes.
fn ask(protocol: SockProtocol, kind: u16, flags: u16, body: &[u8]) -> nix::Result<()> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    let length = u32::try_from(16 + body.len()).map_err(|_| Errno::EMSGSIZE)?;
    let mut message = Vec::new();
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]); // sequence, port
    message.extend(body);
    send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 8192];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    verdict(&answer[..length])
}

/// An error message carries a negative error number after its header; 0 is an acknowledgement.
fn verdict(answer: &[u8]) -> nix::Result<()> {
    let field = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    match answer.get(4..6) {
        Some(kind) if kind == NLMSG_ERROR.to_ne_bytes() => match field(16).map(i32::from_ne_bytes) {
            Some(0) => Ok(()),
            Some(errno) => Err(Errno::from_raw(-errno)),
            None => Err(Errno::EBADMSG),
        },
        Some(_) => Ok(()),
        None => Err(Errno::EBADMSG),
    }
}

/// Length, type, value, padded to four bytes.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
