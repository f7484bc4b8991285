//! What this machine offers, probed once by the daemon and handed on as data: shim, simulator and
//! tests take it as it is given.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The facts a runtime decides by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Who runs the engine: 0 is root.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Control groups.
    pub cgroups: Cgroups,
    /// Whether overlayfs can be mounted (with `userxattr` when not root).
    pub overlay: bool,
    /// uname(2)'s release: `6.18.44`.
    pub kernel: String,
    /// Go's name of the architecture, as images use it: `amd64`, `arm64`.
    pub architecture: String,
}

/// Which cgroup hierarchies are mounted: cgroups(7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroups {
    /// v1: controller → mount point (`memory` → `/sys/fs/cgroup/memory`).
    pub v1: BTreeMap<String, String>,
    /// v2: mount point and the controllers it has.
    pub v2: Option<CgroupV2>,
    /// What the root of v1's cpuset hierarchy allows (`cpuset.cpus`, `cpuset.mems`, as `0-1` and
    /// `0`): a new group is empty there, and no process may enter an empty one. cpuset(7).
    pub cpuset: Option<Cpuset>,
}

/// Processors and memory nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpuset {
    /// `0-3`.
    pub cpus: String,
    /// `0`.
    pub mems: String,
}

/// The unified hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupV2 {
    /// `/sys/fs/cgroup` or `/sys/fs/cgroup/unified`.
    pub mount: String,
    /// `cgroup.controllers`, sorted; empty on hybrid machines.
    pub controllers: Vec<String>,
    /// Whether this process may make groups there (root, or a delegated subtree).
    pub writable: bool,
}

impl Cgroups {
    /// `v1`, `v2`, `hybrid` or `none`.
    pub fn mode(&self) -> &'static str {
        match (self.v1.is_empty(), &self.v2) {
            (true, None) => "none",
            (true, Some(_)) => "v2",
            (false, None) => "v1",
            (false, Some(_)) => "hybrid",
        }
    }
}

impl Machine {
    /// Whether containers need a user namespace.
    pub fn unprivileged(&self) -> bool {
        self.uid != 0
    }

    /// Major and minor version of the kernel.
    pub fn kernel_version(&self) -> (u32, u32) {
        let mut numbers = self.kernel.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}
