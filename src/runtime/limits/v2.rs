//! cgroup v2: one hierarchy for all controllers. Kernel documentation, admin-guide/cgroup-v2.

use super::Line;
use crate::kernel::machine::CgroupV2;
use oci_spec::runtime::LinuxResources;

/// Controllers a container's group is given, where the machine has them.
const DELEGATED: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// A group has a controller's files only when every level above enabled that controller for its
/// children. The group's directory exists by now, and so do its parents.
pub(super) fn delegation(v2: &CgroupV2, path: &str) -> Vec<Line> {
    let enable: Vec<String> = DELEGATED
        .iter()
        .filter(|controller| v2.controllers.iter().any(|known| known == *controller))
        .map(|controller| format!("+{controller}"))
        .collect();
    if enable.is_empty() {
        return Vec::new();
    }
    let mut directory = v2.mount.clone();
    let mut lines = Vec::new();
    for level in path.split('/') {
        lines.push((format!("{directory}/cgroup.subtree_control"), enable.join(" ")));
        directory = format!("{directory}/{level}");
    }
    lines
}

/// The control files of the controllers at hand.
pub(super) fn lines(controllers: &[String], resources: &LinuxResources) -> Vec<Line> {
    let has = |name: &str| controllers.iter().any(|controller| controller == name);
    let mut lines = Vec::new();
    if has("memory") {
        memory(resources, &mut lines);
    }
    if has("cpu") {
        cpu(resources, &mut lines);
    }
    if has("cpuset")
        && let Some(cpu) = resources.cpu()
    {
        lines.extend(cpu.cpus().clone().map(|cpus| ("cpuset.cpus".to_owned(), cpus)));
        lines.extend(cpu.mems().clone().map(|mems| ("cpuset.mems".to_owned(), mems)));
    }
    if has("pids")
        && let Some(pids) = resources.pids()
    {
        lines.push(("pids.max".into(), bounded(pids.limit())));
    }
    if has("io")
        && let Some(weight) = resources.block_io().as_ref().and_then(|blkio| blkio.weight())
        && weight > 0
    {
        lines.push(("io.weight".into(), io_weight(weight).to_string()));
    }
    lines
}

/// v1's memory+swap becomes v2's swap alone.
fn memory(resources: &LinuxResources, lines: &mut Vec<Line>) {
    let Some(memory) = resources.memory() else { return };
    lines.extend(memory.limit().map(|limit| ("memory.max".to_owned(), bounded(limit))));
    lines.extend(memory.reservation().map(|low| ("memory.low".to_owned(), bounded(low))));
    if let (Some(total), Some(limit)) = (memory.swap(), memory.limit()) {
        let swap = if total < 0 { -1 } else { (total - limit).max(0) };
        let value = if swap < 0 { "max".to_owned() } else { swap.to_string() };
        lines.push(("memory.swap.max".into(), value));
    }
}

fn cpu(resources: &LinuxResources, lines: &mut Vec<Line>) {
    let Some(cpu) = resources.cpu() else { return };
    lines.extend(
        cpu.shares()
            .filter(|shares| *shares > 0)
            .map(|shares| ("cpu.weight".to_owned(), weight(shares).to_string())),
    );
    if cpu.quota().is_some() || cpu.period().is_some() {
        let quota = cpu.quota().map_or("max".to_owned(), bounded);
        lines.push(("cpu.max".into(), format!("{quota} {}", cpu.period().unwrap_or(100_000))));
    }
}

/// v1's shares 2..262144 onto v2's weight 1..10000, as the OCI runtime specification maps them.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

/// v1's weight 10..1000 onto v2's 1..10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight).clamp(10, 1_000) - 10) * 9_999 / 990
}

fn bounded(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_map_onto_weights_at_both_ends_and_the_default() {
        assert_eq!([weight(2), weight(1024), weight(262_144)], [1, 39, 10_000]);
    }
}
