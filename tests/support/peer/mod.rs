//! Other people's programs, started by hand beside `learn`: what it is tested against and measured
//! against. Each has its files in a directory of its own, listens on a socket of its own or on
//! loopback, and is ended by its process id.
//!
//! Taken in by a test or bench with `#[path = "…/tests/support/peer/mod.rs"] mod peer;`.
#![allow(dead_code, unused_imports, reason = "each target that takes this in uses a part of it")]

mod cgroup_parent;
mod docker_engine;
mod docker_registry;
mod server;

pub use cgroup_parent::CgroupParent;
pub use docker_engine::DockerEngine;
pub use docker_registry::DockerRegistry;
pub use server::Server;

use std::path::PathBuf;

/// Where a program is, as the shell would find it; also where Debian keeps the administrator's.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.push(PathBuf::from("/usr/sbin"));
    directories.into_iter().map(|directory| directory.join(program)).find(|file| file.is_file())
}
