//! What is said between the shim and the process it cloned, until that has become the program: a
//! socket pair, SOCK_SEQPACKET. End of file means that execve(2) closed the other end.

use crate::kernel::OpError;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// Longest word; it is one packet.
const CAPACITY: usize = 64 * 1024;

/// From inside.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    /// Why the program never ran.
    Failed(Box<OpError>),
    /// The outer end of the terminal comes along.
    Terminal,
    /// The process inside was born, with this number on the host; its pidfd comes along.
    Born(u32),
}

/// One end of the wall.
#[derive(Debug)]
pub(super) struct Wall(OwnedFd);

impl Wall {
    /// The shim's end, and the one for inside.
    pub(super) fn pair() -> io::Result<(Wall, Wall)> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Wall(ours), Wall(theirs)))
    }

    /// The same end once more.
    pub(super) fn duplicate(&self) -> io::Result<Wall> {
        self.0.try_clone().map(Wall)
    }

    /// Lets the other side go on.
    pub(super) fn go(&self) {
        // A child that died already shows in its pidfd.
        let _ = send(&self.0, b"g", SendFlags::NOSIGNAL);
    }

    /// Waits to be let go; `false` when the shim went away first.
    pub(super) fn wait(&self) -> bool {
        let mut go = [0u8; 1];
        loop {
            match recv(&self.0, &mut go[..], RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                other => return matches!(other, Ok((1, _))),
            }
        }
    }

    /// Says a word.
    pub(super) fn say(&self, word: &Word, descriptor: Option<&OwnedFd>) -> io::Result<()> {
        let packet = serde_json::to_vec(word)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<_> = descriptor.iter().map(|descriptor| descriptor.as_fd()).collect();
        if !descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        sendmsg(&self.0, &[IoSlice::new(&packet)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The next word and what came along with it; `None` when nobody is left to say one.
    pub(super) fn listen(&self) -> Option<(Word, Option<OwnedFd>)> {
        let mut packet = vec![0u8; CAPACITY];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let length = loop {
            let into = &mut [IoSliceMut::new(&mut packet)];
            match recvmsg(&self.0, into, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Err(Errno::INTR) => {}
                Err(_) => return None,
                Ok(received) => break received.bytes,
            }
        };
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Some((serde_json::from_slice(&packet[..length]).ok()?, descriptor))
    }
}
