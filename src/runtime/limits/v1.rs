//! cgroup v1: one hierarchy a controller. Kernel documentation, admin-guide/cgroup-v1.

use super::Line;
use crate::kernel::machine::Cpuset;
use crate::runtime::guard::paths;
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

/// The control files of one controller.
pub(super) fn lines(controller: &str, resources: &LinuxResources) -> Vec<Line> {
    match controller {
        "memory" => memory(resources),
        "cpu" => cpu(resources),
        "cpuset" => cpuset(resources),
        "pids" => pids(resources),
        "devices" => devices(resources.devices().as_deref().unwrap_or_default()),
        "blkio" => blkio(resources),
        _ => Vec::new(),
    }
}

fn memory(resources: &LinuxResources) -> Vec<Line> {
    let Some(memory) = resources.memory() else { return Vec::new() };
    let mut lines = Vec::new();
    push(&mut lines, "memory.limit_in_bytes", memory.limit());
    push(&mut lines, "memory.soft_limit_in_bytes", memory.reservation());
    push(&mut lines, "memory.memsw.limit_in_bytes", memory.swap());
    push(&mut lines, "memory.swappiness", memory.swappiness());
    if memory.disable_oom_killer() == Some(true) {
        lines.push(("memory.oom_control".into(), "1".into()));
    }
    lines
}

fn cpu(resources: &LinuxResources) -> Vec<Line> {
    let Some(cpu) = resources.cpu() else { return Vec::new() };
    let mut lines = Vec::new();
    push(&mut lines, "cpu.shares", cpu.shares());
    push(&mut lines, "cpu.cfs_period_us", cpu.period());
    push(&mut lines, "cpu.cfs_quota_us", cpu.quota());
    lines
}

fn cpuset(resources: &LinuxResources) -> Vec<Line> {
    let Some(cpu) = resources.cpu() else { return Vec::new() };
    let mut lines = Vec::new();
    push(&mut lines, "cpuset.cpus", cpu.cpus().clone());
    push(&mut lines, "cpuset.mems", cpu.mems().clone());
    lines
}

fn pids(resources: &LinuxResources) -> Vec<Line> {
    let limit = resources.pids().as_ref().map(|pids| pids.limit());
    limit
        .map(|limit| ("pids.max".into(), if limit > 0 { limit.to_string() } else { "max".into() }))
        .into_iter()
        .collect()
}

fn blkio(resources: &LinuxResources) -> Vec<Line> {
    let weight = resources.block_io().as_ref().and_then(|blkio| blkio.weight());
    weight
        .filter(|weight| *weight > 0)
        .map(|weight| ("blkio.weight".into(), weight.to_string()))
        .into_iter()
        .collect()
}

/// First everything is denied, then the list is allowed, and what every runtime must supply.
fn devices(rules: &[LinuxDeviceCgroup]) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut allow, mut deny) = (Vec::new(), Vec::new());
    for rule in rules.iter().chain(&paths::runtime_device_rules()) {
        let line = device_line(rule);
        let list = if rule.allow() { &mut allow } else { &mut deny };
        if !list.contains(&line) {
            list.push(line);
        }
    }
    if !deny.is_empty() {
        lines.push(("devices.deny".into(), deny.join("\n")));
    }
    if !allow.is_empty() {
        lines.push(("devices.allow".into(), allow.join("\n")));
    }
    lines
}

fn device_line(rule: &LinuxDeviceCgroup) -> String {
    let kind = match rule.typ() {
        Some(LinuxDeviceType::B) => "b",
        Some(LinuxDeviceType::C) | Some(LinuxDeviceType::U) => "c",
        _ => return "a".into(),
    };
    let number = |number: Option<i64>| match number {
        Some(number) if number >= 0 => number.to_string(),
        _ => "*".into(),
    };
    let access = rule.access().clone().unwrap_or_else(|| "rwm".into());
    format!("{kind} {}:{} {access}", number(rule.major()), number(rule.minor()))
}

/// A new cpuset group is empty, and no process may enter an empty one: each level below the
/// hierarchy's root first gets what the root has.
pub(super) fn cpuset_chain(mount: &str, path: &str, root: &Cpuset) -> Vec<Line> {
    let mut directory = mount.to_owned();
    let mut lines = Vec::new();
    for level in path.split('/') {
        directory = format!("{directory}/{level}");
        lines.push((format!("{directory}/cpuset.cpus"), root.cpus.clone()));
        lines.push((format!("{directory}/cpuset.mems"), root.mems.clone()));
    }
    lines
}

fn push<T: ToString>(lines: &mut Vec<Line>, file: &str, value: Option<T>) {
    lines.extend(value.map(|value| (file.to_owned(), value.to_string())));
}
