//! What a client asks for when it creates a container.

use super::{HostConfig, nullable, words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The part of a container's configuration that could move to another machine; `Config` in
/// Docker's inspect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// Host name inside; empty for the first 12 digits of the id.
    #[serde(deserialize_with = "nullable")]
    pub hostname: String,
    /// NIS domain name.
    #[serde(deserialize_with = "nullable")]
    pub domainname: String,
    /// `user[:group]`, names or numbers.
    #[serde(deserialize_with = "nullable")]
    pub user: String,
    /// The client asks to attach input.
    #[serde(deserialize_with = "nullable")]
    pub attach_stdin: bool,
    /// The client asks to attach output.
    #[serde(deserialize_with = "nullable")]
    pub attach_stdout: bool,
    /// The client asks to attach error output.
    #[serde(deserialize_with = "nullable")]
    pub attach_stderr: bool,
    /// `80/tcp` → `{}`.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Map::is_empty")]
    pub exposed_ports: Map<String, Value>,
    /// Give the program a terminal.
    #[serde(deserialize_with = "nullable")]
    pub tty: bool,
    /// Keep input open without a client.
    #[serde(deserialize_with = "nullable")]
    pub open_stdin: bool,
    /// Close input when the first client leaves.
    #[serde(deserialize_with = "nullable")]
    pub stdin_once: bool,
    /// `NAME=value`, or `NAME` to take a name of the image's away.
    #[serde(deserialize_with = "nullable")]
    pub env: Vec<String>,
    /// Command; `null` for the image's.
    #[serde(deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    /// How to test whether the program works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Reference or id of the image.
    #[serde(deserialize_with = "nullable")]
    pub image: String,
    /// Places of anonymous volumes: path → `{}`.
    pub volumes: Option<Map<String, Value>>,
    /// Absolute directory the program starts in.
    #[serde(deserialize_with = "nullable")]
    pub working_dir: String,
    /// Words before the command; `null` for the image's, `[""]` for none.
    #[serde(deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    /// No network at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_disabled: Option<bool>,
    /// Deprecated place of the interface's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// Build triggers, kept as they are.
    pub on_build: Option<Vec<String>>,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Signal of `docker stop`; `SIGTERM` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Seconds between stop signal and SIGKILL; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// Shell of build instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}

/// A health check; times are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", line]` or `["NONE"]`.
    #[serde(deserialize_with = "nullable")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(deserialize_with = "nullable")]
    pub interval: i64,
    /// Of one check.
    #[serde(deserialize_with = "nullable")]
    pub timeout: i64,
    /// In which failures do not count.
    #[serde(deserialize_with = "nullable")]
    pub start_period: i64,
    /// Between two checks while the start period lasts.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row.
    #[serde(deserialize_with = "nullable")]
    pub retries: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `POST /containers/create`: the fields of [`Config`] with two more beside them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateRequest {
    /// The portable part.
    #[serde(flatten)]
    pub config: Config,
    /// The part that belongs to this machine.
    #[serde(deserialize_with = "nullable")]
    pub host_config: HostConfig,
    /// Networks to join.
    #[serde(deserialize_with = "nullable")]
    pub networking_config: NetworkingConfig,
}

/// Networks a new container joins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkingConfig {
    /// Network name → settings; `null` settings are the defaults.
    #[serde(deserialize_with = "nullable")]
    pub endpoints_config: BTreeMap<String, Option<EndpointSettings>>,
}

/// A container's place in one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointSettings {
    /// Addresses the client asks for.
    #[serde(rename = "IPAMConfig")]
    pub ipam_config: Option<Value>,
    /// Legacy links.
    #[serde(rename = "Links")]
    pub links: Option<Vec<String>>,
    /// Further names in this network.
    #[serde(rename = "Aliases")]
    pub aliases: Option<Vec<String>>,
    /// `02:42:ac:11:00:02`.
    #[serde(rename = "MacAddress", deserialize_with = "nullable")]
    pub mac_address: String,
    /// Options of the driver.
    #[serde(rename = "DriverOpts")]
    pub driver_opts: Option<BTreeMap<String, String>>,
    /// Id of the network.
    #[serde(rename = "NetworkID", deserialize_with = "nullable")]
    pub network_id: String,
    /// Id of the endpoint; empty when the container does not run.
    #[serde(rename = "EndpointID", deserialize_with = "nullable")]
    pub endpoint_id: String,
    /// IPv4 gateway.
    #[serde(rename = "Gateway", deserialize_with = "nullable")]
    pub gateway: String,
    /// IPv4 address.
    #[serde(rename = "IPAddress", deserialize_with = "nullable")]
    pub ip_address: String,
    /// Length of the IPv4 prefix.
    #[serde(rename = "IPPrefixLen", deserialize_with = "nullable")]
    pub ip_prefix_len: i64,
    /// IPv6 gateway.
    #[serde(rename = "IPv6Gateway", deserialize_with = "nullable")]
    pub ipv6_gateway: String,
    /// IPv6 address.
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "nullable")]
    pub global_ipv6_address: String,
    /// Length of the IPv6 prefix.
    #[serde(rename = "GlobalIPv6PrefixLen", deserialize_with = "nullable")]
    pub global_ipv6_prefix_len: i64,
    /// Names the network's resolver answers to.
    #[serde(rename = "DNSNames")]
    pub dns_names: Option<Vec<String>>,
}

/// Answer of `POST /containers/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateResponse {
    /// 64 hex digits.
    pub id: String,
    /// Lines the client prints as `WARNING: …`.
    #[serde(deserialize_with = "nullable")]
    pub warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_docker_cli_sends_is_read() {
        let body = r#"{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":true,
            "AttachStderr":true,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":["ls"],
            "Image":"alpine","Volumes":{},"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":{},
            "HostConfig":{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"","Config":{}},
            "NetworkMode":"default","PortBindings":{},"RestartPolicy":{"Name":"no","MaximumRetryCount":0},
            "AutoRemove":true,"ConsoleSize":[0,0],"MemorySwappiness":-1,"OomKillDisable":false,
            "PidsLimit":0,"Ulimits":null,"MaskedPaths":null,"ReadonlyPaths":null},
            "NetworkingConfig":{"EndpointsConfig":{"default":null}}}"#;
        let request: CreateRequest = serde_json::from_str(body).unwrap();
        assert_eq!(request.config.cmd, Some(vec!["ls".to_owned()]));
        assert_eq!(request.config.entrypoint, None);
        assert!(request.host_config.auto_remove);
        assert_eq!(request.host_config.network_mode, "default");
        assert!(request.networking_config.endpoints_config.contains_key("default"));
    }

    #[test]
    fn a_command_may_be_one_word() {
        let config: Config = serde_json::from_str(r#"{"Cmd":"true"}"#).unwrap();
        assert_eq!(config.cmd, Some(vec!["true".to_owned()]));
    }
}
