//! What a client asked for, completed from the image and checked.

use super::{Error, environment, health, limits, log, mounts, networking, restart, signal};
use crate::wire::{Config, CreateRequest, HostConfig, ImageConfig};
use std::collections::BTreeMap;

/// Completes the request's configuration from the image's: Docker's rules, field by field. An
/// entrypoint of the request drops the image's command; `[""]` means no entrypoint.
pub fn merge(mut config: Config, image: &ImageConfig) -> Config {
    let entrypoint_given = config.entrypoint.as_ref().is_some_and(|words| !words.is_empty());
    let command_given = config.cmd.as_ref().is_some_and(|words| !words.is_empty());
    if !entrypoint_given {
        if !command_given {
            config.cmd.clone_from(&image.cmd);
        }
        if config.entrypoint.is_none() {
            config.entrypoint.clone_from(&image.entrypoint);
        }
    }
    if config.entrypoint.as_ref().is_some_and(|words| words.iter().eq([""])) {
        config.entrypoint = None;
    }
    config.env = environment::merge(&config.env, &image.env);
    if config.user.is_empty() {
        config.user.clone_from(&image.user);
    }
    if config.working_dir.is_empty() {
        config.working_dir.clone_from(&image.working_dir);
    }
    let labels: BTreeMap<_, _> = image.labels.clone().unwrap_or_default();
    config.labels = labels.into_iter().chain(config.labels).collect();
    for (port, value) in &image.exposed_ports {
        config.exposed_ports.entry(port).or_insert_with(|| value.clone());
    }
    if let Some(volumes) = &image.volumes {
        let own = config.volumes.get_or_insert_default();
        for (path, value) in volumes {
            own.entry(path).or_insert_with(|| value.clone());
        }
    }
    config.stop_signal = config.stop_signal.or_else(|| image.stop_signal.clone());
    config.healthcheck = health::merge(config.healthcheck, image.healthcheck.as_ref());
    config.shell = config.shell.or_else(|| image.shell.clone());
    config
}

/// Entrypoint and command, in one line of words.
///
/// # Errors
/// [`Error::NoCommand`] when both are empty.
pub fn argv(config: &Config) -> Result<Vec<String>, Error> {
    let words: Vec<String> = config.entrypoint.iter().chain(&config.cmd).flatten().cloned().collect();
    match words.first().map(String::as_str) {
        None | Some("") => Err(Error::NoCommand),
        Some(_) => Ok(words),
    }
}

/// Checks what can be checked without the image, in Docker's order where the order shows.
///
/// # Errors
/// The first thing wrong, or the first thing this engine does not do.
pub fn check(request: &CreateRequest, processors: u32) -> Result<(), Error> {
    let CreateRequest { config, host_config: host, networking_config } = request;
    if !config.working_dir.is_empty() && !config.working_dir.starts_with('/') {
        return Err(Error::WorkingDir(config.working_dir.clone()));
    }
    if let Some(entry) = config.env.iter().find(|entry| entry.starts_with('=') || entry.is_empty()) {
        return Err(Error::Invalid(format!("invalid environment variable: {entry}")));
    }
    if let Some(name) = &config.stop_signal {
        signal::parse(name)?;
    }
    if !matches!(host.runtime.as_str(), "" | "learn" | "runc") {
        return Err(Error::Runtime(host.runtime.clone()));
    }
    restart::check(host)?;
    log::check(&host.log_config)?;
    config.healthcheck.as_ref().map_or(Ok(()), health::check)?;
    limits::check(host, processors)?;
    mounts::plan(host, [])?;
    super::spec::check_security(host)?;
    networking::check(config, host, networking_config)?;
    match unsupported(config, host) {
        Some(feature) => Err(Error::Unsupported(feature)),
        None => Ok(()),
    }
}

