//! Namespaces: namespaces(7), clone(2).

use super::quote;
use serde::{Deserialize, Serialize};

/// One kind of namespace.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Namespace {
    /// Users and groups.
    User,
    /// Mount points.
    Mount,
    /// Process ids.
    Pid,
    /// Interfaces, routes, ports.
    Network,
    /// Host name.
    Uts,
    /// System V and POSIX message queues.
    Ipc,
    /// The cgroup tree's visible root.
    Cgroup,
}

impl Namespace {
    /// The link's name in `/proc/<pid>/ns`.
    pub fn proc_name(self) -> &'static str {
        match self {
            Namespace::User => "user",
            Namespace::Mount => "mnt",
            Namespace::Pid => "pid",
            Namespace::Network => "net",
            Namespace::Uts => "uts",
            Namespace::Ipc => "ipc",
            Namespace::Cgroup => "cgroup",
        }
    }

    /// clone(2)'s flag.
    pub fn clone_flag(self) -> &'static str {
        match self {
            Namespace::User => "CLONE_NEWUSER",
            Namespace::Mount => "CLONE_NEWNS",
            Namespace::Pid => "CLONE_NEWPID",
            Namespace::Network => "CLONE_NEWNET",
            Namespace::Uts => "CLONE_NEWUTS",
            Namespace::Ipc => "CLONE_NEWIPC",
            Namespace::Cgroup => "CLONE_NEWCGROUP",
        }
    }
}

/// An act on namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum NamespaceOp {
    /// Makes the container's first process in new namespaces.
    Clone {
        /// What is new; the rest is shared with the host.
        namespaces: Vec<Namespace>,
        /// Directory of the unified control group it is born in, instead of its parent's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cgroup: Option<String>,
    },
    /// Joins a namespace that exists.
    Join {
        /// Its kind.
        namespace: Namespace,
        /// `/proc/<pid>/ns/<kind>` or another path that holds it.
        path: String,
    },
    /// Sets the host name seen in this UTS namespace.
    SetHostname {
        /// The new name.
        name: String,
    },
}

impl NamespaceOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            NamespaceOp::Clone { namespaces, cgroup } => {
                let into = cgroup.iter().map(|_| "CLONE_INTO_CGROUP");
                let flags: Vec<_> = into.chain(namespaces.iter().map(|n| n.clone_flag())).collect();
                let group =
                    cgroup.as_ref().map(|path| format!(", cgroup=open({path:?})")).unwrap_or_default();
                format!("clone3({{flags=CLONE_PIDFD|{}, exit_signal=SIGCHLD{group}}})", flags.join("|"))
            }
            NamespaceOp::Join { namespace, path } => {
                format!("setns(open({path:?}), {})", namespace.clone_flag())
            }
            NamespaceOp::SetHostname { name } => format!("sethostname({name:?})"),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            NamespaceOp::Clone { namespaces, .. } => {
                let flags: Vec<_> = namespaces
                    .iter()
                    .map(|n| match n {
                        Namespace::Mount => "--mount",
                        Namespace::Pid => "--pid",
                        Namespace::Network => "--net",
                        Namespace::Uts => "--uts",
                        Namespace::Ipc => "--ipc",
                        Namespace::User => "--user",
                        Namespace::Cgroup => "--cgroup",
                    })
                    .collect();
                format!("unshare --fork {} sh", flags.join(" "))
            }
            NamespaceOp::Join { namespace, path } => {
                format!("nsenter --{}={} sh", namespace.proc_name(), quote(path))
            }
            NamespaceOp::SetHostname { name } => format!("hostname {}", quote(name)),
        }
    }
}
