//! A further program in a running container: `docker exec`.

use serde::{Deserialize, Serialize};

/// Body of `POST /containers/{id}/exec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExecConfig {
    /// Other than the container's; empty for the same.
    #[serde(deserialize_with = "super::nullable")]
    pub user: String,
    /// With every capability.
    #[serde(deserialize_with = "super::nullable")]
    pub privileged: bool,
    /// With a terminal.
    #[serde(deserialize_with = "super::nullable")]
    pub tty: bool,
    /// `[height, width]` of the terminal's window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u32; 2]>,
    /// Standard input is open.
    #[serde(deserialize_with = "super::nullable")]
    pub attach_stdin: bool,
    /// The output is wanted.
    #[serde(deserialize_with = "super::nullable")]
    pub attach_stdout: bool,
    /// The error output is wanted.
    #[serde(deserialize_with = "super::nullable")]
    pub attach_stderr: bool,
    /// Nobody will attach.
    #[serde(deserialize_with = "super::nullable")]
    pub detach: bool,
    /// The keys that detach; empty for Docker's.
    #[serde(deserialize_with = "super::nullable")]
    pub detach_keys: String,
    /// `NAME=value`, over the container's.
    #[serde(deserialize_with = "super::nullable")]
    pub env: Vec<String>,
    /// Other than the container's; empty for the same.
    #[serde(deserialize_with = "super::nullable")]
    pub working_dir: String,
    /// The program and its arguments.
    #[serde(deserialize_with = "super::nullable")]
    pub cmd: Vec<String>,
}

/// Answer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecCreated {
    /// 64 hex digits.
    pub id: String,
}

/// Body of `POST /exec/{id}/start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExecStart {
    /// Answer at once, without streams.
    #[serde(deserialize_with = "super::nullable")]
    pub detach: bool,
    /// The stream has no frames.
    #[serde(deserialize_with = "super::nullable")]
    pub tty: bool,
    /// `[height, width]` of the terminal's window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u32; 2]>,
}

/// Answer to `GET /exec/{id}/json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecInspect {
    /// 64 hex digits.
    #[serde(rename = "ID")]
    pub id: String,
    /// It runs now.
    pub running: bool,
    /// When it has ended.
    pub exit_code: Option<i64>,
    /// What runs.
    pub process_config: ExecProcess,
    /// Whether its standard input was opened.
    pub open_stdin: bool,
    /// The same of its error output.
    pub open_stderr: bool,
    /// The same of its output.
    pub open_stdout: bool,
    /// Docker's note to itself.
    pub can_remove: bool,
    /// 64 hex digits.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// Base64 of the keys.
    pub detach_keys: String,
    /// On the host; 0 before and after.
    pub pid: i64,
}

/// The program of an exec, as inspect shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecProcess {
    /// It has a terminal.
    pub tty: bool,
    /// The program.
    pub entrypoint: String,
    /// What follows it.
    pub arguments: Vec<String>,
    /// It has every capability.
    pub privileged: bool,
    /// Who it runs as, when that was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
}

/// Answer to `GET /containers/{id}/top`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Top {
    /// A row a process.
    pub processes: Vec<Vec<String>>,
    /// The columns.
    pub titles: Vec<String>,
}
