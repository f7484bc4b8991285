//! The engine about itself.

use super::nullable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `GET /version`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Version {
    /// Who made the engine.
    pub platform: Platform,
    /// Parts and their versions.
    #[serde(deserialize_with = "nullable")]
    pub components: Vec<Component>,
    /// Of the engine.
    pub version: String,
    /// Newest API it speaks.
    pub api_version: String,
    /// Oldest API it speaks.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// Short hash of the source.
    pub git_commit: String,
    /// Docker: of Go; here: of Rust.
    pub go_version: String,
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// uname(2)'s release.
    pub kernel_version: String,
    /// Offers what is not stable yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// When it was built.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build_time: String,
}

/// Who made the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Platform {
    /// A name.
    pub name: String,
}

/// One part of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Component {
    /// `Engine`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Further facts, printed as they are.
    #[serde(deserialize_with = "nullable")]
    pub details: BTreeMap<String, String>,
}

/// `GET /info`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Names this engine for its lifetime.
    #[serde(rename = "ID")]
    pub id: String,
    /// All containers.
    pub containers: i64,
    /// Of these.
    pub containers_running: i64,
    /// Of these.
    pub containers_paused: i64,
    /// Of these.
    pub containers_stopped: i64,
    /// All images.
    pub images: i64,
    /// Storage driver.
    pub driver: String,
    /// Its facts: pairs of name and value.
    #[serde(deserialize_with = "nullable")]
    pub driver_status: Vec<[String; 2]>,
    /// Drivers by kind.
    pub plugins: Plugins,
    /// What the kernel can limit.
    pub memory_limit: bool,
    /// What the kernel can limit.
    pub swap_limit: bool,
    /// What the kernel can limit.
    pub cpu_cfs_period: bool,
    /// What the kernel can limit.
    pub cpu_cfs_quota: bool,
    /// What the kernel can limit.
    #[serde(rename = "CPUShares")]
    pub cpu_shares: bool,
    /// What the kernel can limit.
    #[serde(rename = "CPUSet")]
    pub cpu_set: bool,
    /// What the kernel can limit.
    pub pids_limit: bool,
    /// Packets are forwarded.
    #[serde(rename = "IPv4Forwarding")]
    pub ipv4_forwarding: bool,
    /// The engine's own debug switch.
    pub debug: bool,
    /// Open descriptors.
    #[serde(rename = "NFd")]
    pub n_fd: i64,
    /// OOM killing can be switched off.
    pub oom_kill_disable: bool,
    /// Docker: goroutines; here: threads.
    pub n_goroutines: i64,
    /// RFC 3339.
    pub system_time: String,
    /// Where output is kept.
    pub logging_driver: String,
    /// `cgroupfs` or `none`.
    pub cgroup_driver: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// Readers of `/events`.
    pub n_events_listener: i64,
    /// uname(2)'s release.
    pub kernel_version: String,
    /// Of os-release(5).
    pub operating_system: String,
    /// Of os-release(5).
    #[serde(rename = "OSVersion")]
    pub os_version: String,
    /// `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// uname(2)'s machine: `x86_64`.
    pub architecture: String,
    /// Where clients log in.
    pub index_server_address: String,
    /// Registries and mirrors.
    pub registry_config: Option<Value>,
    /// Processors.
    #[serde(rename = "NCPU")]
    pub n_cpu: i64,
    /// Bytes.
    pub mem_total: i64,
    /// The state root.
    pub docker_root_dir: String,
    /// From the environment.
    pub http_proxy: String,
    /// From the environment.
    pub https_proxy: String,
    /// From the environment.
    pub no_proxy: String,
    /// Of the host.
    pub name: String,
    /// Of the engine.
    #[serde(deserialize_with = "nullable")]
    pub labels: Vec<String>,
    /// Offers what is not stable yet.
    pub experimental_build: bool,
    /// Of the engine.
    pub server_version: String,
    /// OCI runtimes by name.
    #[serde(deserialize_with = "nullable")]
    pub runtimes: BTreeMap<String, Value>,
    /// Of these.
    pub default_runtime: String,
    /// Always inactive here.
    pub swarm: SwarmInfo,
    /// Containers survive the daemon.
    pub live_restore_enabled: bool,
    /// Windows only.
    pub isolation: String,
    /// Program of `--init`.
    pub init_binary: String,
    /// Parts and their commits.
    pub containerd_commit: Commit,
    /// Parts and their commits.
    pub runc_commit: Commit,
    /// Parts and their commits.
    pub init_commit: Commit,
    /// `name=seccomp,profile=builtin`, `name=rootless`, `name=cgroupns`.
    #[serde(deserialize_with = "nullable")]
    pub security_options: Vec<String>,
    /// Lines `docker info` prints last.
    #[serde(deserialize_with = "nullable")]
    pub warnings: Vec<String>,
}

/// Drivers by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Plugins {
    /// Volume drivers.
    #[serde(deserialize_with = "nullable")]
    pub volume: Vec<String>,
    /// Network drivers.
    #[serde(deserialize_with = "nullable")]
    pub network: Vec<String>,
    /// Authorisation plugins.
    pub authorization: Option<Vec<String>>,
    /// Log drivers.
    #[serde(deserialize_with = "nullable")]
    pub log: Vec<String>,
}

/// Swarm mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SwarmInfo {
    /// `inactive`.
    pub local_node_state: String,
    /// Takes part in control.
    pub control_available: bool,
}

/// The commit of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Hash.
    #[serde(rename = "ID")]
    pub id: String,
}
