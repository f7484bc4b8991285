//! Flags Docker has and `learn` does not: refused by name with the reason, never ignored.

use crate::text::{Lang, ui};

/// One refused flag: long name, short name or `-`, and the reason's key under `refused` in
/// `lessons/ui.yaml`.
type Refused = (&'static str, char, &'static str);

/// Of `run` and `create`.
const CONTAINER: &[Refused] = &[
    ("volume", 'v', "volumes"),
    ("mount", '-', "volumes"),
    ("tmpfs", '-', "volumes"),
    ("volumes-from", '-', "volumes"),
    ("volume-driver", '-', "volumes"),
    ("publish", 'p', "networks"),
    ("publish-all", 'P', "networks"),
    ("expose", '-', "networks"),
    ("network-alias", '-', "networks"),
    ("net-alias", '-', "networks"),
    ("ip", '-', "networks"),
    ("ip6", '-', "networks"),
    ("link", '-', "networks"),
    ("link-local-ip", '-', "networks"),
    ("mac-address", '-', "networks"),
    ("dns", '-', "networks"),
    ("dns-option", '-', "networks"),
    ("dns-opt", '-', "networks"),
    ("dns-search", '-', "networks"),
    ("add-host", '-', "networks"),
    ("domainname", '-', "networks"),
    ("memory", 'm', "limits"),
    ("memory-swap", '-', "limits"),
    ("memory-reservation", '-', "limits"),
    ("memory-swappiness", '-', "limits"),
    ("kernel-memory", '-', "limits"),
    ("cpus", '-', "limits"),
    ("cpu-shares", 'c', "limits"),
    ("cpu-period", '-', "limits"),
    ("cpu-quota", '-', "limits"),
    ("cpu-rt-period", '-', "limits"),
    ("cpu-rt-runtime", '-', "limits"),
    ("cpuset-cpus", '-', "limits"),
    ("cpuset-mems", '-', "limits"),
    ("pids-limit", '-', "limits"),
    ("blkio-weight", '-', "limits"),
    ("blkio-weight-device", '-', "limits"),
    ("device-read-bps", '-', "limits"),
    ("device-read-iops", '-', "limits"),
    ("device-write-bps", '-', "limits"),
    ("device-write-iops", '-', "limits"),
    ("shm-size", '-', "limits"),
    ("storage-opt", '-', "limits"),
    ("cgroup-parent", '-', "limits"),
    ("cgroupns", '-', "namespaces"),
    ("pid", '-', "namespaces"),
    ("ipc", '-', "namespaces"),
    ("uts", '-', "namespaces"),
    ("userns", '-', "namespaces"),
    ("device", '-', "devices"),
    ("device-cgroup-rule", '-', "devices"),
    ("gpus", '-', "devices"),
    ("group-add", '-', "identity"),
    ("sysctl", '-', "identity"),
    ("cidfile", '-', "bookkeeping"),
    ("label-file", '-', "bookkeeping"),
    ("annotation", '-', "bookkeeping"),
    ("runtime", '-', "elsewhere"),
    ("isolation", '-', "elsewhere"),
    ("disable-content-trust", '-', "elsewhere"),
    ("use-api-socket", '-', "elsewhere"),
];

/// Of the verbs that print.
const PRINTING: &[Refused] = &[("format", 'f', "format"), ("no-trunc", '-', "format"), ("tree", '-', "tree")];

/// Of the verbs that look at or join a container.
const WATCHING: &[Refused] = &[
    ("detach-keys", '-', "terminal"),
    ("sig-proxy", '-', "attach"),
    ("checkpoint", '-', "elsewhere"),
    ("checkpoint-dir", '-', "elsewhere"),
];

/// Of `pull` and `rmi`.
const IMAGES: &[Refused] = &[
    ("all-tags", 'a', "all-tags"),
    ("disable-content-trust", '-', "elsewhere"),
    ("platform", '-', "elsewhere"),
];

/// The sentence that refuses a flag (`--volume`, `-v`) of a verb; `None` for a flag Docker does
/// not have either.
pub fn reason(lang: Lang, verb: &str, flag: &str) -> Option<String> {
    let tables: &[&[Refused]] = match verb {
        "run" | "create" => &[CONTAINER],
        "pull" | "rmi" | "rm" => &[IMAGES, WATCHING],
        _ => &[PRINTING, WATCHING],
    };
    let name = flag.split('=').next().unwrap_or(flag);
    let named = |(long, short, _): &&Refused| match name.strip_prefix("--") {
        Some(name) => name == *long,
        None => *short != '-' && name.strip_prefix('-').is_some_and(|name| name.starts_with(*short)),
    };
    let (long, short, key) = tables.iter().flat_map(|table| table.iter()).find(named)?;
    let shown = match short {
        '-' => format!("--{long}"),
        short => format!("-{short}, --{long}"),
    };
    Some(format!("flag not supported: {shown}: {}", ui(lang, &format!("refused.{key}"), &[])))
}
