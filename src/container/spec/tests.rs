use super::*;
use crate::container::{Snapshot, State};
use crate::kernel::machine::{CgroupV2, Cgroups};
use crate::wire::Config;
use oci_spec::runtime::{Capability, LinuxNamespaceType};

fn machine(uid: u32, unified: bool) -> Machine {
    let v2 = CgroupV2 { mount: "/sys/fs/cgroup".into(), controllers: vec![], writable: true };
    let v1 = [("memory".to_owned(), "/sys/fs/cgroup/memory".to_owned())].into();
    let cgroups = if unified {
        Cgroups { v2: Some(v2), ..Cgroups::default() }
    } else {
        Cgroups { v1, ..Cgroups::default() }
    };
    Machine { uid, gid: uid, cgroups, overlay: true, kernel: "6.1.0".into(), architecture: "amd64".into() }
}

fn record(host_config: HostConfig) -> Record {
    let id = "0123456789abcdef".repeat(4);
    Record {
        name: "x".into(),
        created: String::new(),
        image_id: String::new(),
        argv: vec!["ls".into()],
        config: Config { hostname: id[..12].into(), ..Config::default() },
        host_config,
        networking: Default::default(),
        network: Default::default(),
        snapshot: Snapshot {
            driver: "overlay2".into(),
            rootfs: "/r/rootfs".into(),
            overlay: Some("lowerdir=/l,upperdir=/u,workdir=/w".into()),
            ..Snapshot::default()
        },
        state: State::default(),
        id,
    }
}

fn spec_for(host_config: HostConfig, machine: &Machine) -> Result<Spec, Error> {
    let record = record(host_config);
    let user = User { uid: 0, gid: 0, groups: vec![0, 10], home: "/root".into() };
    build(Inputs { record: &record, user: &user, machine, bundle: "/b" })
}

fn kinds(spec: &Spec) -> Vec<LinuxNamespaceType> {
    let linux = spec.linux().as_ref().unwrap();
    linux.namespaces().as_ref().unwrap().iter().map(LinuxNamespace::typ).collect()
}

fn options_of(spec: &Spec, target: &str) -> Vec<String> {
    let mounts = spec.mounts().as_ref().unwrap();
    let mount = mounts.iter().find(|mount| mount.destination().as_os_str() == target).unwrap();
    mount.options().clone().unwrap()
}

#[test]
fn root_on_v1_gets_five_namespaces_and_dockers_guards() {
    use LinuxNamespaceType::{Ipc, Mount, Network, Pid, Uts};
    let spec = spec_for(HostConfig::default(), &machine(0, false)).unwrap();
    assert_eq!(kinds(&spec), [Mount, Pid, Network, Uts, Ipc]);
    let process = spec.process().as_ref().unwrap();
    let bounding = process.capabilities().as_ref().unwrap().bounding().clone().unwrap();
    assert_eq!(bounding.len(), 14);
    let linux = spec.linux().as_ref().unwrap();
    assert!(linux.seccomp().is_some() && linux.uid_mappings().is_none());
    assert_eq!(linux.masked_paths().as_ref().unwrap().len(), paths::MASKED.len());
    assert_eq!(
        spec.annotations().as_ref().unwrap()[OVERLAY_ANNOTATION],
        "lowerdir=/l,upperdir=/u,workdir=/w"
    );
    assert_eq!(options_of(&spec, "/etc/hosts"), ["rbind", "rprivate"]);
}

#[test]
fn without_privilege_one_id_is_mapped_and_nothing_needs_a_second() {
    let spec = spec_for(HostConfig::default(), &machine(1000, true)).unwrap();
    assert!(kinds(&spec).contains(&LinuxNamespaceType::User));
    assert!(kinds(&spec).contains(&LinuxNamespaceType::Cgroup));
    let mapping = spec.linux().as_ref().unwrap().uid_mappings().as_ref().unwrap()[0];
    assert_eq!((mapping.host_id(), mapping.container_id(), mapping.size()), (1000, 0, 1));
    assert!(!options_of(&spec, "/dev/pts").contains(&"gid=5".to_owned()));
    assert!(spec.process().as_ref().unwrap().user().additional_gids().is_none());
}

#[test]
fn the_hosts_network_is_shared_on_request_only() {
    let host = HostConfig { network_mode: "host".into(), ..HostConfig::default() };
    let spec = spec_for(host, &machine(1000, true)).unwrap();
    assert!(!kinds(&spec).contains(&LinuxNamespaceType::Network));
    assert!(options_of(&spec, "/sys").contains(&"rbind".to_owned()));
}

#[test]
fn a_privileged_container_has_every_capability_and_no_filter() {
    let spec =
        spec_for(HostConfig { privileged: true, ..HostConfig::default() }, &machine(0, false)).unwrap();
    let linux = spec.linux().as_ref().unwrap();
    assert!(linux.seccomp().is_none());
    assert_eq!(linux.masked_paths().as_ref().unwrap().len(), 0);
    let sets = spec.process().as_ref().unwrap().capabilities().clone().unwrap();
    assert!(sets.effective().as_ref().unwrap().contains(&Capability::SysAdmin));
}

#[test]
fn a_users_mount_takes_the_place_of_a_default_one() {
    let host = HostConfig { binds: Some(vec!["/mine:/etc/hosts:ro".into()]), ..HostConfig::default() };
    let spec = spec_for(host, &machine(0, false)).unwrap();
    assert_eq!(options_of(&spec, "/etc/hosts"), ["rbind", "rprivate", "ro"]);
}

#[test]
fn unknown_security_options_are_refused() {
    let host = |option: &str| HostConfig { security_opt: Some(vec![option.into()]), ..HostConfig::default() };
    assert!(check_security(&host("no-new-privileges")).is_ok());
    assert!(check_security(&host("seccomp=unconfined")).is_ok());
    assert!(check_security(&host("nonsense=1")).is_err());
    let unknown = HostConfig { cap_add: Some(vec!["NOSUCH".into()]), ..HostConfig::default() };
    assert!(check_security(&unknown).is_err());
}
