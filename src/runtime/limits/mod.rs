//! Control groups of a container: pure tables `limit → [(file, value)]`, one per version, and one
//! writer for both. cgroups(7).

mod device_filter;
mod devices;
mod limit;
mod refused;
mod v1;
mod v2;

pub use device_filter::Instruction;
pub use refused::Refused;

use crate::kernel::machine::{CgroupV2, Cgroups, Machine};
use crate::op::{CgroupOp, FsOp, Op, WriteReason};
use limit::Limit;
use oci_spec::runtime::{LinuxRdma, LinuxResources};

/// The groups of one container, in every hierarchy this machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Directories, in the order they are made; removed in reverse.
    pub directories: Vec<String>,
    /// What makes them and writes the limits.
    pub setup: Vec<Op>,
    /// What guards the devices where v2 has to; comes after `setup`.
    pub device_filter: Option<DeviceFilter>,
    /// Where the memory controller tells of kills: a file and the key in it.
    pub oom: Option<(String, &'static str)>,
    /// Writes with which the first process puts itself into groups. One that moves *itself*, as a
    /// single thread, holds up nobody; to move another process the kernel first waits until every
    /// processor has passed a point of rest, which takes longer than all the rest of a start.
    pub joins: Vec<Op>,
    /// The unified group the first process is born in: clone3(2), CLONE_INTO_CGROUP.
    pub born: Option<String>,
}

/// The first Linux whose clone3(2) knows CLONE_INTO_CGROUP.
const BORN_IN_GROUP: (u32, u32) = (5, 7);

/// A device program and the operation that attaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFilter {
    /// [`CgroupOp::AttachDeviceFilter`].
    pub op: Op,
    /// What travels beside it.
    pub program: Vec<Instruction>,
}

/// One control file below a hierarchy's group, and what is written to it (a line a write).
type Line = (String, String);

impl Groups {
    /// Plans the groups of the container whose `linux.cgroupsPath` is `path`.
    ///
    /// Where a hierarchy can guard devices, what no rule allows is denied. A machine without one
    /// is refused only when `resources` has rules that deny something.
    ///
    /// # Errors
    /// The first limit this machine cannot set.
    pub fn plan(
        machine: &Machine,
        path: &str,
        resources: Option<&LinuxResources>,
    ) -> Result<Groups, Refused> {
        let resources = resources.cloned().unwrap_or_default();
        let limits = limit::asked(&resources);
        if machine.unprivileged() {
            // No device rules either: without privilege no device node can be made, and the ones
            // bound in are guarded by their own permissions.
            return match limits.iter().find(|limit| limit.binds()) {
                Some(limit) => Err(not_delegated(limit, machine)),
                None => Ok(Groups::default()),
            };
        }
        let path = path.trim_matches('/');
        let mut groups = Groups::default();
        groups.create_all(&machine.cgroups, path);
        groups.enter_all(machine, path);
        if let Some(mount) = machine.cgroups.v1.get("memory") {
            groups.write_all(&below(mount, path), v1::lifted(&limits));
        }
        for limit in &limits {
            groups.limit(&machine.cgroups, path, limit)?;
        }
        groups.guard_devices(&machine.cgroups, path, &resources)?;
        Ok(groups)
    }

    /// Writes that change the limits of a container whose groups are there.
    ///
    /// # Errors
    /// The first limit this machine cannot set.
    pub fn rewrite(machine: &Machine, path: &str, resources: &LinuxResources) -> Result<Vec<Op>, Refused> {
        let limits = limit::asked(resources);
        let path = path.trim_matches('/');
        let mut groups = Groups::default();
        if let Some(mount) = machine.cgroups.v1.get("memory") {
            groups.write_all(&below(mount, path), v1::lifted(&limits));
        }
        for limit in &limits {
            groups.limit(&machine.cgroups, path, limit)?;
        }
        Ok(groups.setup)
    }

    /// Writes that put another process, `pid`, into every group.
    pub fn join(&self, pid: u32) -> Vec<Op> {
        self.directories
            .iter()
            .map(|directory| write(format!("{directory}/cgroup.procs"), pid.to_string()))
            .collect()
    }

    /// What removes the groups, last made first.
    pub fn release(&self) -> Vec<Op> {
        self.directories.iter().rev().map(|path| CgroupOp::Remove { path: path.clone() }.into()).collect()
    }

    fn create_all(&mut self, cgroups: &Cgroups, path: &str) {
        for mount in v1_mounts(cgroups) {
            self.create(below(mount, path));
        }
        if let Some(root) = &cgroups.cpuset
            && let Some(mount) = cgroups.v1.get("cpuset")
        {
            self.setup.extend(v1::cpuset_chain(mount, path, root).into_iter().map(|(p, v)| write(p, v)));
        }
        if let Some(mount) = cgroups.v1.get("memory") {
            self.oom = Some((format!("{}/memory.oom_control", below(mount, path)), "oom_kill"));
        }
        if let Some(v2) = unified(cgroups) {
            self.create(below(&v2.mount, path));
            self.setup.extend(v2::delegation(v2, path).into_iter().map(|(p, v)| write(p, v)));
            if v2.controllers.iter().any(|controller| controller == "memory") {
                self.oom = Some((format!("{}/memory.events", below(&v2.mount, path)), "oom_kill"));
            }
        }
    }

