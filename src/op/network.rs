//! Network interfaces: netdevice(7), rtnetlink(7).

use super::quote;
use serde::{Deserialize, Serialize};

/// An act on the calling process's network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum NetworkOp {
    /// Switches an interface on.
    LinkUp {
        /// Its name: `lo`.
        interface: String,
    },
}

impl NetworkOp {
    pub(super) fn syscall(&self) -> String {
        let NetworkOp::LinkUp { interface } = self;
        format!("ioctl(socket(AF_INET), SIOCSIFFLAGS, {{ifr_name={interface:?}, ifr_flags=IFF_UP}})")
    }

    pub(super) fn shell(&self) -> String {
        let NetworkOp::LinkUp { interface } = self;
        format!("ip link set {} up", quote(interface))
    }
}
