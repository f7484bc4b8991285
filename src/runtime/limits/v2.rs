//! cgroup v2: one hierarchy for all controllers. Kernel documentation, admin-guide/cgroup-v2.

use super::limit::{Limit, Throttle};
use super::{Line, bounded};
use crate::kernel::machine::CgroupV2;

/// Controllers a container's group is given, where the machine has them.
const DELEGATED: [&str; 7] = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids", "rdma"];

/// Microseconds; the kernel's own period.
const PERIOD: u64 = 100_000;

/// A group has a controller's files only when every level above enabled that controller for its
/// children. The group's directory exists by now, and so do its parents.
pub(super) fn delegation(v2: &CgroupV2, path: &str) -> Vec<Line> {
    let enable: Vec<String> = DELEGATED
        .iter()
        .filter(|controller| v2.controllers.iter().any(|known| known == *controller))
        .map(|controller| format!("+{controller}"))
        .collect();
    if enable.is_empty() {
        return Vec::new();
    }
    let mut directory = v2.mount.clone();
    let mut lines = Vec::new();
    for level in path.split('/') {
        lines.push((format!("{directory}/cgroup.subtree_control"), enable.join(" ")));
        directory = format!("{directory}/{level}");
    }
    lines
}

/// The control files of one limit; `None` for a limit v2 does not have.
pub(super) fn lines(limit: &Limit) -> Option<Vec<Line>> {
    let (file, value) = match limit {
        Limit::Memory(bytes) => ("memory.max", bounded(*bytes)),
        Limit::MemoryReservation(bytes) => ("memory.low", bounded(*bytes)),
        Limit::MemorySwap { total, memory } => ("memory.swap.max", swap(*total, *memory)),
        Limit::CpuShares(shares) => ("cpu.weight", weight(*shares).to_string()),
        Limit::CpuBandwidth { quota, period } => {
            let quota = quota.map_or("max".to_owned(), bounded);
            ("cpu.max", format!("{quota} {}", period.unwrap_or(PERIOD)))
        }
        Limit::CpuBurst(burst) => ("cpu.max.burst", burst.to_string()),
        Limit::CpuIdle(idle) => ("cpu.idle", idle.to_string()),
        Limit::Cpus(cpus) => ("cpuset.cpus", cpus.clone()),
        Limit::Mems(mems) => ("cpuset.mems", mems.clone()),
        Limit::Pids(limit) => ("pids.max", bounded(*limit)),
        Limit::IoWeight(weight) => ("io.weight", io_weight(*weight).to_string()),
        Limit::IoWeightDevice(device) => {
            let weight = io_weight(device.weight()?);
            ("io.weight", format!("{}:{} {weight}", device.major(), device.minor()))
        }
        Limit::IoThrottle { what, device } => {
            let line = format!("{}:{} {}={}", device.major(), device.minor(), throttle(*what), device.rate());
            ("io.max", line)
        }
        Limit::Hugepages(page) => {
            return Some(vec![(format!("hugetlb.{}.max", page.page_size()), page.limit().to_string())]);
        }
        Limit::Rdma { device, limit } => ("rdma.max", super::rdma(device, limit)),
        // The name is a file of the group, never a way out of it.
        Limit::Unified { file, .. } if file.contains('/') => return None,
        Limit::Unified { file, value } => return Some(vec![(file.clone(), value.clone())]),
        Limit::Swappiness(_)
        | Limit::OomKillDisable
        | Limit::KernelMemory
        | Limit::KernelTcpMemory(_)
        | Limit::CpuRealtime { .. }
        | Limit::IoLeafWeight
        | Limit::NetworkClass(_)
        | Limit::NetworkPriority(_) => return None,
    };
    Some(vec![(file.to_owned(), value)])
}

/// v1's memory and swap together become v2's swap alone.
fn swap(total: i64, memory: Option<i64>) -> String {
    match memory {
        _ if total < 0 => "max".to_owned(),
        Some(memory) if memory > 0 => (total - memory).max(0).to_string(),
        _ => total.to_string(),
    }
}

fn throttle(what: Throttle) -> &'static str {
    match what {
        Throttle::ReadBytes => "rbps",
        Throttle::WriteBytes => "wbps",
        Throttle::ReadOperations => "riops",
        Throttle::WriteOperations => "wiops",
    }
}

/// v1's shares 2..262144 onto v2's weight 1..10000, as the OCI runtime specification maps them.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

/// v1's weight 10..1000 onto v2's 1..10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight).clamp(10, 1_000) - 10) * 9_999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_map_onto_weights_at_both_ends_and_the_default() {
        assert_eq!([weight(2), weight(1024), weight(262_144)], [1, 39, 10_000]);
    }
}
