//! What happened to containers and images, as `docker events` shows it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventMessage {
    /// Deprecated form of the action; absent for images' and networks' newer events.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Deprecated form of the actor's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Deprecated form of the actor's image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// `container`, `image`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// `create`, `start`, `die`, ….
    #[serde(rename = "Action")]
    pub action: String,
    /// To whom.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// `local`.
    pub scope: String,
    /// Seconds since the epoch.
    pub time: i64,
    /// Nanoseconds since the epoch.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// To whom something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// `name`, `image`, `exitCode`, `signal` and the labels.
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}
