//! Limits: Docker's checks, and the Spec's `linux.resources` and `process.rlimits`.

use super::Error;
use crate::kernel::Machine;
use crate::runtime::guard::paths;
use crate::wire::{HostConfig, Ulimit};
use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources, PosixRlimit, PosixRlimitBuilder,
    PosixRlimitType,
};

/// Least bytes of memory a container may be limited to.
const LEAST_MEMORY: i64 = 6 << 20;

/// Microseconds of the period `--cpus` is spread over.
const PERIOD: u64 = 100_000;

/// Checks the figures against each other; `processors` is how many the machine has.
///
/// # Errors
/// The first that makes no sense, in Docker's words.
pub fn check(host: &HostConfig, processors: u32) -> Result<(), Error> {
    check_memory(host)?;
    let fail = |message: &str| Err(Error::Invalid(message.to_owned()));
    if host.nano_cpus > 0 && host.cpu_period > 0 {
        return fail("Conflicting options: Nano CPUs and CPU Period cannot both be set");
    }
    if host.nano_cpus > 0 && host.cpu_quota > 0 {
        return fail("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    }
    if host.nano_cpus < 0 || host.nano_cpus > i64::from(processors) * 1_000_000_000 {
        return Err(Error::Invalid(format!(
            "range of CPUs is from 0.01 to {processors}.00, as there are only {processors} CPUs available"
        )));
    }
    if host.cpu_period != 0 && !(1_000..=1_000_000).contains(&host.cpu_period) {
        return fail("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
    }
    if host.cpu_quota > 0 && host.cpu_quota < 1_000 {
        return fail("CPU cfs quota can not be less than 1ms (i.e. 1000)");
    }
    if host.blkio_weight != 0 && !(10..=1_000).contains(&host.blkio_weight) {
        return fail("Range of blkio weight is from 10 to 1000");
    }
    if host.shm_size < 0 {
        return fail("SHM size can not be less than 0");
    }
    if !(-1_000..=1_000).contains(&host.oom_score_adj) {
        let given = host.oom_score_adj;
        return Err(Error::Invalid(format!(
            "Invalid value {given}, range for oom score adj is [-1000, 1000]"
        )));
    }
    rlimits(&host.ulimits).map(drop)
}

fn check_memory(host: &HostConfig) -> Result<(), Error> {
    let fail = |message: &str| Err(Error::Invalid(message.to_owned()));
    if host.memory != 0 && host.memory < LEAST_MEMORY {
        return Err(Error::MemoryTooLow);
    }
    if host.memory > 0 && host.memory_swap > 0 && host.memory_swap < host.memory {
        return fail("Minimum memoryswap limit should be larger than memory limit, see usage");
    }
    if host.memory == 0 && host.memory_swap > 0 {
        return fail("You should always set the Memory limit when using Memoryswap limit, see usage");
    }
    if let Some(given) = host.memory_swappiness.filter(|given| !(-1..=100).contains(given)) {
        return Err(Error::Invalid(format!(
            "Invalid value: {given}, valid memory swappiness range is 0-100"
        )));
    }
    if host.memory_reservation > 0 && host.memory_reservation < LEAST_MEMORY {
        return fail("Minimum memory reservation allowed is 6MB");
    }
    if host.memory > 0 && host.memory < host.memory_reservation {
        return fail("Minimum memory limit can not be less than memory reservation limit, see usage");
    }
    Ok(())
}

/// Refuses limits by name where control groups are not this user's to make.
///
/// # Errors
/// The first limit asked for.
pub fn check_delegated(host: &HostConfig, machine: &Machine) -> Result<(), Error> {
    let asked = [
        ("--memory", host.memory > 0),
        ("--memory-reservation", host.memory_reservation > 0),
        ("--cpus", host.nano_cpus > 0),
        ("--cpu-period", host.cpu_period > 0),
        ("--cpu-quota", host.cpu_quota > 0),
        ("--cpu-shares", host.cpu_shares > 0),
        ("--cpuset-cpus", !host.cpuset_cpus.is_empty()),
        ("--cpuset-mems", !host.cpuset_mems.is_empty()),
        ("--pids-limit", host.pids_limit.is_some_and(|limit| limit > 0)),
        ("--blkio-weight", host.blkio_weight > 0),
    ];
    match asked.into_iter().find(|(_, asked)| *asked && machine.unprivileged()) {
        Some((flag, _)) => Err(Error::NoLimits { flag, uid: machine.uid }),
        None => Ok(()),
    }
}

/// Drops limits this machine cannot set and says so in Docker's words; fills the swap limit Docker
/// derives from the memory limit.
pub fn adapt(host: &mut HostConfig, machine: &Machine) -> Vec<String> {
    let warnings = adapt_asked(host, machine);
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory.saturating_mul(2);
    }
    warnings
}

/// The same without what Docker derives: of limits that change others.
pub fn adapt_asked(host: &mut HostConfig, machine: &Machine) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut discard = |controller: &str, what: &str, asked: bool| {
        let lost = asked && !has(machine, controller);
        if lost {
            warnings.push(format!(
                "Your kernel does not support {what} or the cgroup is not mounted. Limitation discarded."
            ));
        }
        lost
    };
    if discard("memory", "memory limit capabilities", host.memory > 0 || host.memory_reservation > 0) {
        (host.memory, host.memory_swap, host.memory_reservation) = (0, 0, 0);
    }
    if discard("cpu", "CPU CFS scheduler", host.nano_cpus > 0 || host.cpu_period > 0 || host.cpu_quota > 0) {
        (host.nano_cpus, host.cpu_period, host.cpu_quota) = (0, 0, 0);
    }
    if discard("cpu", "CPU shares", host.cpu_shares > 0) {
        host.cpu_shares = 0;
    }
    if discard("cpuset", "cpuset", !host.cpuset_cpus.is_empty() || !host.cpuset_mems.is_empty()) {
        (host.cpuset_cpus, host.cpuset_mems) = (String::new(), String::new());
    }
    if discard("pids", "pids limit capabilities", host.pids_limit.is_some_and(|limit| limit > 0)) {
        host.pids_limit = None;
    }
    let immortal = host.oom_kill_disable == Some(true);
    if immortal && !machine.cgroups.v1.contains_key("memory") {
        warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.".into());
        host.oom_kill_disable = None;
    } else if immortal && host.memory == 0 {
        warnings.push(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the \
             system running out of resources."
                .into(),
        );
    }
    warnings
}

/// Whether the engine can set limits of a controller.
pub fn has(machine: &Machine, controller: &str) -> bool {
    if machine.unprivileged() {
        return false;
    }
    let cgroups = &machine.cgroups;
    let unified = cgroups.v2.as_ref().filter(|v2| v2.writable);
    cgroups.v1.contains_key(controller)
        || unified.is_some_and(|v2| v2.controllers.iter().any(|known| known == controller))
}

/// The Spec's resources; what was not asked for stays absent.
pub fn resources(host: &HostConfig) -> LinuxResources {
    let mut resources = LinuxResources::default();
    let rules = if host.privileged { paths::privileged_device_rules() } else { paths::device_rules() };
    resources
        .set_devices(Some(rules))
        .set_memory(memory(host))
        .set_cpu(cpu(host))
        .set_pids(host.pids_limit.filter(|limit| *limit > 0).map(|limit| {
            let mut pids = LinuxPids::default();
            pids.set_limit(limit);
            pids
        }))
        .set_block_io((host.blkio_weight > 0).then(|| {
            let mut block_io = LinuxBlockIo::default();
            block_io.set_weight(Some(host.blkio_weight));
            block_io
        }));
    resources
}

fn memory(host: &HostConfig) -> Option<LinuxMemory> {
    let positive = |figure: i64| (figure > 0).then_some(figure);
    let mut memory = LinuxMemory::default();
    memory
        .set_limit(positive(host.memory))
        .set_reservation(positive(host.memory_reservation))
        .set_swap((host.memory_swap != 0).then_some(host.memory_swap))
        .set_swappiness(host.memory_swappiness.and_then(|figure| u64::try_from(figure).ok()))
        .set_disable_oom_killer(host.oom_kill_disable.filter(|disable| *disable));
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(host: &HostConfig) -> Option<LinuxCpu> {
    let natural = |figure: i64| u64::try_from(figure).ok().filter(|figure| *figure > 0);
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(natural(host.cpu_shares))
        .set_period(natural(host.cpu_period))
        .set_quota((host.cpu_quota != 0).then_some(host.cpu_quota))
        .set_cpus(text(&host.cpuset_cpus))
        .set_mems(text(&host.cpuset_mems));
    if host.nano_cpus > 0 {
        let quota = host.nano_cpus / (1_000_000_000 / PERIOD as i64);
        cpu.set_period(Some(PERIOD)).set_quota(Some(quota));
    }
    (cpu != LinuxCpu::default()).then_some(cpu)
}

/// `nofile` → RLIMIT_NOFILE: getrlimit(2); -1 is unlimited.
///
/// # Errors
/// A name getrlimit(2) does not know, or a soft limit above the hard one.
pub fn rlimits(ulimits: &[Ulimit]) -> Result<Vec<PosixRlimit>, Error> {
    ulimits.iter().map(rlimit).collect()
}

fn rlimit(ulimit: &Ulimit) -> Result<PosixRlimit, Error> {
    let name = format!("RLIMIT_{}", ulimit.name.to_ascii_uppercase());
    let kind: PosixRlimitType = serde_json::from_value(name.into())
        .map_err(|_| Error::Invalid(format!("invalid ulimit type: {}", ulimit.name)))?;
    let unlimited = |figure: i64| u64::try_from(figure).unwrap_or(u64::MAX);
    let (soft, hard) = (unlimited(ulimit.soft), unlimited(ulimit.hard));
    if soft > hard {
        return Err(Error::Invalid(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        )));
    }
    PosixRlimitBuilder::default()
        .typ(kind)
        .soft(soft)
        .hard(hard)
        .build()
        .map_err(|error| Error::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::machine::Cgroups;

    #[test]
    fn less_than_six_megabytes_is_refused_with_dockers_words() {
        let host = HostConfig { memory: 4 << 20, ..HostConfig::default() };
        assert_eq!(check(&host, 2).unwrap_err().to_string(), "Minimum memory limit allowed is 6MB");
        assert!(check(&HostConfig { memory: 6 << 20, ..HostConfig::default() }, 2).is_ok());
    }

    #[test]
    fn more_processors_than_there_are_is_refused() {
        let host = HostConfig { nano_cpus: 3_000_000_000, ..HostConfig::default() };
        assert!(check(&host, 2).unwrap_err().to_string().contains("only 2 CPUs"));
        assert!(check(&host, 3).is_ok());
    }

    #[test]
    fn one_and_a_half_processors_are_a_quota_a_period() {
        let resources = resources(&HostConfig { nano_cpus: 1_500_000_000, ..HostConfig::default() });
        let cpu = resources.cpu().clone().unwrap();
        assert_eq!((cpu.period(), cpu.quota()), (Some(100_000), Some(150_000)));
        assert!(resources.memory().is_none() && resources.pids().is_none());
    }

    #[test]
    fn a_limit_this_machine_cannot_set_is_discarded_and_said() {
        let mut host = HostConfig { memory: 64 << 20, pids_limit: Some(5), ..HostConfig::default() };
        let v1 = [("memory".to_owned(), "/sys/fs/cgroup/memory".to_owned())].into();
        let machine = Machine {
            uid: 0,
            gid: 0,
            cgroups: Cgroups { v1, ..Cgroups::default() },
            overlay: true,
            kernel: "6.1.0".into(),
            architecture: "amd64".into(),
        };
        let warnings = adapt(&mut host, &machine);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!((host.pids_limit, host.memory, host.memory_swap), (None, 64 << 20, 128 << 20));
    }

    #[test]
    fn a_limit_an_ordinary_users_daemon_cannot_set_is_refused_by_name() {
        let machine = Machine {
            uid: 1000,
            gid: 1000,
            cgroups: Cgroups { v1: [("pids".to_owned(), "/x".to_owned())].into(), ..Cgroups::default() },
            overlay: true,
            kernel: "6.1.0".into(),
            architecture: "amd64".into(),
        };
        let host = HostConfig { pids_limit: Some(5), ..HostConfig::default() };
        let message = check_delegated(&host, &machine).unwrap_err().to_string();
        assert!(message.starts_with("cannot set --pids-limit: "), "{message}");
        assert!(check_delegated(&HostConfig::default(), &machine).is_ok());
        assert!(check_delegated(&host, &Machine { uid: 0, ..machine.clone() }).is_ok());
        assert!(!has(&machine, "pids"));
    }

    #[test]
    fn an_unknown_ulimit_is_refused() {
        let ulimit = |name: &str| Ulimit { name: name.into(), hard: -1, soft: 5 };
        assert!(rlimits(&[ulimit("nosuch")]).is_err());
        assert_eq!(rlimits(&[ulimit("nofile")]).unwrap()[0].hard(), u64::MAX);
    }
}
