//! Which namespaces a container gets: new ones, others' it joins, and (not listed) the host's.

use crate::op::{Namespace, NamespaceOp, Op};
use oci_spec::runtime::{Linux, LinuxNamespaceType};

/// The Spec's list, by who acts on it and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Made by the clone, sorted.
    pub new: Vec<Namespace>,
    /// Joined before the clone: setns(2) puts only the children of its caller into another pid
    /// namespace.
    pub before: Vec<Op>,
    /// Joined by init itself.
    pub inside: Vec<Op>,
}

impl Namespaces {
    /// Sorts the Spec's list; kinds this runtime does not know were refused before.
    pub fn of(linux: &Linux) -> Namespaces {
        let mut namespaces = Namespaces::default();
        for listed in linux.namespaces().iter().flatten() {
            let Some(namespace) = kind(listed.typ()) else { continue };
            let join = |path: &std::path::Path| {
                NamespaceOp::Join { namespace, path: path.display().to_string() }.into()
            };
            match listed.path() {
                None => namespaces.new.push(namespace),
                Some(path) if namespace == Namespace::Pid => namespaces.before.push(join(path)),
                Some(path) => namespaces.inside.push(join(path)),
            }
        }
        namespaces.new.sort_unstable();
        namespaces
    }

    /// What init is to join, by its path.
    pub fn joined(&self) -> Vec<(Namespace, String)> {
        let joined = |op: &Op| match op {
            Op::Namespace(NamespaceOp::Join { namespace, path }) => Some((*namespace, path.clone())),
            _ => None,
        };
        self.inside.iter().filter_map(joined).collect()
    }
}

fn kind(listed: LinuxNamespaceType) -> Option<Namespace> {
    Some(match listed {
        LinuxNamespaceType::User => Namespace::User,
        LinuxNamespaceType::Mount => Namespace::Mount,
        LinuxNamespaceType::Pid => Namespace::Pid,
        LinuxNamespaceType::Network => Namespace::Network,
        LinuxNamespaceType::Uts => Namespace::Uts,
        LinuxNamespaceType::Ipc => Namespace::Ipc,
        LinuxNamespaceType::Cgroup => Namespace::Cgroup,
        _ => return None,
    })
}
