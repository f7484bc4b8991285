//! The daemon's end of a shim's control socket: SOCK_SEQPACKET, one JSON document a packet
//! (unix(7)), descriptors beside it (SCM_RIGHTS).

use crate::runtime::protocol::FromShim;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use serde::Serialize;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// A connected control socket. Tokio has no type for SOCK_SEQPACKET; a datagram socket's readiness
/// is the same, and reading and writing are done here.
#[derive(Debug)]
pub struct ShimSocket(UnixDatagram);

impl ShimSocket {
    /// A pair: the daemon's end, and the one the shim will have as its standard input.
    ///
    /// # Errors
    /// As socketpair(2).
    pub fn pair() -> io::Result<(ShimSocket, OwnedFd)> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((ShimSocket::new(ours)?, theirs))
    }

    /// Connects to a shim that outlived its daemon.
    ///
    /// # Errors
    /// As connect(2): nobody listens when the shim is gone.
    pub fn connect(path: &str) -> io::Result<ShimSocket> {
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
        ShimSocket::new(socket)
    }

    /// Only this end stops blocking: the flag belongs to the open socket, not to the pair.
    fn new(socket: OwnedFd) -> io::Result<ShimSocket> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        UnixDatagram::from_std(socket.into()).map(ShimSocket)
    }

    /// Sends a message, and a descriptor with it.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub async fn send(&self, message: &impl Serialize, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let packet = serde_json::to_vec(message)?;
        self.0.async_io(Interest::WRITABLE, || send_packet(self.0.as_fd(), &packet, descriptor)).await
    }

    /// The next message; `None` when the shim has closed its end.
    ///
    /// # Errors
    /// As recv(2), and a packet that is no message.
    pub async fn receive(&self) -> io::Result<Option<FromShim>> {
        let packet = self.0.async_io(Interest::READABLE, || receive_packet(self.0.as_fd())).await?;
        if packet.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&packet)?)) }
    }
}

fn send_packet(socket: BorrowedFd<'_>, packet: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor]);
    if let Some(descriptors) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    rustix::net::sendmsg(socket, &[io::IoSlice::new(packet)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Asks for the packet's length first, so that no buffer must fit the longest there could be.
fn receive_packet(socket: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut none = [0_u8; 0];
    let (_, length) = rustix::net::recv(socket, &mut none[..], RecvFlags::PEEK | RecvFlags::TRUNC)?;
    let mut packet = vec![0; length];
    if length > 0 {
        rustix::net::recv(socket, &mut packet[..], RecvFlags::empty())?;
    }
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::protocol::ToShim;
    use crate::trace::Decision;

    #[tokio::test]
    async fn packets_keep_their_borders_and_the_end_is_seen() {
        let (ours, theirs) = ShimSocket::pair().unwrap();
        for pid in [7, 8] {
            let started = serde_json::to_vec(&FromShim::Started { pid, shim: 1 }).unwrap();
            rustix::net::send(&theirs, &started, SendFlags::empty()).unwrap();
        }
        assert!(matches!(ours.receive().await.unwrap(), Some(FromShim::Started { pid: 7, .. })));
        assert!(matches!(ours.receive().await.unwrap(), Some(FromShim::Started { pid: 8, .. })));
        ours.send(&ToShim::Decide(Decision::Next), None).await.unwrap();
        let mut packet = [0; 64];
        let (_, length) = rustix::net::recv(&theirs, &mut packet[..], RecvFlags::empty()).unwrap();
        assert!(matches!(serde_json::from_slice(&packet[..length]), Ok(ToShim::Decide(Decision::Next))));
        drop(theirs);
        assert!(ours.receive().await.unwrap().is_none());
    }
}
