//! cgroup v1: one hierarchy a controller. Kernel documentation, admin-guide/cgroup-v1.

use super::Line;
use super::limit::{Limit, Throttle};
use crate::kernel::machine::Cpuset;

/// The control files of one limit; `None` for a limit v1 does not have.
pub(super) fn lines(limit: &Limit) -> Option<Vec<Line>> {
    let one = |file: &str, value: &dyn ToString| vec![(file.to_owned(), value.to_string())];
    Some(match limit {
        Limit::Memory(bytes) => one("memory.limit_in_bytes", bytes),
        Limit::MemoryReservation(bytes) => one("memory.soft_limit_in_bytes", bytes),
        Limit::MemorySwap { total, .. } => one("memory.memsw.limit_in_bytes", total),
        Limit::Swappiness(value) => one("memory.swappiness", value),
        Limit::OomKillDisable => one("memory.oom_control", &1),
        Limit::KernelTcpMemory(bytes) => one("memory.kmem.tcp.limit_in_bytes", bytes),
        Limit::CpuShares(shares) => one("cpu.shares", shares),
        Limit::CpuBandwidth { quota, period } => pair("cpu.cfs_period_us", period, "cpu.cfs_quota_us", quota),
        Limit::CpuBurst(burst) => one("cpu.cfs_burst_us", burst),
        Limit::CpuIdle(idle) => one("cpu.idle", idle),
        Limit::CpuRealtime { runtime, period } => {
            pair("cpu.rt_period_us", period, "cpu.rt_runtime_us", runtime)
        }
        Limit::Cpus(cpus) => one("cpuset.cpus", cpus),
        Limit::Mems(mems) => one("cpuset.mems", mems),
        Limit::Pids(limit) => one("pids.max", &super::bounded(*limit)),
        Limit::IoWeight(weight) => one("blkio.weight", weight),
        Limit::IoWeightDevice(device) => {
            let weight = device.weight()?;
            one("blkio.weight_device", &format!("{}:{} {weight}", device.major(), device.minor()))
        }
        Limit::IoThrottle { what, device } => {
            one(throttle(*what), &format!("{}:{} {}", device.major(), device.minor(), device.rate()))
        }
        Limit::Hugepages(page) => one(&format!("hugetlb.{}.limit_in_bytes", page.page_size()), &page.limit()),
        Limit::NetworkClass(class) => one("net_cls.classid", class),
        Limit::NetworkPriority(priority) => {
            one("net_prio.ifpriomap", &format!("{} {}", priority.name(), priority.priority()))
        }
        Limit::Rdma { device, limit } => one("rdma.max", &super::rdma(device, limit)),
        Limit::KernelMemory | Limit::IoLeafWeight | Limit::Unified { .. } => return None,
    })
}

/// The period first: the kernel judges what is granted by the period in force.
fn pair(period_file: &str, period: &Option<u64>, grant_file: &str, grant: &Option<i64>) -> Vec<Line> {
    let period = period.map(|period| (period_file.to_owned(), period.to_string()));
    let grant = grant.map(|grant| (grant_file.to_owned(), grant.to_string()));
    period.into_iter().chain(grant).collect()
}

fn throttle(what: Throttle) -> &'static str {
    match what {
        Throttle::ReadBytes => "blkio.throttle.read_bps_device",
        Throttle::WriteBytes => "blkio.throttle.write_bps_device",
        Throttle::ReadOperations => "blkio.throttle.read_iops_device",
        Throttle::WriteOperations => "blkio.throttle.write_iops_device",
    }
}

/// What must be lifted first, lest a group that outlived a crash keep a limit the new one runs
/// into: memory can never be above memory and swap, so raising both must begin with the sum.
pub(super) fn lifted(limits: &[Limit]) -> Option<Line> {
    let memory = limits.iter().any(|limit| matches!(limit, Limit::Memory(_)));
    let swap = limits.iter().any(|limit| matches!(limit, Limit::MemorySwap { .. }));
    (memory && swap).then(|| ("memory.memsw.limit_in_bytes".to_owned(), "-1".to_owned()))
}

/// A new cpuset group is empty, and no process may enter an empty one: each level below the
/// hierarchy's root first gets what the root has.
pub(super) fn cpuset_chain(mount: &str, path: &str, root: &Cpuset) -> Vec<Line> {
    let mut directory = mount.to_owned();
    let mut lines = Vec::new();
    for level in path.split('/') {
        directory = format!("{directory}/{level}");
        lines.push((format!("{directory}/cpuset.cpus"), root.cpus.clone()));
        lines.push((format!("{directory}/cpuset.mems"), root.mems.clone()));
    }
    lines
}
