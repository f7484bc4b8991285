//! Limits that take the place of others: what `docker update` asks for, merged into what there is.

use super::{Error, limits};
use crate::wire::HostConfig;
use oci_spec::runtime::{LinuxPids, LinuxResources};

/// Merges limits into those of a container; zero, empty and absent mean "as it was".
///
/// # Errors
/// Limits that contradict those there are, in Docker's words.
pub fn merge(present: &mut HostConfig, asked: &HostConfig) -> Result<(), Error> {
    check_conflicts(present, asked)?;
    fn take<T: PartialEq + Default + Clone>(present: &mut T, asked: &T) {
        if *asked != T::default() {
            present.clone_from(asked);
        }
    }
    if asked.nano_cpus > 0 {
        // Spread over a period of its own when it is written.
        (present.cpu_period, present.cpu_quota) = (0, 0);
    }
    take(&mut present.blkio_weight, &asked.blkio_weight);
    take(&mut present.cpu_shares, &asked.cpu_shares);
    take(&mut present.nano_cpus, &asked.nano_cpus);
    take(&mut present.cpu_period, &asked.cpu_period);
    take(&mut present.cpu_quota, &asked.cpu_quota);
    take(&mut present.cpuset_cpus, &asked.cpuset_cpus);
    take(&mut present.cpuset_mems, &asked.cpuset_mems);
    take(&mut present.memory, &asked.memory);
    take(&mut present.memory_swap, &asked.memory_swap);
    take(&mut present.memory_reservation, &asked.memory_reservation);
    take(&mut present.pids_limit, &asked.pids_limit);
    Ok(())
}

fn check_conflicts(present: &HostConfig, asked: &HostConfig) -> Result<(), Error> {
    let fail = |message: &str| Err(Error::Conflict(message.to_owned()));
    if asked.nano_cpus > 0 && present.cpu_period > 0 {
        return fail("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set");
    }
    if asked.nano_cpus > 0 && present.cpu_quota > 0 {
        return fail("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set");
    }
    if asked.cpu_period > 0 && present.nano_cpus > 0 {
        return fail("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
    }
    if asked.cpu_quota > 0 && present.nano_cpus > 0 {
        return fail("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set");
    }
    // A sum of memory and swap that stays must not fall below the memory alone.
    let sum = present.memory_swap;
    if asked.memory > 0 && asked.memory_swap == 0 && sum > 0 && asked.memory > sum {
        return fail(
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
        );
    }
    Ok(())
}

/// Only what was asked for, as the runtime takes it; swap is counted with the memory in force.
pub fn resources(asked: &HostConfig, merged: &HostConfig) -> LinuxResources {
    let sums = asked.memory != 0 || asked.memory_swap != 0;
    let delta = HostConfig {
        memory: if sums { merged.memory } else { 0 },
        memory_swap: if sums { merged.memory_swap } else { 0 },
        memory_reservation: asked.memory_reservation,
        cpu_shares: asked.cpu_shares,
        nano_cpus: asked.nano_cpus,
        cpu_period: asked.cpu_period,
        cpu_quota: asked.cpu_quota,
        cpuset_cpus: asked.cpuset_cpus.clone(),
        cpuset_mems: asked.cpuset_mems.clone(),
        blkio_weight: asked.blkio_weight,
        ..HostConfig::default()
    };
    let mut resources = limits::resources(&delta);
    let pids = asked.pids_limit.map(|limit| {
        let mut pids = LinuxPids::default();
        pids.set_limit(limit);
        pids
    });
    resources.set_devices(None).set_pids(pids);
    resources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_changes() {
        let mut present = HostConfig { memory: 64 << 20, memory_swap: 128 << 20, ..HostConfig::default() };
        let asked = HostConfig { cpu_shares: 512, pids_limit: Some(-1), ..HostConfig::default() };
        merge(&mut present, &asked).unwrap();
        assert_eq!((present.memory, present.cpu_shares, present.pids_limit), (64 << 20, 512, Some(-1)));
        let resources = resources(&asked, &present);
        assert!(resources.memory().is_none() && resources.devices().is_none());
        assert_eq!(resources.pids().unwrap().limit(), -1);
    }

    #[test]
    fn memory_above_memory_and_swap_is_refused_with_dockers_words() {
        let mut present = HostConfig { memory: 64 << 20, memory_swap: 128 << 20, ..HostConfig::default() };
        let more = HostConfig { memory: 256 << 20, ..HostConfig::default() };
        let message = merge(&mut present, &more).unwrap_err().to_string();
        assert!(
            message.starts_with("Memory limit should be smaller than already set memoryswap"),
            "{message}"
        );
        let both = HostConfig { memory_swap: 512 << 20, ..more };
        merge(&mut present, &both).unwrap();
        let memory = resources(&both, &present).memory().unwrap();
        assert_eq!((memory.limit(), memory.swap()), (Some(256 << 20), Some(512 << 20)));
    }

    #[test]
    fn processors_and_quota_exclude_each_other() {
        let mut present = HostConfig { nano_cpus: 1_000_000_000, ..HostConfig::default() };
        let asked = HostConfig { cpu_quota: 50_000, ..HostConfig::default() };
        assert!(
            merge(&mut present, &asked)
                .unwrap_err()
                .to_string()
                .starts_with("Conflicting options: CPU Quota")
        );
    }
}
