//! The part of a container's configuration that belongs to this machine.

use super::nullable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `HostConfig`: limits, mounts, privileges, network. Zero and empty mean "not asked for".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// `source:destination[:options]`.
    pub binds: Option<Vec<String>>,
    /// File the client writes the id to.
    #[serde(rename = "ContainerIDFile", deserialize_with = "nullable")]
    pub container_id_file: String,
    /// Where output is kept.
    #[serde(deserialize_with = "nullable")]
    pub log_config: LogConfig,
    /// `default`, `bridge`, `host`, `none`, `container:<id>` or a network's name.
    #[serde(deserialize_with = "nullable")]
    pub network_mode: String,
    /// `80/tcp` → addresses of the host.
    #[serde(deserialize_with = "nullable")]
    pub port_bindings: BTreeMap<String, Option<Vec<PortBinding>>>,
    /// What happens when the program ends.
    #[serde(deserialize_with = "nullable")]
    pub restart_policy: RestartPolicy,
    /// Remove the container when it ends.
    #[serde(deserialize_with = "nullable")]
    pub auto_remove: bool,
    /// Driver of anonymous volumes.
    #[serde(deserialize_with = "nullable")]
    pub volume_driver: String,
    /// Containers whose volumes are taken over.
    pub volumes_from: Option<Vec<String>>,
    /// Height and width of the terminal.
    #[serde(deserialize_with = "nullable")]
    pub console_size: [u32; 2],
    /// Opaque annotations for the runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Capabilities beyond the default.
    pub cap_add: Option<Vec<String>>,
    /// Capabilities taken from the default.
    pub cap_drop: Option<Vec<String>>,
    /// `host` or `private`.
    #[serde(deserialize_with = "nullable")]
    pub cgroupns_mode: String,
    /// Name servers.
    #[serde(deserialize_with = "nullable")]
    pub dns: Vec<String>,
    /// Options of resolv.conf.
    #[serde(deserialize_with = "nullable")]
    pub dns_options: Vec<String>,
    /// Search domains.
    #[serde(deserialize_with = "nullable")]
    pub dns_search: Vec<String>,
    /// `name:address` lines for /etc/hosts.
    pub extra_hosts: Option<Vec<String>>,
    /// Further groups of the program.
    pub group_add: Option<Vec<String>>,
    /// `none`, `private`, `shareable`, `host` or `container:<id>`.
    #[serde(deserialize_with = "nullable")]
    pub ipc_mode: String,
    /// A cgroup to join.
    #[serde(deserialize_with = "nullable")]
    pub cgroup: String,
    /// Legacy links.
    pub links: Option<Vec<String>>,
    /// -1000 to 1000.
    #[serde(deserialize_with = "nullable")]
    pub oom_score_adj: i64,
    /// `host`, `container:<id>` or empty.
    #[serde(deserialize_with = "nullable")]
    pub pid_mode: String,
    /// All privileges.
    #[serde(deserialize_with = "nullable")]
    pub privileged: bool,
    /// Publish every exposed port.
    #[serde(deserialize_with = "nullable")]
    pub publish_all_ports: bool,
    /// The root file system cannot be written to.
    #[serde(deserialize_with = "nullable")]
    pub readonly_rootfs: bool,
    /// `no-new-privileges`, `seccomp=…`, `apparmor=…`, `label=…`.
    pub security_opt: Option<Vec<String>>,
    /// Options of the storage driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_opt: Option<BTreeMap<String, String>>,
    /// Path → options of a tmpfs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs: Option<BTreeMap<String, String>>,
    /// `host` or empty.
    #[serde(rename = "UTSMode", deserialize_with = "nullable")]
    pub uts_mode: String,
    /// `host` or empty.
    #[serde(deserialize_with = "nullable")]
    pub userns_mode: String,
    /// Bytes of /dev/shm; 0 for 64 MiB.
    #[serde(deserialize_with = "nullable")]
    pub shm_size: i64,
    /// Kernel parameters of the namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysctls: Option<BTreeMap<String, String>>,
    /// Name of an OCI runtime.
    #[serde(deserialize_with = "nullable")]
    pub runtime: String,
    /// Windows only.
    #[serde(deserialize_with = "nullable")]
    pub isolation: String,
    /// Relative weight of processor time; 0 for the kernel's 1024.
    #[serde(deserialize_with = "nullable")]
    pub cpu_shares: i64,
    /// Bytes; 0 for no limit.
    #[serde(deserialize_with = "nullable")]
    pub memory: i64,
    /// Billionths of a processor: `--cpus 1.5` is 1500000000.
    #[serde(deserialize_with = "nullable")]
    pub nano_cpus: i64,
    /// Parent of the container's cgroup.
    #[serde(deserialize_with = "nullable")]
    pub cgroup_parent: String,
    /// 10 to 1000, 0 for none.
    #[serde(deserialize_with = "nullable")]
    pub blkio_weight: u16,
    /// Weight a device.
    pub blkio_weight_device: Option<Vec<Value>>,
    /// Bytes read a second, a device.
    pub blkio_device_read_bps: Option<Vec<Value>>,
    /// Bytes written a second, a device.
    pub blkio_device_write_bps: Option<Vec<Value>>,
    /// Reads a second, a device.
    #[serde(rename = "BlkioDeviceReadIOps")]
    pub blkio_device_read_iops: Option<Vec<Value>>,
    /// Writes a second, a device.
    #[serde(rename = "BlkioDeviceWriteIOps")]
    pub blkio_device_write_iops: Option<Vec<Value>>,
    /// Microseconds of a scheduling period.
    #[serde(deserialize_with = "nullable")]
    pub cpu_period: i64,
    /// Microseconds of processor time a period.
    #[serde(deserialize_with = "nullable")]
    pub cpu_quota: i64,
    /// Microseconds of a real-time period.
    #[serde(deserialize_with = "nullable")]
    pub cpu_realtime_period: i64,
    /// Microseconds of real-time a period.
    #[serde(deserialize_with = "nullable")]
    pub cpu_realtime_runtime: i64,
    /// `0-3,5`.
    #[serde(deserialize_with = "nullable")]
    pub cpuset_cpus: String,
    /// Memory nodes.
    #[serde(deserialize_with = "nullable")]
    pub cpuset_mems: String,
    /// Devices of the host given to the container.
    pub devices: Option<Vec<Value>>,
    /// Rules of the device cgroup.
    pub device_cgroup_rules: Option<Vec<String>>,
    /// Requests to device drivers (`--gpus`).
    pub device_requests: Option<Vec<Value>>,
    /// Soft limit in bytes.
    #[serde(deserialize_with = "nullable")]
    pub memory_reservation: i64,
    /// Bytes of memory and swap together; -1 for unlimited swap.
    #[serde(deserialize_with = "nullable")]
    pub memory_swap: i64,
    /// 0 to 100; -1 or absent for the kernel's.
    pub memory_swappiness: Option<i64>,
    /// Do not kill when memory runs out.
    pub oom_kill_disable: Option<bool>,
    /// Processes; 0, -1 or absent for no limit.
    pub pids_limit: Option<i64>,
    /// Resource limits.
    #[serde(deserialize_with = "nullable")]
    pub ulimits: Vec<Ulimit>,
    /// Windows only.
    #[serde(deserialize_with = "nullable")]
    pub cpu_count: i64,
    /// Windows only.
    #[serde(deserialize_with = "nullable")]
    pub cpu_percent: i64,
    /// Windows only.
    #[serde(rename = "IOMaximumIOps", deserialize_with = "nullable")]
    pub io_maximum_iops: u64,
    /// Windows only.
    #[serde(rename = "IOMaximumBandwidth", deserialize_with = "nullable")]
    pub io_maximum_bandwidth: u64,
    /// `--mount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Vec<Mount>>,
    /// Paths hidden; absent for Docker's.
    pub masked_paths: Option<Vec<String>>,
    /// Paths made read-only; absent for Docker's.
    pub readonly_paths: Option<Vec<String>>,
    /// Run a small init as process 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
}

/// A log driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// `json-file`; empty for the default.
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    /// Its options.
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// One address of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    /// Address; empty for all.
    #[serde(deserialize_with = "nullable")]
    pub host_ip: String,
    /// Port or range; empty for any free one.
    #[serde(deserialize_with = "nullable")]
    pub host_port: String,
}

/// What happens when the program ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `no`, `always`, `unless-stopped`, `on-failure`; empty for `no`.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Most restarts of `on-failure`; 0 for no limit.
    #[serde(deserialize_with = "nullable")]
    pub maximum_retry_count: i64,
}

/// One resource limit, as `--ulimit nofile=1024:2048`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ulimit {
    /// `nofile`.
    pub name: String,
    /// -1 for unlimited.
    pub hard: i64,
    /// -1 for unlimited.
    pub soft: i64,
}

/// One `--mount`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub r#type: String,
    /// Path of the host, or the volume's name.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Path inside.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Cannot be written to.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// `Propagation`, `NonRecursive`, `CreateMountpoint`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<Value>,
    /// `NoCopy`, `Labels`, `DriverConfig`, `Subpath`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<Value>,
    /// `SizeBytes`, `Mode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<Value>,
}
