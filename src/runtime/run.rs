//! `learn runtime run --bundle DIR ID`: one bundle, from start to exit, without a daemon.

use super::error::Error;
use super::launch::{self, Launched};
use crate::kernel::{Jail, Machine, Report, Stdio, TracedJail};
use crate::trace::{Decision, Event};
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::os::fd::AsFd;

/// Runs a bundle with the caller's standard streams and returns Docker's exit code.
///
/// # Errors
/// Why the container did not start.
pub fn run(jail: &mut dyn Jail, machine: &Machine, bundle: &str) -> Result<i32, Error> {
    let spec = launch::read_spec(&TracedJail::new(jail, Box::new(Silent), 0), bundle)?;
    if spec.process().as_ref().and_then(|process| process.terminal()) == Some(true) {
        return Err(Error::Unsupported(
            "process.terminal: alone this runtime hands on its own streams".into(),
        ));
    }
    let stdio =
        own_streams().map_err(|source| Error::Plumbing { doing: "duplicate standard streams", source })?;
    let mut jail = TracedJail::new(jail, Box::new(Silent), 0);
    let Launched { mut child, groups } = launch::launch(&mut jail, machine, bundle, stdio)?;
    let result = wait(&mut *child);
    // Every group that can go goes, whatever became of the one before.
    let failures: Vec<_> = groups.release().into_iter().filter_map(|op| jail.perform(op).err()).collect();
    let code = result.map_err(|source| Error::Plumbing { doing: "wait for the container", source })?;
    failures.into_iter().next().map_or(Ok(code), |error| Err(error.into()))
}

fn own_streams() -> io::Result<Stdio> {
    Ok(Stdio {
        stdin: io::stdin().as_fd().try_clone_to_owned()?,
        stdout: io::stdout().as_fd().try_clone_to_owned()?,
        stderr: io::stderr().as_fd().try_clone_to_owned()?,
    })
}

fn wait(child: &mut dyn crate::kernel::Child) -> io::Result<i32> {
    loop {
        match poll(&mut [PollFd::new(&child.ended(), PollFlags::IN)], None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(child.reap()?.code())
}

/// Nobody listens to a runtime that runs alone.
struct Silent;

impl Report for Silent {
    fn record(&mut self, _: u32, _: Event) {}
    fn flush(&mut self) {}
    fn gate(&mut self, _: u32, _: &Event) -> Decision {
        Decision::Free
    }
    fn split(&self) -> Box<dyn Report> {
        Box::new(Silent)
    }
    fn scope_id(&mut self) -> u32 {
        0
    }
    fn open_for_rollback(&mut self) {}
}
