//! The proxy: the process that carries published ports into one container, from loopback, from the
//! container's own network, and from everywhere where no rule does it sooner.
//!
//! It gets its sockets bound already, belongs to no daemon, and ends with the container.

mod datagram;
mod stream;

use super::channel;
use super::error::Error;
use super::protocol::Carry;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// The proxy's whole life: its standard input is the socket that its ports come over.
///
/// # Errors
/// When the conversation breaks, or a socket cannot be watched.
pub fn main() -> Result<(), Error> {
    // Shown by ps(1); the kernel would say the name of the descriptor this was executed from.
    let _ = nix::sys::prctl::set_name(c"learn-proxy");
    let ports = ports().map_err(plumbing("receive ports"))?;
    let Some(ends_with) = ports.first().map(|(carry, _)| carry.ends_with) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(plumbing("start"))?;
    let _within = runtime.enter();
    ports.into_iter().try_for_each(carry).map_err(plumbing("carry"))?;
    wait_for(ends_with).map_err(plumbing("wait for the container"))
}

/// Everything the daemon sends before it closes its end.
fn ports() -> io::Result<Vec<(Carry, OwnedFd)>> {
    let control = super::shim::take_stdin()?;
    let mut ports = Vec::new();
    while let Some((carry, socket)) = channel::receive::<Carry>(&control)? {
        ports.extend(socket.map(|socket| (carry, socket)));
    }
    Ok(ports)
}

fn carry((carry, socket): (Carry, OwnedFd)) -> io::Result<()> {
    let to: SocketAddr = carry.to.parse().map_err(io::Error::other)?;
    if carry.protocol == "udp" {
        tokio::spawn(datagram::carry(tokio::net::UdpSocket::from_std(socket.into())?, to));
    } else {
        tokio::spawn(stream::carry(tokio::net::TcpListener::from_std(socket.into())?, to));
    }
    Ok(())
}

/// Returns when the process has ended: pidfd_open(2).
fn wait_for(pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    // One that ended already is waited for no longer: ESRCH.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    while let Err(Errno::INTR) = poll(&mut [PollFd::new(&process, PollFlags::IN)], None) {}
    Ok(())
}

fn plumbing(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Plumbing { doing, source }
}
