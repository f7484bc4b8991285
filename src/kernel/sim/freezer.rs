//! Frozen groups: freezer-subsystem (v1) and `cgroup.freeze` (v2) of the kernel documentation.

use super::processes::Pid;
use super::world::World;
use crate::op::CgroupOp;
use bytes::Bytes;
use nix::errno::Errno;
use nix::libc::SIGKILL;

/// Whether a process is frozen, and by which version: they treat signals differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freezer {
    /// It runs.
    #[default]
    Thawed,
    /// v1: every signal waits until it is thawed, SIGKILL too.
    V1,
    /// v2: SIGKILL ends it all the same.
    V2,
}

impl Freezer {
    /// Whether a signal has to wait.
    pub fn holds(self, signal: i32) -> bool {
        match self {
            Freezer::Thawed => false,
            Freezer::V1 => true,
            Freezer::V2 => signal != SIGKILL,
        }
    }
}

impl World {
    /// Writes a group's freezer file.
    ///
    /// # Errors
    /// ENOENT, EACCES.
    pub(super) fn freeze(&mut self, who: Pid, file: &str, frozen: bool) -> Result<(), Errno> {
        let word = CgroupOp::freezer_word(file, frozen);
        self.write(who, file, Bytes::from_static(word.as_bytes()))
    }

    /// Freezes or thaws the members of a group; what waited is delivered.
    ///
    /// # Errors
    /// EINVAL for a word the file does not know.
    pub(super) fn set_frozen(&mut self, who: Pid, members: Vec<Pid>, word: &str) -> Result<(), Errno> {
        let freezer = match word.trim_end() {
            "FROZEN" => Freezer::V1,
            "1" => Freezer::V2,
            "THAWED" | "0" => Freezer::Thawed,
            _ => return Err(Errno::EINVAL),
        };
        for pid in members {
            let process = self.processes.get_mut(pid)?;
            process.freezer = freezer;
            if freezer == Freezer::Thawed {
                let pending = std::mem::take(&mut process.pending);
                pending.into_iter().try_for_each(|signal| self.signal(who, pid, signal))?;
            }
        }
        Ok(())
    }
}
