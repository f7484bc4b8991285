//! Why a network refuses, in Docker's words.

use crate::error::{Classify, Kind};

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The name is taken.
    #[error("network with name {0} already exists")]
    Exists(String),
    /// Containers are in it.
    #[error("error while removing network: network {name} id {id} has active endpoints")]
    InUse {
        /// The network.
        name: String,
        /// Its id.
        id: String,
    },
    /// `bridge`, `host` and `none` stay.
    #[error("{0} is a pre-defined network and cannot be removed")]
    Predefined(String),
    /// `bridge`, `host` and `none` are there.
    #[error("operation is not permitted on predefined {0} network ")]
    PredefinedName(String),
    /// The subnet asked for is somebody's.
    #[error("Pool overlaps with other one on this address space")]
    Overlap,
    /// Every pool is used up.
    #[error(
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"
    )]
    NoSubnet,
    /// Every address is given out.
    #[error("no available IPv4 addresses on this network's address pools: {0}")]
    NoAddress(String),
    /// The address asked for is somebody's.
    #[error("Address already in use")]
    AddressInUse,
    /// The container is there already.
    #[error("endpoint with name {container} already exists in network {network}")]
    Connected {
        /// Its name.
        container: String,
        /// The network.
        network: String,
    },
    /// The container is not there.
    #[error("container {container} is not connected to the network {network}")]
    NotConnected {
        /// Its id.
        container: String,
        /// The network.
        network: String,
    },
    /// A port of the host cannot be had; the container does not start.
    #[error("driver failed programming external connectivity on endpoint {container} ({endpoint}): {reason}")]
    Port {
        /// The container's name.
        container: String,
        /// Id of its endpoint.
        endpoint: String,
        /// Whose the port is.
        reason: String,
    },
    /// The container whose namespace is to be shared does not run.
    #[error("cannot join network of a non running container: {0}")]
    Container(String),
    /// No driver of the name.
    #[error("plugin {0:?} not found")]
    Driver(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The request is forbidden.
    #[error("{0}")]
    Forbidden(String),
    /// Docker's, but not done here.
    #[error("{0} is not supported by learn yet")]
    Unsupported(String),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Exists(_) | Error::Container(_) => Kind::Conflict,
            Error::InUse { .. }
            | Error::Predefined(_)
            | Error::PredefinedName(_)
            | Error::Overlap
            | Error::AddressInUse
            | Error::Connected { .. }
            | Error::Forbidden(_) => Kind::Denied,
            Error::Driver(_) => Kind::NotFound,
            Error::Invalid(_) => Kind::Invalid,
            Error::Unsupported(_) => Kind::Unsupported,
            Error::NoSubnet | Error::NoAddress(_) | Error::NotConnected { .. } | Error::Port { .. } => {
                Kind::Internal
            }
        }
    }
}

impl From<super::ports::Error> for Error {
    fn from(error: super::ports::Error) -> Error {
        match error {
            super::ports::Error::Port(_) => Error::Invalid(error.to_string()),
            super::ports::Error::Protocol(protocol) => {
                Error::Unsupported(format!("publishing a port of {protocol}"))
            }
        }
    }
}
