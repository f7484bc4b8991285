//! `docker info` and `docker version`: the engine about itself.

use super::Engine;
use crate::container::{Status, limits};
use crate::wire::{Component, Info, Platform, Plugins, SwarmInfo, Version};
use serde_json::json;
use std::fs;

/// Newest API spoken.
pub const API_VERSION: &str = "1.47";

/// Oldest API spoken.
pub const MIN_API_VERSION: &str = "1.41";

/// Docker Hub's place for credentials.
const INDEX: &str = "https://index.docker.io/v1/";

impl Engine {
    /// `GET /version`.
    pub fn version(&self) -> Version {
        let engine = env!("CARGO_PKG_VERSION");
        let details = [
            ("ApiVersion", API_VERSION),
            ("Arch", &self.machine.architecture),
            ("Experimental", "false"),
            ("KernelVersion", &self.machine.kernel),
            ("MinAPIVersion", MIN_API_VERSION),
            ("Os", "linux"),
        ];
        let details = details.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Version {
            platform: Platform { name: "learn".into() },
            components: vec![Component { name: "Engine".into(), version: engine.into(), details }],
            version: engine.into(),
            api_version: API_VERSION.into(),
            min_api_version: MIN_API_VERSION.into(),
            os: "linux".into(),
            arch: self.machine.architecture.clone(),
            kernel_version: self.machine.kernel.clone(),
            ..Version::default()
        }
    }

    /// `GET /info`.
    pub fn info(&self) -> Info {
        let containers = self.containers.all();
        let count = |wanted: &[Status]| {
            let counted = containers.iter().filter(|c| wanted.contains(&c.record().state.status)).count();
            i64::try_from(counted).unwrap_or(i64::MAX)
        };
        let cgroups = &self.machine.cgroups;
        let has = |controller: &str| limits::has(&self.machine, controller);
        let (system, system_version) = operating_system();
        let driver = if self.machine.overlay { "overlay2" } else { "vfs" };
        let environment = |name: &str| std::env::var(name).unwrap_or_default();
        Info {
            id: self.places.root.clone(),
            containers: i64::try_from(containers.len()).unwrap_or(i64::MAX),
            containers_running: count(&[Status::Running, Status::Restarting]),
            containers_paused: count(&[Status::Paused]),
            containers_stopped: count(&[Status::Created, Status::Exited, Status::Dead]),
            images: i64::try_from(self.images.list().len()).unwrap_or(i64::MAX),
            driver: driver.into(),
            driver_status: vec![["userxattr".into(), self.machine.unprivileged().to_string()]],
            plugins: Plugins {
                network: vec!["host".into(), "null".into()],
                log: vec!["json-file".into(), "local".into()],
                ..Plugins::default()
            },
            memory_limit: has("memory"),
            swap_limit: has("memory"),
            cpu_cfs_period: has("cpu"),
            cpu_cfs_quota: has("cpu"),
            cpu_shares: has("cpu"),
            cpu_set: has("cpuset"),
            pids_limit: has("pids"),
            oom_kill_disable: cgroups.v1.contains_key("memory"),
            ipv4_forwarding: number("/proc/sys/net/ipv4/ip_forward") == 1,
            n_fd: entries("/proc/self/fd"),
            n_goroutines: entries("/proc/self/task"),
            system_time: self.stamp(),
            logging_driver: "json-file".into(),
            cgroup_driver: if cgroups.mode() == "none" { "none" } else { "cgroupfs" }.into(),
            cgroup_version: if cgroups.mode() == "v2" { "2" } else { "1" }.into(),
            n_events_listener: i64::try_from(self.events.listeners()).unwrap_or(0),
            kernel_version: self.machine.kernel.clone(),
            operating_system: system,
            os_version: system_version,
            os_type: "linux".into(),
            architecture: std::env::consts::ARCH.into(),
            index_server_address: INDEX.into(),
            registry_config: Some(self.registries()),
            n_cpu: i64::from(self.processors()),
            mem_total: memory_total(),
            docker_root_dir: self.places.root.clone(),
            http_proxy: environment("HTTP_PROXY"),
            https_proxy: environment("HTTPS_PROXY"),
            no_proxy: environment("NO_PROXY"),
            name: nix::unistd::gethostname()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            server_version: env!("CARGO_PKG_VERSION").into(),
            runtimes: [("learn".to_owned(), json!({"path": "learn"}))].into(),
            default_runtime: "learn".into(),
            swarm: SwarmInfo { local_node_state: "inactive".into(), control_available: false },
            live_restore_enabled: true,
            security_options: self.security_options(),
            ..Info::default()
        }
    }

    fn security_options(&self) -> Vec<String> {
        let options = [
            (true, "name=seccomp,profile=builtin"),
            (self.machine.unprivileged(), "name=rootless"),
            (self.machine.cgroups.mode() == "v2", "name=cgroupns"),
        ];
        options.into_iter().filter(|(holds, _)| *holds).map(|(_, option)| option.to_owned()).collect()
    }

    fn registries(&self) -> serde_json::Value {
        let config = self.images.registry_config();
        let (networks, hosts): (Vec<&String>, Vec<&String>) =
            config.insecure.iter().partition(|entry| entry.contains('/'));
        let index = |name: &str, mirrors: &[String], hub: bool| json!({"Name": name, "Mirrors": mirrors, "Secure": hub, "Official": hub});
        let hub = [("docker.io".to_owned(), index("docker.io", &config.mirrors, true))];
        let insecure = hosts.into_iter().map(|host| (host.clone(), index(host, &[], false)));
        let indexes: serde_json::Map<_, _> = hub.into_iter().chain(insecure).collect();
        // Loopback counts as insecure without being listed.
        let networks: Vec<&str> = networks.into_iter().map(String::as_str).chain(["127.0.0.0/8"]).collect();
        json!({"InsecureRegistryCIDRs": networks, "IndexConfigs": indexes, "Mirrors": config.mirrors})
    }
}

/// `PRETTY_NAME` and `VERSION_ID`: os-release(5).
fn operating_system() -> (String, String) {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    (value("PRETTY_NAME"), value("VERSION_ID"))
}

/// Bytes: `MemTotal` of proc_meminfo(5).
fn memory_total() -> i64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    kilobytes.and_then(|number| number.parse::<i64>().ok()).map_or(0, |number| number * 1024)
}

fn number(path: &str) -> i64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn entries(path: &str) -> i64 {
    fs::read_dir(path).map_or(0, |entries| i64::try_from(entries.count()).unwrap_or(0))
}
