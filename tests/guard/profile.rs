//! Docker's default profile as an OCI object.

use learn::runtime::guard::abi::{self, Machine};
use learn::runtime::guard::capability;
use learn::runtime::guard::profile::{default_profile, default_profile_for, kernel_version};
use oci_spec::runtime::{Arch, LinuxSeccompAction};

#[test]
fn the_default_denies_with_eperm_and_covers_every_abi_of_the_machine() {
    let profile = default_profile_for(Some(Machine::X86_64), &capability::DEFAULT.into(), (6, 1));
    assert_eq!(profile.default_action(), LinuxSeccompAction::ScmpActErrno);
    assert_eq!(profile.default_errno_ret(), Some(1));
    let listed = profile.architectures().clone().unwrap();
    assert_eq!(listed, [Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32]);
}

#[test]
fn every_name_in_the_profile_is_a_syscall_of_some_abi() {
    let known: Vec<_> = [Machine::X86_64, Machine::Aarch64]
        .into_iter()
        .flat_map(Machine::architectures)
        .flat_map(abi::syscalls)
        .map(|(name, _)| name)
        .collect();
    // Of other architectures, and another name of arm_sync_file_range.
    let foreign = ["riscv_hwprobe", "sync_file_range2"];
    for machine in [Machine::X86_64, Machine::Aarch64] {
        for held in [&[][..], &capability::ALL] {
            let profile = default_profile_for(Some(machine), &held.iter().copied().collect(), (6, 1));
            for name in profile.syscalls().iter().flatten().flat_map(|rule| rule.names()) {
                assert!(known.contains(&name.as_str()) || foreign.contains(&name.as_str()), "{name}");
            }
        }
    }
}

#[test]
fn the_profile_survives_config_json() {
    let profile = default_profile(&capability::DEFAULT.into(), (6, 1));
    let json = serde_json::to_string(&profile).unwrap();
    assert!(json.contains(r#""names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38"#));
    assert_eq!(serde_json::from_str::<oci_spec::runtime::LinuxSeccomp>(&json).unwrap(), profile);
}

#[test]
fn kernel_versions_end_where_distributions_start() {
    assert_eq!(kernel_version("6.1.0-18-amd64"), Some((6, 1)));
    assert_eq!(kernel_version("3.12-1-amd64"), Some((3, 12)));
    assert_eq!(kernel_version("6.18.44-fc-v669"), Some((6, 18)));
    assert_eq!(kernel_version("5.10"), Some((5, 10)));
    assert_eq!(kernel_version("six.one"), None);
    assert_eq!(kernel_version("6"), None);
}
