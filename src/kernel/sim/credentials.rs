//! Acts that limit the calling process: setrlimit(2), prctl(2), capset(2), setresuid(2); and
//! joining and naming namespaces: setns(2), sethostname(2).

use super::namespaces::{NsId, first, outside};
use super::processes::{Capabilities, Pid};
use super::world::World;
use crate::op::{GuardOp, Namespace, NamespaceOp, NetworkOp};
use nix::errno::Errno;

impl World {
    /// Performs one operation on the caller's privileges.
    ///
    /// # Errors
    /// EPERM, EINVAL.
    pub fn guard_op(&mut self, who: Pid, op: &GuardOp) -> Result<(), Errno> {
        match op {
            GuardOp::SetLimit { resource, soft, hard } => self.set_limit(who, resource, *soft, *hard),
            GuardOp::BoundCapabilities { keep } => {
                let process = self.processes.get_mut(who)?;
                let keep = known(keep)?;
                let drops = process.bounding.iter().any(|name| !keep.contains(name));
                if drops && !process.has_capability("CAP_SETPCAP") {
                    return Err(Errno::EPERM);
                }
                process.bounding.retain(|name| keep.contains(name));
                Ok(())
            }
            GuardOp::SetCapabilities { effective, inheritable, ambient } => {
                let (effective, inheritable, ambient) =
                    (known(effective)?, known(inheritable)?, known(ambient)?);
                let process = self.processes.get_mut(who)?;
                // CAP_SYS_ADMIN stays until the program takes over: it loads the seccomp filter.
                let mut held: Capabilities = effective.intersection(&process.effective).cloned().collect();
                held.extend(process.effective.get("CAP_SYS_ADMIN").cloned());
                if !inheritable.is_subset(&process.bounding) {
                    return Err(Errno::EPERM);
                }
                // The kernel keeps the ambient set within the inheritable and permitted ones.
                process.ambient = ambient
                    .into_iter()
                    .filter(|name| inheritable.contains(name) && held.contains(name))
                    .collect();
                process.effective = held;
                process.inheritable = inheritable;
                Ok(())
            }
            GuardOp::NoNewPrivileges => {
                self.processes.get_mut(who)?.no_new_privileges = true;
                Ok(())
            }
            GuardOp::SetUser { uid, gid, groups } => self.set_user(who, *uid, *gid, groups),
        }
    }

    fn set_limit(&mut self, who: Pid, resource: &str, soft: u64, hard: u64) -> Result<(), Errno> {
        if !resource.starts_with("RLIMIT_") || soft > hard {
            return Err(Errno::EINVAL);
        }
        let process = self.processes.get(who)?;
        let ceiling = process.limits.get(resource).map_or(u64::MAX, |limit| limit.1);
        if hard > ceiling && !self.is_capable(process, "CAP_SYS_RESOURCE", first(Namespace::User)) {
            return Err(Errno::EPERM);
        }
        self.processes.get_mut(who)?.limits.insert(resource.to_owned(), (soft, hard));
        Ok(())
    }

    fn set_user(&mut self, who: Pid, uid: u32, gid: u32, groups: &[u32]) -> Result<(), Errno> {
        let process = self.processes.get(who)?;
        let users = self.namespaces.users(process.user_namespace());
        let may_group = process.has_capability("CAP_SETGID");
        let host_groups: Option<Vec<u32>> = groups.iter().map(|gid| outside(&users.gids, *gid)).collect();
        // Where setgroups(2) is refused and no groups are asked for, there is nothing to refuse.
        if !groups.is_empty() && (users.groups_denied || !may_group) {
            return Err(Errno::EPERM);
        }
        let host_groups = host_groups.ok_or(Errno::EINVAL)?;
        let host_gid = outside(&users.gids, gid).ok_or(Errno::EINVAL)?;
        let host_uid = outside(&users.uids, uid).ok_or(Errno::EINVAL)?;
        if (host_gid != process.gid && !may_group)
            || (host_uid != process.uid && !process.has_capability("CAP_SETUID"))
        {
            return Err(Errno::EPERM);
        }
        let process = self.processes.get_mut(who)?;
        (process.uid, process.gid, process.groups) = (host_uid, host_gid, host_groups);
        self.own_proc_files(who);
        Ok(())
    }

    /// Performs one operation on namespaces other than making them.
    ///
    /// # Errors
    /// EPERM, EINVAL, ENOENT; ENAMETOOLONG never: sethostname(2) says EINVAL.
    pub fn namespace_op(&mut self, who: Pid, op: &NamespaceOp) -> Result<(), Errno> {
        match op {
            // A process that is no shim has nobody to be parent for.
            NamespaceOp::Clone { .. } => Err(Errno::EINVAL),
            NamespaceOp::Join { namespace, path } => self.join(who, *namespace, path),
            NamespaceOp::SetHostname { name } => {
                let process = self.processes.get(who)?;
                let uts = process.namespaces[&Namespace::Uts];
                if !self.is_capable(process, "CAP_SYS_ADMIN", self.namespaces.owner(uts)) {
                    return Err(Errno::EPERM);
                }
                self.namespaces.set_hostname(uts, name)
            }
        }
    }

    fn join(&mut self, who: Pid, kind: Namespace, path: &str) -> Result<(), Errno> {
        let text = self.read_link(who, path)?;
        let number = text.split_once(":[").and_then(|(_, rest)| rest.strip_suffix(']'));
        let id: NsId = number.and_then(|number| number.parse().ok()).ok_or(Errno::EINVAL)?;
        if self.namespaces.kind(id) != Some(kind) {
            return Err(Errno::EINVAL);
        }
        let process = self.processes.get(who)?;
        let over = if kind == Namespace::User { id } else { self.namespaces.owner(id) };
        if kind == Namespace::User && process.user_namespace() == id {
            return Err(Errno::EINVAL);
        }
        if !self.is_capable(process, "CAP_SYS_ADMIN", over) {
            return Err(Errno::EPERM);
        }
        let root = match kind {
            Namespace::Mount => {
                let root = self.mounts.of(id).find(|(_, mount)| mount.over.is_none());
                Some(root.map(|(id, mount)| mount.top(id)).ok_or(Errno::EINVAL)?)
            }
            _ => None,
        };
        let process = self.processes.get_mut(who)?;
        process.namespaces.insert(kind, id);
        if kind == Namespace::User {
            process.effective = process.bounding.clone();
        }
        if let Some(root) = root {
            (process.root, process.cwd) = (root, root);
        }
        Ok(())
    }

    /// Switches an interface of the caller's network namespace on.
    ///
    /// # Errors
    /// EPERM, ENODEV; EINVAL for an act of the daemon's.
    pub fn network_op(&mut self, who: Pid, op: &NetworkOp) -> Result<(), Errno> {
        // Everything else is the daemon's to do.
        let NetworkOp::LinkUp { interface, sandbox: None } = op else { return Err(Errno::EINVAL) };
        let process = self.processes.get(who)?;
        let network = process.namespaces[&Namespace::Network];
        if !self.is_capable(process, "CAP_NET_ADMIN", self.namespaces.owner(network)) {
            return Err(Errno::EPERM);
        }
        self.namespaces.link_up(network, interface)
    }
}

/// The names as a set; EINVAL for one the kernel does not know.
fn known(names: &[String]) -> Result<Capabilities, Errno> {
    let all: Capabilities = caps::all().iter().map(ToString::to_string).collect();
    let named: Capabilities = names.iter().cloned().collect();
    if named.is_subset(&all) { Ok(named) } else { Err(Errno::EINVAL) }
}
