//! The container's terminal: pty(7), ioctl_tty(2).
//!
//! Nothing in `/dev` is trusted: what a container put in the place of its `ptmx` is not opened as
//! one, and the inner end is had from the outer one, not by its path.

use super::wall::{Wall, Word};
use crate::error::Kind;
use crate::kernel::{Fault, Outcome, Value};
use crate::trace::facts;
use rustix::fs::{Gid, Mode, OFlags, Uid, fchown, fstat, fstatfs, major, minor, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::io;
use std::os::fd::OwnedFd;

/// Where a new terminal is asked for.
const MULTIPLEXER: &str = "/dev/pts/ptmx";
/// `DEVPTS_SUPER_MAGIC` of linux/magic.h.
const DEVPTS: i64 = 0x1cd1;
/// The multiplexer's device number: linux/major.h, `TTYAUX_MAJOR`.
const MULTIPLEXER_DEVICE: (u32, u32) = (5, 2);

/// Makes a pair, hands the outer end over the wall and returns the inner one.
pub(super) fn create(
    wall: Option<&Wall>,
    window: (u16, u16),
    owner: u32,
) -> Result<(OwnedFd, Outcome), Fault> {
    let wall = wall.ok_or_else(|| Fault::new(Kind::Internal, "nobody holds the terminal's outer end"))?;
    let outer = multiplexer()?;
    unlockpt(&outer).map_err(fault)?;
    let inner = ioctl_tiocgptpeer(&outer, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .map_err(fault)?;
    let name = ptsname(&outer, Vec::new()).map_err(fault)?.to_string_lossy().into_owned();
    let (ws_row, ws_col) = window;
    tcsetwinsize(&outer, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).map_err(fault)?;
    fchown(&inner, Some(Uid::from_raw(owner)), None::<Gid>).map_err(fault)?;
    wall.say(&Word::Terminal, Some(&outer))?;
    Ok((inner, Outcome { facts: facts([("terminal", &name)]), value: Value::Terminal(name) }))
}

fn multiplexer() -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let outer = open(MULTIPLEXER, flags, Mode::empty()).map_err(fault)?;
    let stat = fstat(&outer).map_err(fault)?;
    let is_devpts = fstatfs(&outer).map_err(fault)?.f_type == DEVPTS;
    if !is_devpts || (major(stat.st_rdev), minor(stat.st_rdev)) != MULTIPLEXER_DEVICE {
        return Err(Fault::new(Kind::Denied, format!("{MULTIPLEXER} is no terminal multiplexer")));
    }
    Ok(outer)
}

/// Makes the inner end the session's terminal and the standard streams.
pub(super) fn control(inner: OwnedFd) -> Result<Outcome, Fault> {
    rustix::process::ioctl_tiocsctty(&inner).map_err(fault)?;
    rustix::stdio::dup2_stdin(&inner).map_err(fault)?;
    rustix::stdio::dup2_stdout(&inner).map_err(fault)?;
    rustix::stdio::dup2_stderr(&inner).map_err(fault)?;
    Ok(Outcome::done())
}

fn fault(errno: Errno) -> Fault {
    io::Error::from(errno).into()
}
