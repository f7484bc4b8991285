//! Control groups of a container: pure tables `resources → [(file, value)]`, one per version, and
//! one writer for both. cgroups(7).

mod v1;
mod v2;

use crate::kernel::machine::{Cgroups, Machine};
use crate::op::{CgroupOp, FsOp, Op, WriteReason};
use oci_spec::runtime::LinuxResources;

/// The groups of one container, in every hierarchy this machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Directories, in the order they are made; removed in reverse.
    pub directories: Vec<String>,
    /// What makes them and writes the limits.
    pub setup: Vec<Op>,
    /// Where the memory controller tells of kills: a file and the key in it.
    pub oom: Option<(String, &'static str)>,
}

/// One control file below a hierarchy's group, and what is written to it (a line a write).
type Line = (String, String);

impl Groups {
    /// Plans the groups of the container whose `linux.cgroupsPath` is `path`.
    pub fn plan(machine: &Machine, path: &str, resources: Option<&LinuxResources>) -> Groups {
        if machine.unprivileged() {
            return Groups::default();
        }
        let path = path.trim_matches('/');
        let mut groups = Groups::default();
        let resources = resources.cloned().unwrap_or_default();
        for (mount, controllers) in v1_mounts(&machine.cgroups) {
            let directory = format!("{mount}/{path}");
            groups.create(&directory);
            if let Some(root) = machine.cgroups.cpuset.as_ref().filter(|_| controllers.contains(&"cpuset")) {
                groups.write_all(v1::cpuset_chain(mount, path, root));
            }
            for controller in controllers {
                groups.write_all(below(&directory, v1::lines(controller, &resources)));
                if controller == "memory" {
                    groups.oom = Some((format!("{directory}/memory.oom_control"), "oom_kill"));
                }
            }
        }
        if let Some(v2) = machine.cgroups.v2.as_ref().filter(|v2| v2.writable) {
            let directory = format!("{}/{path}", v2.mount);
            groups.create(&directory);
            groups.write_all(v2::delegation(v2, path));
            groups.write_all(below(&directory, v2::lines(&v2.controllers, &resources)));
            if v2.controllers.iter().any(|controller| controller == "memory") {
                groups.oom = Some((format!("{directory}/memory.events"), "oom_kill"));
            }
        }
        groups
    }

    /// Writes that put `pid` into every group.
    pub fn join(&self, pid: u32) -> Vec<Op> {
        self.directories
            .iter()
            .map(|directory| write(&format!("{directory}/cgroup.procs"), &pid.to_string()))
            .collect()
    }

    /// What removes the groups, last made first.
    pub fn release(&self) -> Vec<Op> {
        self.directories.iter().rev().map(|path| CgroupOp::Remove { path: path.clone() }.into()).collect()
    }

    fn create(&mut self, directory: &str) {
        self.directories.push(directory.to_owned());
        self.setup.push(CgroupOp::Create { path: directory.to_owned() }.into());
    }

    fn write_all(&mut self, lines: Vec<Line>) {
        self.setup.extend(lines.iter().map(|(path, value)| write(path, value)));
    }
}

/// Hierarchies by mount point: `cpu` and `cpuacct` often share one.
fn v1_mounts(cgroups: &Cgroups) -> Vec<(&str, Vec<&str>)> {
    let mut mounts: Vec<(&str, Vec<&str>)> = Vec::new();
    for (controller, mount) in &cgroups.v1 {
        match mounts.iter_mut().find(|(known, _)| known == mount) {
            Some((_, controllers)) => controllers.push(controller),
            None => mounts.push((mount, vec![controller])),
        }
    }
    mounts
}

fn below(directory: &str, lines: Vec<Line>) -> Vec<Line> {
    lines.into_iter().map(|(file, value)| (format!("{directory}/{file}"), value)).collect()
}

fn write(path: &str, value: &str) -> Op {
    FsOp::WriteFile { path: path.to_owned(), value: value.to_owned(), why: WriteReason::Cgroup }.into()
}
