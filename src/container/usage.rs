//! What a container uses, out of the kernel's text files: cgroups(7), proc(5). Pure functions of
//! those texts; who reads them is the engine's business.

use crate::kernel::machine::Cgroups;
use crate::wire::{
    BlkioEntry, CpuStats, CpuUsage, MemoryStats, NetworkStats, PidsStats, Stats, ThrottlingData,
};
use std::collections::BTreeMap;

/// Nanoseconds of a tick: USER_HZ is 100 on every architecture there is.
const TICK: u64 = 10_000_000;

/// Reads a file; `None` where there is none.
pub trait Read: Fn(&str) -> Option<String> {}
impl<F: Fn(&str) -> Option<String>> Read for F {}

/// The figures of the group `path` (without a leading slash) and of the machine. Names, times and
/// network are the caller's to fill in.
pub fn sample(read: impl Read, cgroups: &Cgroups, path: &str) -> Stats {
    let v1 = |controller: &str| cgroups.v1.get(controller).map(|mount| format!("{mount}/{path}"));
    let unified = cgroups.v2.as_ref().map(|v2| format!("{}/{path}", v2.mount)).unwrap_or_default();
    let total_memory = read("/proc/meminfo").and_then(|text| keyed(&text, "MemTotal:")).unwrap_or(0) * 1024;
    let mut stats = Stats::default();
    match v1("cpuacct") {
        Some(group) => cpu_v1(&read, &group, v1("cpu").as_deref(), &mut stats.cpu_stats),
        None => cpu_v2(&read, &unified, &mut stats.cpu_stats),
    }
    (stats.cpu_stats.system_cpu_usage, stats.cpu_stats.online_cpus) = machine_cpu(&read);
    stats.memory_stats = match v1("memory") {
        Some(group) => memory_v1(&read, &group),
        None => memory_v2(&read, &unified),
    };
    let memory = &mut stats.memory_stats;
    if memory.limit == 0 || memory.limit > total_memory {
        memory.limit = total_memory;
    }
    stats.pids_stats = pids(&read, &v1("pids").unwrap_or_else(|| unified.clone()));
    let blkio = &mut stats.blkio_stats;
    if let Some(group) = v1("blkio") {
        blkio.io_service_bytes_recursive = blkio_v1(&read, &group, "io_service_bytes");
        blkio.io_serviced_recursive = blkio_v1(&read, &group, "io_serviced");
    } else {
        let text = read(&format!("{unified}/io.stat")).unwrap_or_default();
        blkio.io_service_bytes_recursive = Some(blkio_v2(&text, "rbytes", "wbytes"));
        blkio.io_serviced_recursive = Some(blkio_v2(&text, "rios", "wios"));
    }
    stats
}

fn number(read: &impl Read, file: &str) -> Option<u64> {
    read(file)?.trim().parse().ok()
}

/// The number after a key, in a file of the form `key number`.
fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(key)).then(|| words.next()?.parse().ok())?
    })
}

fn cpu_v1(read: &impl Read, group: &str, scheduler: Option<&str>, cpu: &mut CpuStats) {
    let text = |name: &str| read(&format!("{group}/{name}")).unwrap_or_default();
    let split = text("cpuacct.stat");
    cpu.cpu_usage = CpuUsage {
        total_usage: text("cpuacct.usage").trim().parse().unwrap_or(0),
        percpu_usage: text("cpuacct.usage_percpu")
            .split_whitespace()
            .filter_map(|figure| figure.parse().ok())
            .collect(),
        usage_in_kernelmode: keyed(&split, "system").unwrap_or(0) * TICK,
        usage_in_usermode: keyed(&split, "user").unwrap_or(0) * TICK,
    };
    let throttled = scheduler.and_then(|group| read(&format!("{group}/cpu.stat"))).unwrap_or_default();
    cpu.throttling_data = throttling(&throttled, "throttled_time", 1);
}

/// v2 counts microseconds.
fn cpu_v2(read: &impl Read, group: &str, cpu: &mut CpuStats) {
    let text = read(&format!("{group}/cpu.stat")).unwrap_or_default();
    let time = |key: &str| keyed(&text, key).unwrap_or(0) * 1_000;
    cpu.cpu_usage = CpuUsage {
        total_usage: time("usage_usec"),
        percpu_usage: Vec::new(),
        usage_in_kernelmode: time("system_usec"),
        usage_in_usermode: time("user_usec"),
    };
    cpu.throttling_data = throttling(&text, "throttled_usec", 1_000);
}

