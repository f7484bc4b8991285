//! What a container uses, as `docker stats` asks for it.

use super::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One sample of `GET /containers/{id}/stats`, with the one before it for what is a rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// When; `0001-01-01T00:00:00Z` for a container that does not run.
    pub read: String,
    /// When the sample before it was taken.
    pub preread: String,
    /// Processes.
    pub pids_stats: PidsStats,
    /// Disks.
    pub blkio_stats: BlkioStats,
    /// Windows only.
    pub num_procs: u32,
    /// Windows only.
    pub storage_stats: BTreeMap<String, u64>,
    /// Processor time.
    pub cpu_stats: CpuStats,
    /// The same, of the sample before.
    pub precpu_stats: CpuStats,
    /// Memory.
    pub memory_stats: MemoryStats,
    /// With a leading slash.
    pub name: String,
    /// 64 hex digits.
    pub id: String,
    /// Interface → counters; absent where the container has no network of its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<String, NetworkStats>,
}

/// Processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PidsStats {
    /// Now.
    #[serde(skip_serializing_if = "is_zero")]
    pub current: u64,
    /// At the most; absent where there is no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit: u64,
}

/// Disks: `null` where the kernel counts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlkioStats {
    /// Bytes.
    pub io_service_bytes_recursive: Option<Vec<BlkioEntry>>,
    /// Operations.
    pub io_serviced_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub io_queue_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub io_service_time_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub io_wait_time_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub io_merged_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub io_time_recursive: Option<Vec<BlkioEntry>>,
    /// Of schedulers that are gone.
    pub sectors_recursive: Option<Vec<BlkioEntry>>,
}

/// One device, one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlkioEntry {
    /// Of the device.
    pub major: u64,
    /// Of the device.
    pub minor: u64,
    /// `Read`, `Write`, … (v1); `read`, `write` (v2).
    pub op: String,
    /// Bytes or operations.
    pub value: u64,
}

/// Processor time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuStats {
    /// The container's.
    pub cpu_usage: CpuUsage,
    /// The machine's, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub system_cpu_usage: u64,
    /// Processors.
    #[serde(skip_serializing_if = "is_zero")]
    pub online_cpus: u64,
    /// How often the limit was met.
    pub throttling_data: ThrottlingData,
}

/// Nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuUsage {
    /// All of it.
    pub total_usage: u64,
    /// Of each processor; v1 only.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub percpu_usage: Vec<u64>,
    /// In the kernel.
    pub usage_in_kernelmode: u64,
    /// In the program.
    pub usage_in_usermode: u64,
}

/// How often the limit of processor time was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThrottlingData {
    /// Periods so far.
    pub periods: u64,
    /// Of them, those cut short.
    pub throttled_periods: u64,
    /// Nanoseconds lost.
    pub throttled_time: u64,
}

/// Bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryStats {
    /// Now, caches included.
    #[serde(skip_serializing_if = "is_zero")]
    pub usage: u64,
    /// At the most so far; v1 only.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_usage: u64,
    /// memory.stat.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub stats: BTreeMap<String, u64>,
    /// How often the limit was met; v1 only.
    #[serde(skip_serializing_if = "is_zero")]
    pub failcnt: u64,
    /// The container's limit, or the machine's memory.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit: u64,
}

/// Counters of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStats {
    /// Received.
    pub rx_bytes: u64,
    /// Received.
    pub rx_packets: u64,
    /// While receiving.
    pub rx_errors: u64,
    /// While receiving.
    pub rx_dropped: u64,
    /// Sent.
    pub tx_bytes: u64,
    /// Sent.
    pub tx_packets: u64,
    /// While sending.
    pub tx_errors: u64,
    /// While sending.
    pub tx_dropped: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
