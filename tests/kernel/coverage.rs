//! Every operation there is happens on the real kernel in some scenario, or it is said why not.

use crate::drive::{Asked, Run};
use crate::hub::Layers;
use crate::scenarios::{Scenario, ended, of};
use learn::kernel::linux::probe::probe;
use learn::op::Op;
use learn::trace::Event;
use std::collections::BTreeSet;

/// Operations that no run of the engine performs on this machine, each with its reason.
fn never() -> Vec<(&'static str, &'static str)> {
    let mut never = vec![
        ("process.fork", "of an exec: tests/api"),
        ("process.fork-inside", "of an exec: tests/api"),
        ("process.set-command-line", "of a container with an init: tests/api"),
        ("process.supervise", "of a container with an init: tests/api"),
        ("terminal.open", "of a container with a terminal: tests/api"),
        ("terminal.control", "of a container with a terminal: tests/api"),
        ("network.open-sandbox", "for a daemon that finds containers of an earlier one"),
        ("network.remove-link", "takes a pair back that was made for nothing"),
        ("network.remove-bridge", "a while after the last container, in no client's trace"),
        ("network.remove-rules", "a while after the last container, in no client's trace"),
    ];
    // Performed on both kernels by files.rs.
    for name in ["archive.open-tree", "archive.read", "archive.write", "store.pack-layer"] {
        never.push((name, "cp, export and commit are no part of a run"));
    }
    if probe().cgroups.v1.contains_key("devices") {
        never.push(("cgroup.attach-device-filter", "devices are guarded by cgroup v1 here, by a list"));
    }
    never
}

fn performed(run: &Run) -> impl Iterator<Item = String> {
    run.records.iter().filter_map(|record| match &record.event {
        Event::Did { op, .. } => Some(op.clone()),
        _ => None,
    })
}

#[test]
fn every_operation_is_performed_alike_on_both_kernels() {
    if !crate::able() {
        return;
    }
    // The rare ones together: no overlay, a limit, no new privileges, a signal, two removals.
    let asked = Asked {
        image: "alpine",
        command: &["sleep", "60"],
        hardened: true,
        killed: true,
        ..Asked::default()
    };
    let (end, rare) = ended(Scenario { asked, without_overlay: true, ..Scenario::default() });
    assert_eq!((end.code, end.left, end.error), (Some(137), None, None));
    let (_, corrupt) = ended(Scenario { layers: Layers::Altered, ..of("hello-world", &[]) });
    let seen: BTreeSet<String> = performed(&rare).chain(performed(&corrupt)).collect();
    let never: BTreeSet<String> = never().iter().map(|(name, _)| (*name).to_owned()).collect();
    let all: BTreeSet<String> = Op::names().into_iter().collect();
    let missing: Vec<&String> = all.difference(&seen).filter(|name| !never.contains(*name)).collect();
    assert!(missing.is_empty(), "no scenario performs {missing:?}");
    let excused: Vec<&String> = seen.intersection(&never).collect();
    assert!(excused.is_empty(), "performed after all: {excused:?}");
}