    /// How the first process gets into the groups.
    fn enter_all(&mut self, machine: &Machine, path: &str) {
        // 0 stands for whoever writes.
        let own = |group: String, file: &str| write(format!("{group}/{file}"), "0".into());
        for mount in v1_mounts(&machine.cgroups) {
            self.joins.push(own(below(mount, path), "tasks"));
        }
        if let Some(v2) = unified(&machine.cgroups) {
            let group = below(&v2.mount, path);
            if machine.kernel_version() >= BORN_IN_GROUP {
                self.born = Some(group);
            } else {
                self.joins.push(own(group, "cgroup.procs"));
            }
        }
    }

    /// One limit, in the hierarchy that has its controller: there can only be one.
    fn limit(&mut self, cgroups: &Cgroups, path: &str, limit: &Limit) -> Result<(), Refused> {
        let names = limit.names();
        let missing =
            |version| Refused::NoSuchFile { limit: Refused::limit(names.field, names.flag), version };
        if let Some(mount) = cgroups.v1.get(names.v1) {
            let lines = v1::lines(limit).ok_or_else(|| missing("v1"))?;
            self.write_all(&below(mount, path), lines);
        } else if let Some(v2) = unified(cgroups).filter(|v2| has(v2, names.v2)) {
            let lines = v2::lines(limit).ok_or_else(|| missing("v2"))?;
            self.write_all(&below(&v2.mount, path), lines);
        } else if matches!(limit, Limit::Unified { .. }) && unified(cgroups).is_none() {
            return Err(missing("v1"));
        } else if limit.binds() {
            return Err(no_controller(cgroups, limit));
        }
        Ok(())
    }

    fn guard_devices(
        &mut self,
        cgroups: &Cgroups,
        path: &str,
        resources: &LinuxResources,
    ) -> Result<(), Refused> {
        let rules = devices::rules(resources)?;
        if let Some(mount) = cgroups.v1.get("devices") {
            self.write_all(&below(mount, path), devices::v1_lines(&rules)?);
        } else if let Some(v2) = unified(cgroups) {
            let program = device_filter::compile(&rules);
            let op = CgroupOp::AttachDeviceFilter {
                path: below(&v2.mount, path),
                rules: rules.iter().map(ToString::to_string).collect(),
                instructions: program.len(),
            };
            self.device_filter = Some(DeviceFilter { op: op.into(), program });
        } else if resources.devices().is_some() && devices::restrict(&rules) {
            return Err(Refused::NoController {
                limit: Refused::limit("devices", ""),
                controller: "devices".into(),
                mode: cgroups.mode(),
            });
        }
        Ok(())
    }

    fn create(&mut self, directory: String) {
        self.setup.push(CgroupOp::Create { path: directory.clone() }.into());
        self.directories.push(directory);
    }

    fn write_all(&mut self, directory: &str, lines: impl IntoIterator<Item = Line>) {
        self.setup.extend(lines.into_iter().map(|(file, value)| write(format!("{directory}/{file}"), value)));
    }
}

/// Mount points of v1, each once: `cpu` and `cpuacct` often share one.
fn v1_mounts(cgroups: &Cgroups) -> Vec<&str> {
    let mut mounts: Vec<&str> = Vec::new();
    for mount in cgroups.v1.values() {
        if !mounts.contains(&mount.as_str()) {
            mounts.push(mount);
        }
    }
    mounts
}

/// v2, if groups can be made there.
fn unified(cgroups: &Cgroups) -> Option<&CgroupV2> {
    cgroups.v2.as_ref().filter(|v2| v2.writable)
}

/// `cgroup.…` files belong to no controller and are always there.
fn has(v2: &CgroupV2, controller: &str) -> bool {
    controller == "cgroup" || v2.controllers.iter().any(|known| known == controller)
}

fn not_delegated(limit: &Limit, machine: &Machine) -> Refused {
    let names = limit.names();
    Refused::NotDelegated {
        limit: Refused::limit(names.field, names.flag),
        controller: controller(&machine.cgroups, limit),
        uid: machine.uid,
    }
}

fn no_controller(cgroups: &Cgroups, limit: &Limit) -> Refused {
    let names = limit.names();
    Refused::NoController {
        limit: Refused::limit(names.field, names.flag),
        controller: controller(cgroups, limit),
        mode: cgroups.mode(),
    }
}

/// The controller's name in the version a person would look for it in.
fn controller(cgroups: &Cgroups, limit: &Limit) -> String {
    let names = limit.names();
    let v2 = names.v1.is_empty() || (cgroups.v1.is_empty() && !names.v2.is_empty());
    if v2 { names.v2.to_owned() } else { names.v1.to_owned() }
}

fn below(mount: &str, path: &str) -> String {
    format!("{mount}/{path}")
}

fn write(path: String, value: String) -> Op {
    FsOp::WriteFile { path, value, why: WriteReason::Cgroup }.into()
}

/// Both versions' word for no limit, where they have one.
fn bounded(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".into() }
}

/// `mlx4_0 hca_handle=2 hca_object=2000`, the same in both versions.
fn rdma(device: &str, limit: &LinuxRdma) -> String {
    let part =
        |key: &str, value: Option<u32>| value.map(|value| format!(" {key}={value}")).unwrap_or_default();
    let handles = part("hca_handle", limit.hca_handles());
    format!("{device}{handles}{}", part("hca_object", limit.hca_objects()))
}

#[cfg(test)]
mod tests;
