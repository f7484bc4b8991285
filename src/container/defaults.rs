//! What the engine puts where the client says nothing: `docker inspect` shows it, and a later
//! version of the program does not change it for a container that is there.

use crate::kernel::Machine;
use crate::runtime::guard::paths;
use crate::wire::{Config, HostConfig};

/// Fills in what is absent, as moby's `daemon/daemon_unix.go` (`adaptContainerSettings`) and
/// `daemon/oci_linux.go` do.
pub fn complete(config: &mut Config, host: &mut HostConfig, machine: &Machine) {
    let fill = |text: &mut String, default: &str| {
        if text.is_empty() {
            *text = default.to_owned();
        }
    };
    fill(&mut host.network_mode, "default");
    fill(&mut host.log_config.r#type, "json-file");
    fill(&mut host.ipc_mode, "private");
    fill(&mut host.cgroupns_mode, if machine.cgroups.mode() == "v2" { "private" } else { "host" });
    if host.shm_size == 0 {
        host.shm_size = i64::try_from(paths::SHM_SIZE).unwrap_or_default();
    }
    // The kernel's own figure and no limit are asked for by saying nothing.
    host.memory_swappiness = host.memory_swappiness.filter(|figure| *figure != -1);
    host.pids_limit = host.pids_limit.filter(|limit| *limit > 0);
    if !host.privileged {
        let list = |paths: &[&str]| paths.iter().map(ToString::to_string).collect();
        host.masked_paths.get_or_insert_with(|| list(&paths::MASKED));
        host.readonly_paths.get_or_insert_with(|| list(&paths::READ_ONLY));
    }
    config.volumes = config.volumes.take().filter(|volumes| !volumes.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::machine::Cgroups;

    fn machine() -> Machine {
        Machine {
            uid: 0,
            gid: 0,
            cgroups: Cgroups::default(),
            overlay: true,
            kernel: "6.18.0".into(),
            architecture: "amd64".into(),
        }
    }

    #[test]
    fn what_is_absent_is_filled_in_and_what_is_given_stays() {
        let (mut config, mut host) = (Config::default(), HostConfig::default());
        host.pids_limit = Some(0);
        host.memory_swappiness = Some(-1);
        complete(&mut config, &mut host, &machine());
        assert_eq!((host.ipc_mode.as_str(), host.cgroupns_mode.as_str()), ("private", "host"));
        assert_eq!((host.log_config.r#type.as_str(), host.shm_size), ("json-file", 64 << 20));
        assert_eq!((host.pids_limit, host.memory_swappiness), (None, None));
        assert_eq!(host.masked_paths.as_ref().map(Vec::len), Some(paths::MASKED.len()));
        let mut given = HostConfig { masked_paths: Some(Vec::new()), shm_size: 1, ..HostConfig::default() };
        complete(&mut config, &mut given, &machine());
        assert_eq!((given.masked_paths, given.shm_size), (Some(Vec::new()), 1));
        let mut open = HostConfig { privileged: true, ..HostConfig::default() };
        complete(&mut config, &mut open, &machine());
        assert_eq!(open.masked_paths, None);
    }
}
