//! One container, in full.

use super::{Config, EndpointSettings, HostConfig, PortBinding, nullable};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `GET /containers/{id}/json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerInspect {
    /// 64 hex digits.
    pub id: String,
    /// RFC 3339 with nanoseconds.
    pub created: String,
    /// The program.
    pub path: String,
    /// Its arguments.
    #[serde(deserialize_with = "nullable")]
    pub args: Vec<String>,
    /// Where it stands.
    pub state: ContainerState,
    /// `sha256:…` of the image.
    pub image: String,
    /// Generated files.
    pub resolv_conf_path: String,
    /// Generated files.
    pub hostname_path: String,
    /// Generated files.
    pub hosts_path: String,
    /// The json-file log.
    pub log_path: String,
    /// With a leading slash.
    pub name: String,
    /// Restarts by policy.
    pub restart_count: i64,
    /// Storage driver: `overlay2` or `vfs`.
    pub driver: String,
    /// `linux`.
    pub platform: String,
    /// SELinux.
    pub mount_label: String,
    /// SELinux.
    pub process_label: String,
    /// AppArmor.
    pub app_armor_profile: String,
    /// Execs under way.
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    /// As asked for.
    pub host_config: HostConfig,
    /// Where the file system is.
    pub graph_driver: GraphDriver,
    /// Bytes of the writable layer; only when sizes were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// Bytes of all layers; only when sizes were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    /// Mounts.
    #[serde(deserialize_with = "nullable")]
    pub mounts: Vec<MountPoint>,
    /// Image and request, merged.
    pub config: Config,
    /// Networks.
    pub network_settings: NetworkSettings,
}

/// Where a container stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub status: String,
    /// The program runs (also when paused).
    pub running: bool,
    /// Frozen.
    pub paused: bool,
    /// Between two runs.
    pub restarting: bool,
    /// Memory ran out.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Removal failed.
    pub dead: bool,
    /// On the host; 0 when it does not run.
    pub pid: i64,
    /// Of the last run.
    pub exit_code: i64,
    /// Why it could not be started.
    pub error: String,
    /// RFC 3339; `0001-01-01T00:00:00Z` for never.
    pub started_at: String,
    /// RFC 3339; `0001-01-01T00:00:00Z` for never.
    pub finished_at: String,
    /// Absent without a health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthState>,
}

/// What a health check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthState {
    /// `starting`, `healthy`, `unhealthy`.
    pub status: String,
    /// Bad answers in a row.
    pub failing_streak: i64,
    /// The last five.
    #[serde(deserialize_with = "nullable")]
    pub log: Vec<HealthcheckResult>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthcheckResult {
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// 0 is good; -1 when there was none.
    pub exit_code: i64,
    /// Of both streams, the first 4096 bytes.
    pub output: String,
}

/// The storage driver and its paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GraphDriver {
    /// `LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`.
    pub data: Option<BTreeMap<String, String>>,
    /// `overlay2` or `vfs`.
    pub name: String,
}

/// One mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MountPoint {
    /// `bind`, `volume`, `tmpfs`.
    pub r#type: String,
    /// Of a volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// On the host.
    pub source: String,
    /// Inside.
    pub destination: String,
    /// Of a volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Options as given.
    pub mode: String,
    /// Can be written to.
    #[serde(rename = "RW")]
    pub rw: bool,
    /// `rprivate`, ….
    pub propagation: String,
}

/// Networks of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    /// Deprecated.
    pub bridge: String,
    /// Id of the network namespace.
    #[serde(rename = "SandboxID")]
    pub sandbox_id: String,
    /// A path that holds the network namespace.
    pub sandbox_key: String,
    /// `80/tcp` → addresses of the host.
    #[serde(deserialize_with = "nullable")]
    pub ports: BTreeMap<String, Option<Vec<PortBinding>>>,
    /// Deprecated.
    #[serde(rename = "HairpinMode")]
    pub hairpin_mode: bool,
    /// Deprecated.
    #[serde(rename = "LinkLocalIPv6Address")]
    pub link_local_ipv6_address: String,
    /// Deprecated.
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub link_local_ipv6_prefix_len: i64,
    /// Deprecated.
    #[serde(rename = "SecondaryIPAddresses")]
    pub secondary_ip_addresses: Option<Vec<Value>>,
    /// Deprecated.
    #[serde(rename = "SecondaryIPv6Addresses")]
    pub secondary_ipv6_addresses: Option<Vec<Value>>,
    /// On the default bridge.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// On the default bridge.
    pub gateway: String,
    /// On the default bridge.
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// On the default bridge.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: i64,
    /// On the default bridge.
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// On the default bridge.
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: i64,
    /// On the default bridge.
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// On the default bridge.
    pub mac_address: String,
    /// Network name → the container's place in it.
    #[serde(deserialize_with = "nullable")]
    pub networks: BTreeMap<String, EndpointSettings>,
}
