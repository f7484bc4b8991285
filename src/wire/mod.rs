//! The Docker Engine API's JSON shapes (v1.47), shared by `api` and `client`.
//!
//! Readers are tolerant as Docker is: a missing field, an unknown field and `null` all read as
//! the field's default. Writers print the field names Docker prints, in Docker's order.

pub mod archive;
pub mod config;
pub mod container;
pub mod credentials;
pub mod detach;
pub mod duration;
pub mod event;
pub mod examination;
pub mod exec;
pub mod filters;
pub mod host_config;
pub mod image;
pub mod inspect;
pub mod message;
pub mod network;
pub mod session;
pub mod settings;
pub mod stats;
pub mod system;

pub use archive::{Change, IdResponse, PathStat};
pub use config::{Config, CreateRequest, CreateResponse, EndpointSettings, Healthcheck, NetworkingConfig};
pub use container::{
    ContainerSummary, ContainersPruned, Port, SummaryHostConfig, SummaryNetworks, UpdateResponse, WaitError,
    WaitResponse,
};
pub use credentials::Credentials;
pub use event::{Actor, EventMessage};
pub use examination::{Examination, Reach, Trial, UserNamespaceSettings};
pub use exec::{ExecConfig, ExecCreated, ExecInspect, ExecProcess, ExecStart, Top};
pub use filters::Filters;
pub use host_config::{HostConfig, LogConfig, Mount, PortBinding, RestartPolicy, Ulimit};
pub use image::{ImageConfig, ImageDelete, ImageInspect, ImageSummary, RootFs};
pub use inspect::{
    ContainerInspect, ContainerState, GraphDriver, HealthState, HealthcheckResult, MountPoint,
    NetworkSettings,
};
pub use message::{ErrorBody, ErrorDetail, JsonMessage, ProgressDetail};
pub use network::{
    EndpointResource, Ipam, IpamConfig, NetworkConnect, NetworkCreate, NetworkCreated, NetworkDisconnect,
    NetworkResource, NetworksPruned,
};
pub use session::{Decide, NewTrace, TraceCreated};
pub use settings::Settings;
pub use stats::{
    BlkioEntry, BlkioStats, CpuStats, CpuUsage, MemoryStats, NetworkStats, PidsStats, Stats, ThrottlingData,
};
pub use system::{Commit, Component, Info, Platform, Plugins, SwarmInfo, Version};

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default, as Go's decoder does.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list of words, or one word where older clients send a plain string; `null` is absent.
pub(crate) fn words<'de, D>(deserializer: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        Many(Vec<String>),
        One(String),
    }
    Ok(Option::deserialize(deserializer)?.map(|words| match words {
        Words::Many(words) => words,
        Words::One(word) => vec![word],
    }))
}