fn throttling(text: &str, lost: &str, unit: u64) -> ThrottlingData {
    let figure = |key: &str| keyed(text, key).unwrap_or(0);
    ThrottlingData {
        periods: figure("nr_periods"),
        throttled_periods: figure("nr_throttled"),
        throttled_time: figure(lost) * unit,
    }
}

/// The whole machine's processor time, idle time included, and how many processors there are. As
/// Docker, without guest time, which is in the user time already.
fn machine_cpu(read: &impl Read) -> (u64, u64) {
    let text = read("/proc/stat").unwrap_or_default();
    let figures = text.lines().find_map(|line| line.strip_prefix("cpu "));
    let ticks: u64 = figures
        .map(|line| line.split_whitespace().take(7).filter_map(|tick| tick.parse::<u64>().ok()).sum())
        .unwrap_or(0);
    let one = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let processors = text.lines().filter(one).count();
    (ticks * TICK, u64::try_from(processors).unwrap_or(0))
}

fn flat(text: &str) -> BTreeMap<String, u64> {
    let pair = |line: &str| {
        let (key, figure) = line.split_once(' ')?;
        Some((key.to_owned(), figure.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

fn memory_v1(read: &impl Read, group: &str) -> MemoryStats {
    let figure = |name: &str| number(read, &format!("{group}/memory.{name}")).unwrap_or(0);
    MemoryStats {
        usage: figure("usage_in_bytes"),
        max_usage: figure("max_usage_in_bytes"),
        stats: flat(&read(&format!("{group}/memory.stat")).unwrap_or_default()),
        failcnt: figure("failcnt"),
        limit: figure("limit_in_bytes"),
    }
}

fn memory_v2(read: &impl Read, group: &str) -> MemoryStats {
    MemoryStats {
        usage: number(read, &format!("{group}/memory.current")).unwrap_or(0),
        stats: flat(&read(&format!("{group}/memory.stat")).unwrap_or_default()),
        // `max` is no number, and no limit.
        limit: number(read, &format!("{group}/memory.max")).unwrap_or(0),
        ..MemoryStats::default()
    }
}

fn pids(read: &impl Read, group: &str) -> PidsStats {
    PidsStats {
        current: number(read, &format!("{group}/pids.current")).unwrap_or(0),
        limit: number(read, &format!("{group}/pids.max")).unwrap_or(0),
    }
}

/// `8:0 Read 4096`; the line of all devices together is left out.
fn blkio_v1(read: &impl Read, group: &str, what: &str) -> Option<Vec<BlkioEntry>> {
    let text = read(&format!("{group}/blkio.throttle.{what}_recursive"))
        .or_else(|| read(&format!("{group}/blkio.throttle.{what}")))?;
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let (major, minor) = words.next()?.split_once(':')?;
        let (op, value) = (words.next()?, words.next()?);
        Some(BlkioEntry {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            op: op.to_owned(),
            value: value.parse().ok()?,
        })
    };
    Some(text.lines().filter_map(entry).collect())
}

/// `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …`.
fn blkio_v2(text: &str, read_key: &str, write_key: &str) -> Vec<BlkioEntry> {
    let mut entries = Vec::new();
    for line in text.lines() {
        let Some((device, rest)) = line.split_once(' ') else { continue };
        let Some((major, minor)) = device.split_once(':') else { continue };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else { continue };
        for (op, key) in [("read", read_key), ("write", write_key)] {
            let pair = rest.split_whitespace().filter_map(|pair| pair.split_once('='));
            let value = pair.filter(|(name, _)| *name == key).find_map(|(_, value)| value.parse().ok());
            entries.extend(value.map(|value| BlkioEntry { major, minor, op: op.to_owned(), value }));
        }
    }
    entries
}

/// `/proc/<pid>/net/dev` without the loopback.
pub fn networks(text: &str) -> BTreeMap<String, NetworkStats> {
    let interface = |line: &str| {
        let (name, figures) = line.split_once(':')?;
        let figures: Vec<u64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [
            rx_bytes,
            rx_packets,
            rx_errors,
            rx_dropped,
            _,
            _,
            _,
            _,
            tx_bytes,
            tx_packets,
            tx_errors,
            tx_dropped,
            ..,
        ] = figures[..]
        else {
            return None;
        };
        let counted = NetworkStats {
            rx_bytes,
            rx_packets,
            rx_errors,
            rx_dropped,
            tx_bytes,
            tx_packets,
            tx_errors,
            tx_dropped,
        };
        Some((name.trim().to_owned(), counted))
    };
    text.lines().filter_map(interface).filter(|(name, _)| name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::machine::CgroupV2;

    const STAT: &str =
        "cpu  10 0 5 80 3 1 1 0 9 9\ncpu0 5 0 2 40 1 1 1 0 0 0\ncpu1 5 0 3 40 2 0 0 0 0 0\nintr 1\n";

    fn files(pairs: &[(&str, &str)]) -> impl Read {
        let files: BTreeMap<String, String> =
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        move |name: &str| files.get(name).cloned()
    }

    #[test]
    fn v1_counts_nanoseconds_and_the_machines_memory_is_the_limit_of_none() {
        let read = files(&[
            ("/proc/stat", STAT),
            ("/proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\n"),
            ("/a/learn/x/cpuacct.usage", "123456789\n"),
            ("/a/learn/x/cpuacct.stat", "user 2\nsystem 3\n"),
            ("/c/learn/x/cpu.stat", "nr_periods 7\nnr_throttled 4\nthrottled_time 5000\n"),
            ("/m/learn/x/memory.usage_in_bytes", "4096\n"),
            ("/m/learn/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/m/learn/x/memory.stat", "cache 1\ntotal_inactive_file 96\n"),
            ("/p/learn/x/pids.current", "2\n"),
            ("/p/learn/x/pids.max", "max\n"),
            ("/b/learn/x/blkio.throttle.io_service_bytes", "8:0 Read 10\n8:0 Write 20\nTotal 30\n"),
        ]);
        let v1 = [("cpuacct", "/a"), ("cpu", "/c"), ("memory", "/m"), ("pids", "/p"), ("blkio", "/b")];
        let v1 = v1.map(|(name, mount)| (name.to_owned(), mount.to_owned())).into();
        let stats = sample(read, &Cgroups { v1, ..Cgroups::default() }, "learn/x");
        assert_eq!(stats.cpu_stats.cpu_usage.total_usage, 123_456_789);
        assert_eq!(stats.cpu_stats.cpu_usage.usage_in_kernelmode, 30_000_000);
        assert_eq!((stats.cpu_stats.system_cpu_usage, stats.cpu_stats.online_cpus), (1_000_000_000, 2));
        assert_eq!(stats.cpu_stats.throttling_data.throttled_time, 5000);
        assert_eq!((stats.memory_stats.usage, stats.memory_stats.limit), (4096, 1_024_000));
        assert_eq!(stats.memory_stats.stats["total_inactive_file"], 96);
        assert_eq!((stats.pids_stats.current, stats.pids_stats.limit), (2, 0));
        let bytes = stats.blkio_stats.io_service_bytes_recursive.unwrap();
        assert_eq!(bytes.iter().map(|entry| entry.value).collect::<Vec<_>>(), [10, 20]);
    }

    #[test]
    fn v2_counts_microseconds_in_one_group() {
        let read = files(&[
            (
                "/u/learn/x/cpu.stat",
                "usage_usec 12\nuser_usec 8\nsystem_usec 4\nnr_periods 1\nthrottled_usec 2\n",
            ),
            ("/u/learn/x/memory.current", "4096\n"),
            ("/u/learn/x/memory.max", "8192\n"),
            ("/u/learn/x/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"),
            ("/proc/meminfo", "MemTotal: 1000 kB\n"),
        ]);
        let v2 = CgroupV2 { mount: "/u".into(), controllers: vec![], writable: true };
        let stats = sample(read, &Cgroups { v2: Some(v2), ..Cgroups::default() }, "learn/x");
        assert_eq!(stats.cpu_stats.cpu_usage.total_usage, 12_000);
        assert_eq!(stats.cpu_stats.throttling_data.throttled_time, 2_000);
        assert_eq!((stats.memory_stats.usage, stats.memory_stats.limit), (4096, 8192));
        let bytes = stats.blkio_stats.io_service_bytes_recursive.unwrap();
        assert_eq!((bytes[1].op.as_str(), bytes[1].value), ("write", 2));
    }

    #[test]
    fn every_interface_but_the_loopback_is_counted() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n";
        let networks = networks(text);
        assert_eq!(networks.len(), 1);
        assert_eq!((networks["eth0"].rx_bytes, networks["eth0"].tx_dropped), (10, 8));
    }
}