/// The first thing asked for that is not done yet, as the option a user would have typed.
fn unsupported(config: &Config, host: &HostConfig) -> Option<String> {
    let listed = |list: &Option<Vec<serde_json::Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let named = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let mode = |mode: &str| !matches!(mode, "" | "host" | "private" | "shareable" | "none");
    let asked = [
        (named(&host.links), "--link"),
        (config.mac_address.as_ref().is_some_and(|mac| !mac.is_empty()), "--mac-address"),
        (!matches!(host.volume_driver.as_str(), "" | "local"), "--volume-driver"),
        (host.cpu_realtime_period != 0, "--cpu-rt-period"),
        (host.cpu_realtime_runtime != 0, "--cpu-rt-runtime"),
        (listed(&host.devices), "--device"),
        (listed(&host.device_requests), "--gpus"),
        (named(&host.device_cgroup_rules), "--device-cgroup-rule"),
        (listed(&host.blkio_weight_device), "--blkio-weight-device"),
        (listed(&host.blkio_device_read_bps), "--device-read-bps"),
        (listed(&host.blkio_device_write_bps), "--device-write-bps"),
        (listed(&host.blkio_device_read_iops), "--device-read-iops"),
        (listed(&host.blkio_device_write_iops), "--device-write-iops"),
        (host.storage_opt.as_ref().is_some_and(|options| !options.is_empty()), "--storage-opt"),
        (!host.cgroup_parent.is_empty(), "--cgroup-parent"),
        (!host.userns_mode.is_empty() && host.userns_mode != "host", "--userns"),
        (mode(&host.ipc_mode), "--ipc container:"),
        (mode(&host.pid_mode), "--pid container:"),
        (!matches!(host.isolation.as_str(), "" | "default"), "--isolation"),
    ];
    asked.into_iter().find(|(is_asked, _)| *is_asked).map(|(_, option)| option.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        Some(line.split_whitespace().map(str::to_owned).collect())
    }

    fn image() -> ImageConfig {
        ImageConfig {
            cmd: words("-c x"),
            entrypoint: words("/bin/sh"),
            user: "app".into(),
            ..Default::default()
        }
    }

    fn argv_of(config: Config) -> Vec<String> {
        argv(&merge(config, &image())).unwrap()
    }

    #[test]
    fn the_images_command_is_the_default() {
        let merged = merge(Config::default(), &image());
        assert_eq!(merged.user, "app");
        assert_eq!(argv(&merged).unwrap(), ["/bin/sh", "-c", "x"]);
    }

    #[test]
    fn a_command_keeps_the_images_entrypoint_and_an_entrypoint_drops_its_command() {
        assert_eq!(argv_of(Config { cmd: words("-c y"), ..Default::default() }), ["/bin/sh", "-c", "y"]);
        assert_eq!(argv_of(Config { entrypoint: words("/bin/ls"), ..Default::default() }), ["/bin/ls"]);
    }

    #[test]
    fn an_empty_entrypoint_takes_the_images_away() {
        let config = Config { entrypoint: Some(vec![String::new()]), cmd: words("ls"), ..Default::default() };
        assert_eq!(argv_of(config), ["ls"]);
    }

    #[test]
    fn nothing_to_run_is_refused() {
        let merged = merge(Config::default(), &ImageConfig::default());
        assert_eq!(argv(&merged).unwrap_err().to_string(), "No command specified");
    }

    #[test]
    fn a_feature_to_come_is_refused_by_name() {
        let host_config = HostConfig { cgroup_parent: "/x".into(), ..HostConfig::default() };
        let request = CreateRequest { host_config, ..CreateRequest::default() };
        let refused = check(&request, 2).unwrap_err();
        assert_eq!(refused.to_string(), "--cgroup-parent is not supported by learn yet");
    }

    #[test]
    fn a_relative_working_directory_is_refused_with_dockers_words() {
        let config = Config { working_dir: "rel".into(), ..Config::default() };
        let request = CreateRequest { config, ..CreateRequest::default() };
        let message = "the working directory 'rel' is invalid, it needs to be an absolute path";
        assert_eq!(check(&request, 2).unwrap_err().to_string(), message);
    }
}
