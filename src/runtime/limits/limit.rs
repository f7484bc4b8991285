//! What `linux.resources` of a Spec asks for, one limit at a time, each with the names a person
//! knows it by. Source: OCI runtime specification, config-linux.md, "Control groups".

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxHugepageLimit, LinuxInterfacePriority, LinuxMemory, LinuxNetwork, LinuxRdma,
    LinuxResources, LinuxThrottleDevice, LinuxWeightDevice,
};

/// One limit. Both versions' tables match on this without a wildcard, so that a limit is either
/// written or refused by name, never forgotten. -1 stands for no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Bytes of memory.
    Memory(i64),
    /// Bytes of memory that reclaim leaves alone as long as it can.
    MemoryReservation(i64),
    /// Bytes of memory and swap together; v2 counts swap alone and so needs the memory limit.
    MemorySwap { total: i64, memory: Option<i64> },
    /// 0 to 100.
    Swappiness(u64),
    /// Processes wait for memory instead of being killed.
    OomKillDisable,
    /// Bytes of the kernel's own memory; Linux 5.4 gave it up.
    KernelMemory,
    /// Bytes of TCP buffers.
    KernelTcpMemory(i64),
    /// Relative weight, 2 to 262144.
    CpuShares(u64),
    /// Microseconds of processor time in each period of microseconds.
    CpuBandwidth { quota: Option<i64>, period: Option<u64> },
    /// Microseconds that may be saved up from earlier periods.
    CpuBurst(u64),
    /// 1: runs only when nobody else wants to.
    CpuIdle(i64),
    /// Microseconds of real-time scheduling in each period.
    CpuRealtime { runtime: Option<i64>, period: Option<u64> },
    /// Processors, such as `0-3,7`.
    Cpus(String),
    /// Memory nodes, such as `0`.
    Mems(String),
    /// Processes and threads.
    Pids(i64),
    /// Relative weight of disk access, 10 to 1000.
    IoWeight(u16),
    /// A weight against the group's own children; went with the CFQ scheduler in Linux 5.0.
    IoLeafWeight,
    /// The weight for one device.
    IoWeightDevice(LinuxWeightDevice),
    /// The most one device may carry in a second.
    IoThrottle { what: Throttle, device: LinuxThrottleDevice },
    /// Bytes in huge pages of one size, such as `2MB`.
    Hugepages(LinuxHugepageLimit),
    /// The mark on the group's packets for traffic control.
    NetworkClass(u32),
    /// The priority of the group's packets on one interface.
    NetworkPriority(LinuxInterfacePriority),
    /// Handles and objects of one RDMA device.
    Rdma { device: String, limit: LinuxRdma },
    /// A file of cgroup v2 by its own name, and what to write to it.
    Unified { file: String, value: String },
}

/// What is throttled: a direction, and bytes or operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Throttle {
    ReadBytes,
    WriteBytes,
    ReadOperations,
    WriteOperations,
}

/// How a limit is called: field of the Spec, Docker's flag ("" for none), controller in v1 and in
/// v2 ("" for none).
pub(super) struct Names<'a> {
    pub field: &'a str,
    pub flag: &'a str,
    pub v1: &'a str,
    pub v2: &'a str,
}

