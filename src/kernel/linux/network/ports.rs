//! Ports of the host, taken by binding them: bind(2).

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, listen, socket_with};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// Connections that may wait to be taken.
const BACKLOG: i32 = 4096;

/// Takes a port; gives the socket and the port it got.
///
/// # Errors
/// EADDRINUSE when another program has it, EADDRNOTAVAIL for an address this machine has not.
pub(super) fn take(protocol: &str, address: IpAddr, port: u16) -> io::Result<(OwnedFd, u16)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let stream = protocol != "udp";
    let kind = if stream { SocketType::STREAM } else { SocketType::DGRAM };
    let taken = socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&taken, true)?;
    }
    if stream {
        // Connections of an earlier proxy that still linger are no reason to refuse.
        set_socket_reuseaddr(&taken, true)?;
    }
    bind(&taken, &SocketAddr::new(address, port))?;
    if stream {
        listen(&taken, BACKLOG)?;
    }
    let name: SocketAddr = getsockname(&taken)?.try_into()?;
    Ok((taken, name.port()))
}
