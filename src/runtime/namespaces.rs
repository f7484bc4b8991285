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

/// What joins every namespace of a running container whose first process is `pid`. The user
/// namespace comes first, for it gives the right to join the others; the mount namespace last,
/// for the paths are the host's; the pid namespace is for children of who joins it.
pub fn joins(linux: &Linux, pid: u32) -> Vec<Op> {
    use Namespace::{Cgroup, Ipc, Mount, Network, Pid, User, Uts};
    let kinds: Vec<Namespace> =
        linux.namespaces().iter().flatten().filter_map(|listed| kind(listed.typ())).collect();
    [User, Ipc, Uts, Network, Cgroup, Pid, Mount]
        .into_iter()
        .filter(|namespace| kinds.contains(namespace))
        .map(|namespace| {
            let path = format!("/proc/{pid}/ns/{}", namespace.proc_name());
            NamespaceOp::Join { namespace, path }.into()
        })
        .collect()
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
