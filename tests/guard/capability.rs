//! `--cap-add`, `--cap-drop`, `--privileged`.

use learn::runtime::guard::capability::{
    ALL, Choice, DEFAULT, effective, effective_within, from_mask, mask, name, normalise, number,
    process_sets, sorted,
};
use oci_spec::runtime::{Capabilities, Capability};

fn lists(add: &[&str], drop: &[&str]) -> Capabilities {
    let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    effective(&owned(add), &owned(drop), false).unwrap()
}

#[test]
fn a_container_that_asks_for_nothing_has_dockers_mask() {
    assert_eq!(mask(&lists(&[], &[])), 0xa804_25fb);
    assert_eq!(mask(&ALL.into()), (1 << 41) - 1);
}

#[test]
fn numbers_are_the_kernels() {
    let known = [
        (Capability::Chown, 0),
        (Capability::NetAdmin, 12),
        (Capability::SysAdmin, 21),
        (Capability::Setfcap, 31),
        (Capability::Syslog, 34),
        (Capability::CheckpointRestore, 40),
    ];
    for (capability, bit) in known {
        assert_eq!(number(capability), bit, "{}", name(capability));
    }
    assert_eq!(from_mask(0xa804_25fb), DEFAULT.into());
    assert_eq!(from_mask(u64::MAX), ALL.into());
}

#[test]
fn names_come_in_any_case_with_or_without_prefix() {
    let names = ["NET_ADMIN", "cap_net_admin", "Cap_Net_Admin", "all"].map(str::to_owned);
    let one = Choice::One(Capability::NetAdmin);
    assert_eq!(normalise(&names, &ALL.into()).unwrap(), [one, one, one, Choice::All]);
    assert_eq!(one.to_string(), "CAP_NET_ADMIN");
}

#[test]
fn unknown_names_are_refused_in_dockers_words() {
    let error = effective(&["net_foo".to_owned()], &[], false).unwrap_err();
    assert_eq!(error.to_string(), r#"unknown capability: "CAP_NET_FOO""#);
    let error = effective(&["CAP_CAP_CHOWN".to_owned()], &[], false).unwrap_err();
    assert_eq!(error.to_string(), r#"unknown capability: "CAP_CAP_CHOWN""#);
}

#[test]
fn a_capability_this_machine_lacks_is_refused_in_dockers_words() {
    let old_kernel = from_mask((1 << 38) - 1);
    let error = effective_within(&["BPF".to_owned()], &[], false, &old_kernel).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"capability not supported by your kernel or not available in the current environment: "CAP_BPF""#
    );
    assert_eq!(effective_within(&["ALL".to_owned()], &[], false, &old_kernel).unwrap(), old_kernel);
    assert_eq!(effective_within(&[], &[], true, &old_kernel).unwrap(), old_kernel);
}

#[test]
fn added_and_dropped_ones_change_the_default() {
    let set = lists(&["SYS_TIME"], &["CHOWN"]);
    assert!(set.contains(&Capability::SysTime) && !set.contains(&Capability::Chown));
    assert_eq!(set.len(), 14);
    assert!(lists(&["CHOWN"], &["CHOWN"]).contains(&Capability::Chown), "adding comes after dropping");
}

#[test]
fn all_is_everything_but_what_is_dropped_and_dropped_all_is_nothing_but_what_is_added() {
    assert_eq!(lists(&["ALL"], &["SYS_ADMIN"]).len(), 40);
    assert_eq!(lists(&[], &["ALL"]).len(), 0);
    assert_eq!(lists(&["KILL"], &["ALL"]), Capabilities::from([Capability::Kill]));
    assert_eq!(lists(&["ALL"], &["ALL"]).len(), 41);
}

#[test]
fn privileged_is_everything_and_reads_no_list() {
    let nonsense = ["NO_SUCH".to_owned()];
    assert_eq!(effective(&nonsense, &nonsense, true).unwrap(), ALL.into());
}

#[test]
fn only_root_starts_with_its_capabilities_in_hand() {
    let set: Capabilities = DEFAULT.into();
    let root = process_sets(&set, 0);
    assert_eq!([root.bounding(), root.effective(), root.permitted()], [&Some(set.clone()); 3].map(|s| s));
    let user = process_sets(&set, 1000);
    assert_eq!(user.bounding(), &Some(set));
    assert_eq!([user.effective(), user.permitted()], [&None, &None]);
    for sets in [root, user] {
        assert_eq!([sets.inheritable(), sets.ambient()], [&None, &None]);
    }
}

#[test]
fn output_is_in_the_kernels_order() {
    let order = sorted(&DEFAULT.into());
    assert_eq!(order.first(), Some(&Capability::Chown));
    assert_eq!(order.last(), Some(&Capability::Setfcap));
    assert!(order.is_sorted_by_key(|capability| number(*capability)));
}
