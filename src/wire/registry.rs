//! What goes through the engine to a registry: `login`, `search`, `distribution`.

use super::nullable;
use serde::{Deserialize, Serialize};

/// `POST /auth`: who somebody says they are, and to whom.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthRequest {
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// Password or access token.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// `host[:port]`, or Docker Hub's key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serveraddress: String,
    /// A refresh token instead of a password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identitytoken: String,
}

/// Never shows a secret.
impl std::fmt::Debug for AuthRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthRequest({}:*** at {})", self.username, self.serveraddress)
    }
}

/// The answer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AuthAnswer {
    /// To be kept instead of the password; empty when the registry gives none.
    #[serde(deserialize_with = "nullable")]
    pub identity_token: String,
    /// `Login Succeeded`.
    pub status: String,
}

/// One line of `docker search`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResult {
    /// How many people starred it.
    pub star_count: i64,
    /// Whether Docker looks after it.
    pub is_official: bool,
    /// Its name.
    pub name: String,
    /// No longer used.
    pub is_automated: bool,
    /// What its owner says of it.
    pub description: String,
}

/// `GET /distribution/{name}/json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DistributionInspect {
    /// The manifest, or the list of them.
    pub descriptor: Descriptor,
    /// Whom there is an image for.
    pub platforms: Vec<DistributionPlatform>,
}

/// A document at a registry: OCI image specification, "Descriptor".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// `sha256:<hex>`.
    pub digest: String,
    /// Bytes.
    pub size: i64,
}

/// An operating system on a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistributionPlatform {
    /// `amd64`.
    pub architecture: String,
    /// `linux`.
    pub os: String,
    /// `v8`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
}