impl Limit {
    /// See [`Names`].
    pub(super) fn names(&self) -> Names<'_> {
        let (field, flag, v1, v2) = match self {
            Limit::Memory(_) => ("memory.limit", "--memory", "memory", "memory"),
            Limit::MemoryReservation(_) => ("memory.reservation", "--memory-reservation", "memory", "memory"),
            Limit::MemorySwap { .. } => ("memory.swap", "--memory-swap", "memory", "memory"),
            Limit::Swappiness(_) => ("memory.swappiness", "--memory-swappiness", "memory", "memory"),
            Limit::OomKillDisable => ("memory.disableOOMKiller", "--oom-kill-disable", "memory", "memory"),
            Limit::KernelMemory => ("memory.kernel", "--kernel-memory", "memory", "memory"),
            Limit::KernelTcpMemory(_) => ("memory.kernelTCP", "", "memory", "memory"),
            Limit::CpuShares(_) => ("cpu.shares", "--cpu-shares", "cpu", "cpu"),
            Limit::CpuBandwidth { .. } => ("cpu.quota", "--cpus, --cpu-quota, --cpu-period", "cpu", "cpu"),
            Limit::CpuBurst(_) => ("cpu.burst", "", "cpu", "cpu"),
            Limit::CpuIdle(_) => ("cpu.idle", "", "cpu", "cpu"),
            Limit::CpuRealtime { .. } => {
                ("cpu.realtimeRuntime", "--cpu-rt-runtime, --cpu-rt-period", "cpu", "cpu")
            }
            Limit::Cpus(_) => ("cpu.cpus", "--cpuset-cpus", "cpuset", "cpuset"),
            Limit::Mems(_) => ("cpu.mems", "--cpuset-mems", "cpuset", "cpuset"),
            Limit::Pids(_) => ("pids.limit", "--pids-limit", "pids", "pids"),
            Limit::IoWeight(_) => ("blockIO.weight", "--blkio-weight", "blkio", "io"),
            Limit::IoLeafWeight => ("blockIO.leafWeight", "", "blkio", "io"),
            Limit::IoWeightDevice(_) => ("blockIO.weightDevice", "--blkio-weight-device", "blkio", "io"),
            Limit::IoThrottle { what, .. } => {
                let (field, flag) = what.names();
                (field, flag, "blkio", "io")
            }
            Limit::Hugepages(_) => ("hugepageLimits", "", "hugetlb", "hugetlb"),
            Limit::NetworkClass(_) => ("network.classID", "", "net_cls", ""),
            Limit::NetworkPriority(_) => ("network.priorities", "", "net_prio", ""),
            Limit::Rdma { .. } => ("rdma", "", "rdma", "rdma"),
            Limit::Unified { file, .. } => {
                ("unified", "", "", file.split_once('.').map_or(file.as_str(), |(controller, _)| controller))
            }
        };
        Names { field, flag, v1, v2 }
    }

    /// Whether a group without this limit would let its processes do more.
    pub(super) fn binds(&self) -> bool {
        match self {
            Limit::Memory(bytes) | Limit::KernelTcpMemory(bytes) => *bytes >= 0,
            Limit::MemorySwap { total, .. } => *total >= 0,
            Limit::CpuBandwidth { quota, .. } => quota.is_none_or(|quota| quota > 0),
            Limit::Pids(limit) => *limit > 0,
            _ => true,
        }
    }
}

impl Throttle {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Throttle::ReadBytes => ("blockIO.throttleReadBpsDevice", "--device-read-bps"),
            Throttle::WriteBytes => ("blockIO.throttleWriteBpsDevice", "--device-write-bps"),
            Throttle::ReadOperations => ("blockIO.throttleReadIOPSDevice", "--device-read-iops"),
            Throttle::WriteOperations => ("blockIO.throttleWriteIOPSDevice", "--device-write-iops"),
        }
    }
}

/// The limits `resources` asks for, in the order they are to be written. As with runc, 0 means
/// "not asked for" wherever it makes no sense as a limit. Device rules are apart: see
/// [`devices`](super::devices).
pub(super) fn asked(resources: &LinuxResources) -> Vec<Limit> {
    let mut limits = Vec::new();
    resources.memory().iter().for_each(|memory| self::memory(memory, &mut limits));
    resources.cpu().iter().for_each(|cpu| self::cpu(cpu, &mut limits));
    limits.extend(resources.pids().map(|pids| Limit::Pids(pids.limit())));
    resources.block_io().iter().for_each(|io| block_io(io, &mut limits));
    limits.extend(resources.hugepage_limits().iter().flatten().cloned().map(Limit::Hugepages));
    resources.network().iter().for_each(|network| self::network(network, &mut limits));
    let rdma = resources.rdma().iter().flatten();
    limits.extend(
        sorted(rdma).map(|(device, limit)| Limit::Rdma { device: device.clone(), limit: limit.clone() }),
    );
    let unified = resources.unified().iter().flatten();
    limits.extend(
        sorted(unified).map(|(file, value)| Limit::Unified { file: file.clone(), value: value.clone() }),
    );
    limits
}

