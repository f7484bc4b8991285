//! Limits that cannot be set here: said by name before anything is done.

use crate::error::{Classify, Hint, Kind};

/// Why a limit of `linux.resources` is not to be had. Nothing is dropped silently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// This machine's control groups lack the controller.
    #[error("{limit} needs the {controller} controller, which this machine's cgroups ({mode}) do not have")]
    NoController {
        /// The limit, as [`Refused::limit`] words it.
        limit: String,
        /// `memory`, `pids`, …
        controller: String,
        /// `v1`, `v2`, `hybrid` or `none`.
        mode: &'static str,
    },
    /// Only root may make groups here.
    #[error("{limit} needs the {controller} controller, which is not delegated to user {uid}")]
    NotDelegated {
        /// The limit.
        limit: String,
        /// `memory`, `pids`, …
        controller: String,
        /// Who asked.
        uid: u32,
    },
    /// The controller is there, but this version of it has no such limit.
    #[error("{limit} does not exist in cgroup {version}")]
    NoSuchFile {
        /// The limit.
        limit: String,
        /// `v1` or `v2`.
        version: &'static str,
    },
    /// A device rule that does not say what it means.
    #[error("linux.resources.devices: rule {rule:?}: {reason}")]
    DeviceRule {
        /// `deny c 1:3 w`.
        rule: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Refused {
    /// How a limit is named to people: the Spec's field, and Docker's flag if there is one.
    pub(super) fn limit(field: &str, flag: &str) -> String {
        match flag {
            "" => format!("linux.resources.{field}"),
            _ => format!("linux.resources.{field} ({flag})"),
        }
    }
}

impl Classify for Refused {
    fn kind(&self) -> Kind {
        match self {
            Refused::NoController { .. } | Refused::NotDelegated { .. } => Kind::Denied,
            Refused::NoSuchFile { .. } | Refused::DeviceRule { .. } => Kind::Invalid,
        }
    }

    fn hint(&self) -> Option<Hint> {
        matches!(self.kind(), Kind::Denied).then_some(Hint::RunDoctor)
    }
}
