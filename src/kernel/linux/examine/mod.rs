//! Tries out what containers need, in throw-away namespaces, and reads the settings that could be
//! in the way. Nothing of it stays.

mod network;
mod trial;

use super::http::Http;
use super::probe::probe;
use super::remove::remove_tree;
use crate::kernel::Machine;
use crate::kernel::{Payload, Value};
use crate::op::HttpOp;
use crate::wire::{Examination, Reach, UserNamespaceSettings};
use nix::sched::CloneFlags;
use nix::unistd::{Uid, User};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long Docker Hub may take.
const REACH_LIMIT: Duration = Duration::from_secs(2);
/// Where Docker Hub answers; 401 without a token is the answer expected.
const HUB: &str = "https://registry-1.docker.io/v2/";

/// Examines the machine for an engine whose state is in `root`. The caller must be
/// single-threaded: the trials happen in copies of this process.
pub fn examine(root: &Path) -> Examination {
    let machine = probe();
    let user = match machine.unprivileged() {
        true => CloneFlags::CLONE_NEWUSER,
        false => CloneFlags::empty(),
    };
    let in_network = |act: fn() -> nix::Result<()>| trial::run(user | CloneFlags::CLONE_NEWNET, act);
    let disk = nearest(root);
    let mut controllers: Vec<String> = machine.cgroups.v1.keys().cloned().collect();
    controllers.extend(machine.cgroups.v2.iter().flat_map(|v2| v2.controllers.clone()));
    controllers.sort();
    controllers.dedup();
    Examination {
        version: machine.kernel_version(),
        uid: machine.uid,
        user: user_name(machine.uid),
        user_namespace: trial::run(
            CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS,
            trial::mount_something,
        ),
        settings: UserNamespaceSettings {
            max: setting("user/max_user_namespaces"),
            clone: setting("kernel/unprivileged_userns_clone"),
            apparmor: setting("kernel/apparmor_restrict_unprivileged_userns"),
        },
        cgroup_mode: machine.cgroups.mode().to_owned(),
        controllers,
        cgroup_writable: cgroup_writable(&machine),
        overlay: overlay(&disk, user),
        seccomp: read("/proc/sys/kernel/seccomp/actions_avail").split_whitespace().any(|a| a == "errno"),
        network_namespace: in_network(|| Ok(())),
        veth: in_network(network::make_veth),
        nftables: in_network(network::ask_nftables),
        subordinate_ids: subordinate(&read("/etc/subuid"), machine.uid)
            && subordinate(&read("/etc/subgid"), machine.uid),
        disk_free: free(&disk),
        disk: disk.to_string_lossy().into_owned(),
        kernel: machine.kernel,
        // Last: it starts threads.
        registry: reach(),
    }
}

/// The directory itself or the nearest one above it that is there.
fn nearest(root: &Path) -> PathBuf {
    root.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

fn setting(name: &str) -> Option<u64> {
    read(&format!("/proc/sys/{name}")).trim().parse().ok()
}

fn cgroup_writable(machine: &Machine) -> bool {
    let v1 = || {
        !machine.unprivileged()
            && machine
                .cgroups
                .v1
                .values()
                .any(|mount| rustix::fs::access(&**mount, rustix::fs::Access::WRITE_OK).is_ok())
    };
    machine.cgroups.v2.as_ref().is_some_and(|v2| v2.writable) || v1()
}

/// A real overlay over the file system the layers are on: some cannot be below one.
fn overlay(disk: &Path, user: CloneFlags) -> crate::wire::Trial {
    let place = tempfile::Builder::new().prefix("learn-doctor-").tempdir_in(disk);
    let Ok(place) = place.or_else(|_| tempfile::tempdir()) else {
        return crate::wire::Trial::Refused(libc::EACCES);
    };
    let path = place.keep();
    let made =
        ["lower", "upper", "work", "merged"].iter().try_for_each(|name| fs::create_dir(path.join(name)));
    let result = match made {
        Ok(()) => trial::run(user | CloneFlags::CLONE_NEWNS, || trial::mount_overlay(&path)),
        Err(error) => crate::wire::Trial::Refused(error.raw_os_error().unwrap_or(libc::EIO)),
    };
    // The kernel leaves a directory without permissions in `work`; what cannot be removed is
    // an empty directory.
    let _ = remove_tree(&path.to_string_lossy());
    result
}

fn free(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |disk| disk.f_bavail * disk.f_frsize)
}

fn user_name(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| uid.to_string(), |user| user.name)
}

/// Whether a line `name-or-uid:first:count` gives the user ids: subuid(5).
fn subordinate(table: &str, uid: u32) -> bool {
    let (name, number) = (user_name(uid), uid.to_string());
    table.lines().filter_map(|line| line.split_once(':')).any(|(who, _)| who == name || who == number)
}

fn reach() -> Reach {
    let ask = async {
        let http = Http::new(Arc::new(|_| false));
        let op = HttpOp::Request { method: "GET".into(), url: HUB.into(), headers: Vec::new() };
        match tokio::time::timeout(REACH_LIMIT, http.perform(&op, Payload::Empty)).await {
            Err(_) => Reach::Silent(format!("no answer within {} s", REACH_LIMIT.as_secs())),
            Ok(Err(fault)) => Reach::Silent(fault.message),
            Ok(Ok(outcome)) => match outcome.value {
                Value::Response(response) => Reach::Answered(response.status),
                _ => Reach::Silent("no response".into()),
            },
        }
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let answer = runtime.block_on(ask);
            // A name server that does not answer must not hold up the report.
            runtime.shutdown_background();
            answer
        }
        Err(error) => Reach::Silent(error.to_string()),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