/// A map's entries in the order of their keys, so that equal Specs give equal traces.
fn sorted<'a, T>(
    entries: impl Iterator<Item = (&'a String, &'a T)>,
) -> impl Iterator<Item = (&'a String, &'a T)>
where
    T: 'a,
{
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(key, _)| *key);
    entries.into_iter()
}

fn memory(memory: &LinuxMemory, limits: &mut Vec<Limit>) {
    let set = |bytes: Option<i64>| bytes.filter(|bytes| *bytes != 0);
    // The deprecated field is read in order to refuse it.
    #[allow(deprecated)]
    let kernel = memory.kernel();
    let limit = set(memory.limit());
    // Before memory and swap: the kernel wants the sum never to be below the part.
    limits.extend(limit.map(Limit::Memory));
    limits.extend(set(memory.reservation()).map(Limit::MemoryReservation));
    limits.extend(set(memory.swap()).map(|total| Limit::MemorySwap { total, memory: limit }));
    limits.extend(memory.swappiness().map(Limit::Swappiness));
    limits.extend(memory.disable_oom_killer().filter(|disable| *disable).map(|_| Limit::OomKillDisable));
    limits.extend(set(kernel).map(|_| Limit::KernelMemory));
    limits.extend(set(memory.kernel_tcp()).map(Limit::KernelTcpMemory));
}

fn cpu(cpu: &LinuxCpu, limits: &mut Vec<Limit>) {
    fn set<T: PartialEq + Default>(value: Option<T>) -> Option<T> {
        value.filter(|value| *value != T::default())
    }
    limits.extend(set(cpu.shares()).map(Limit::CpuShares));
    let (quota, period) = (set(cpu.quota()), set(cpu.period()));
    if quota.is_some() || period.is_some() {
        limits.push(Limit::CpuBandwidth { quota, period });
    }
    limits.extend(set(cpu.burst()).map(Limit::CpuBurst));
    let (runtime, period) = (set(cpu.realtime_runtime()), set(cpu.realtime_period()));
    if runtime.is_some() || period.is_some() {
        limits.push(Limit::CpuRealtime { runtime, period });
    }
    limits.extend(set(cpu.idle()).map(Limit::CpuIdle));
    limits.extend(set(cpu.cpus().clone()).map(Limit::Cpus));
    limits.extend(set(cpu.mems().clone()).map(Limit::Mems));
}

fn block_io(io: &LinuxBlockIo, limits: &mut Vec<Limit>) {
    let set = |weight: Option<u16>| weight.filter(|weight| *weight != 0);
    limits.extend(set(io.weight()).map(Limit::IoWeight));
    limits.extend(set(io.leaf_weight()).map(|_| Limit::IoLeafWeight));
    limits.extend(io.weight_device().iter().flatten().copied().map(Limit::IoWeightDevice));
    for (what, devices) in [
        (Throttle::ReadBytes, io.throttle_read_bps_device()),
        (Throttle::WriteBytes, io.throttle_write_bps_device()),
        (Throttle::ReadOperations, io.throttle_read_iops_device()),
        (Throttle::WriteOperations, io.throttle_write_iops_device()),
    ] {
        limits.extend(devices.iter().flatten().map(|device| Limit::IoThrottle { what, device: *device }));
    }
}

fn network(network: &LinuxNetwork, limits: &mut Vec<Limit>) {
    limits.extend(network.class_id().filter(|class| *class != 0).map(Limit::NetworkClass));
    limits.extend(network.priorities().iter().flatten().cloned().map(Limit::NetworkPriority));
}
