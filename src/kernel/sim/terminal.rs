//! The modelled terminal: numbered and placed as the model's devpts would, with a real pair of
//! ends behind it, as programs' pipes are real. pty(7).

use super::jail::{SimJail, fault};
use super::walk::Last;
use super::world::lock;
use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Stdio, Value};
use crate::op::TerminalOp;
use crate::trace::facts;
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::io;
use std::os::fd::OwnedFd;

/// Where a new terminal is asked for.
const MULTIPLEXER: &str = "/dev/pts";

/// The two ends of a container's terminal.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    /// The shim's.
    pub(super) outer: Option<OwnedFd>,
    /// The program's.
    pub(super) inner: Option<OwnedFd>,
}

impl SimJail {
    /// Performs one act on the terminal.
    ///
    /// # Errors
    /// ENOENT without a devpts; EPERM for who leads no session; the host's refusal of a terminal.
    pub(super) fn terminal_op(&mut self, op: &TerminalOp) -> Result<Outcome, Fault> {
        match op {
            TerminalOp::Open { rows, columns, .. } => {
                let number = lock(&self.world).next_terminal(self.pid).map_err(fault)?;
                self.terminal = pair(*rows, *columns)?;
                let name = format!("/dev/pts/{number}");
                Ok(Outcome { facts: facts([("terminal", &name)]), value: Value::Terminal(name) })
            }
            TerminalOp::Control => {
                if lock(&self.world).processes.get(self.pid).map_err(fault)?.session != self.pid {
                    return Err(fault(Errno::EPERM));
                }
                let missing = || Fault::new(Kind::Internal, "there is no terminal to control");
                let inner = self.terminal.inner.take().ok_or_else(missing)?;
                let (stdout, stderr) = (inner.try_clone()?, inner.try_clone()?);
                self.streams = Some(Stdio { stdin: inner, stdout, stderr });
                Ok(Outcome::done())
            }
        }
    }
}

fn pair(ws_row: u16, ws_col: u16) -> io::Result<Terminal> {
    let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&outer)?;
    unlockpt(&outer)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let inner = open(ptsname(&outer, Vec::new())?, flags, Mode::empty())?;
    tcsetwinsize(&outer, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok(Terminal { outer: Some(outer), inner: Some(inner) })
}

impl super::world::World {
    /// A new terminal in the caller's devpts: its node appears there, with the next number.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR; ENODEV when it is no devpts.
    fn next_terminal(&mut self, who: super::processes::Pid) -> Result<usize, Errno> {
        let at = self.resolve(who, MULTIPLEXER, Last::Follow)?;
        if self.fs_at(at)?.name != "devpts" {
            return Err(Errno::ENODEV);
        }
        let taken = self.list(who, MULTIPLEXER)?.into_iter().filter(|name| name.parse::<u32>().is_ok());
        let number = taken.count();
        let node = super::tree::Node::device(136, u32::try_from(number).unwrap_or_default(), 0o620);
        self.create(who, &format!("{MULTIPLEXER}/{number}"), node)?;
        Ok(number)
    }
}
