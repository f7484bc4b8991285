//! Volumes: directories of the host that outlive containers.
//!
//! ```text
//!  ROOT/volumes/<name>/_data         what containers see
//!  ROOT/volumes/<name>/volume.json   the record: written last when it is made
//!  ROOT/volumes/.removing-<name>     renamed first when it is removed; swept at the next start
//! ```

mod name;
mod store;

pub use name::check as check_name;
pub use store::{Draft, Volumes};

use crate::error::{Classify, Kind};
use crate::kernel::OpError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The label of a volume nobody named.
pub const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// The only driver there is.
pub const LOCAL: &str = "local";

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Volume {
    /// As containers ask for it.
    pub name: String,
    /// RFC 3339.
    pub created: String,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Options of the driver, as asked for.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl Volume {
    /// Whether nobody named it.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS)
    }

    /// A directory of the host's that stands in for the volume's own: `-o o=bind -o device=DIR`.
    pub fn device(&self) -> Option<&str> {
        self.options.get("device").map(String::as_str)
    }
}

/// Why a volume cannot be. The texts are Docker's own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that is none.
    #[error(
        "create {0}: {0:?} includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )]
    Name(String),
    /// One letter is no name.
    #[error("create {0}: volume name is too short, names should be at least two alphanumeric characters")]
    Short(String),
    /// There is no such volume.
    #[error("get {0}: no such volume")]
    Missing(String),
    /// Containers need it.
    #[error("remove {name}: volume is in use - [{}]", users.join(", "))]
    InUse {
        /// The volume.
        name: String,
        /// Ids of the containers.
        users: Vec<String>,
    },
    /// No plugin has this name.
    #[error("create {name}: error looking up volume plugin {driver}: plugin {driver:?} not found")]
    Driver {
        /// The volume.
        name: String,
        /// The driver.
        driver: String,
    },
    /// An option the driver does not know.
    #[error("create {name}: invalid option: {option:?}")]
    Option {
        /// The volume.
        name: String,
        /// The option.
        option: String,
    },
    /// An option the driver cannot do without.
    #[error("create {name}: missing required option: {option:?}")]
    Required {
        /// The volume.
        name: String,
        /// The option.
        option: &'static str,
    },
    /// What would have to be mounted on the host.
    #[error("create {name}: --opt {option} is not supported by learn yet")]
    Unsupported {
        /// The volume.
        name: String,
        /// The option.
        option: String,
    },
    /// A damaged record.
    #[error("{path}: expected a volume's record: {reason}")]
    Record {
        /// The file.
        path: String,
        /// The parser's word.
        reason: String,
    },
    /// The disk refused.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Name(_) | Error::Short(_) | Error::Option { .. } | Error::Required { .. } => Kind::Invalid,
            Error::Missing(_) | Error::Driver { .. } => Kind::NotFound,
            Error::InUse { .. } => Kind::Conflict,
            Error::Unsupported { .. } => Kind::Unsupported,
            Error::Record { .. } => Kind::Internal,
            Error::Op(error) => error.kind(),
        }
    }
}
