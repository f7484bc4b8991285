//! What /proc says about processes.

use std::fs;
use std::io;

/// Resident memory in bytes, `VmRSS` of proc_pid_status(5).
///
/// # Errors
/// When there is no such process.
pub fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.parse::<u64>().ok());
    kilobytes.map(|number| number * 1024).ok_or_else(|| io::Error::other(format!("no VmRSS for pid {pid}")))
}

/// The process that started this one, or that it was left to.
///
/// # Errors
/// When there is no such process.
pub fn parent(pid: u32) -> io::Result<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may itself hold brackets and blanks; state and parent follow.
    let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
    parent.ok_or_else(|| io::Error::other(format!("no parent for pid {pid}")))
}

/// Processes it started that are still there.
///
/// # Errors
/// When /proc cannot be read.
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(other) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may end while we look.
        if parent(other).is_ok_and(|parent| parent == pid) {
            children.push(other);
        }
    }
    Ok(children)
}
