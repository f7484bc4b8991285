//! `learn info`: what the daemon knows of itself and of the machine.

use crate::cli::format::size;
use crate::cli::{Context, Failure, output};
use crate::wire::Info;

/// Prints what the daemon knows.
pub async fn info(context: &Context) -> Result<(), Failure> {
    let client = format!("Client: learn\n Version:    {}\n\n", env!("CARGO_PKG_VERSION"));
    let info = context.client.info().await;
    output::text(&client)?;
    let info = info?;
    output::text(&render(&info))?;
    for warning in &info.warnings {
        output::error_line(warning)?;
    }
    Ok(())
}

fn render(info: &Info) -> String {
    let mut text = String::from("Server:\n");
    let mut say = |line: String| {
        text.push(' ');
        text.push_str(&line);
        text.push('\n');
    };
    say(format!("Containers: {}", info.containers));
    say(format!(" Running: {}", info.containers_running));
    say(format!(" Paused: {}", info.containers_paused));
    say(format!(" Stopped: {}", info.containers_stopped));
    say(format!("Images: {}", info.images));
    say(format!("Server Version: {}", info.server_version));
    say(format!("Storage Driver: {}", info.driver));
    for [name, value] in &info.driver_status {
        say(format!(" {name}: {value}"));
    }
    say(format!("Logging Driver: {}", info.logging_driver));
    say(format!("Cgroup Driver: {}", info.cgroup_driver));
    say(format!("Cgroup Version: {}", info.cgroup_version));
    say("Plugins:".to_owned());
    say(format!(" Volume: {}", info.plugins.volume.join(" ")).trim_end().to_owned());
    say(format!(" Network: {}", info.plugins.network.join(" ")).trim_end().to_owned());
    say(format!(" Log: {}", info.plugins.log.join(" ")).trim_end().to_owned());
    let runtimes: Vec<&str> = info.runtimes.keys().map(String::as_str).collect();
    say(format!("Runtimes: {}", runtimes.join(" ")).trim_end().to_owned());
    say(format!("Default Runtime: {}", info.default_runtime));
    security(info).into_iter().for_each(&mut say);
    say(format!("Kernel Version: {}", info.kernel_version));
    say(format!("Operating System: {}", info.operating_system));
    say(format!("OSType: {}", info.os_type));
    say(format!("Architecture: {}", info.architecture));
    say(format!("CPUs: {}", info.n_cpu));
    say(format!("Total Memory: {}", size::binary(info.mem_total)));
    say(format!("Name: {}", info.name));
    say(format!("ID: {}", info.id));
    say(format!("Docker Root Dir: {}", info.docker_root_dir));
    let proxies =
        [("HTTP Proxy", &info.http_proxy), ("HTTPS Proxy", &info.https_proxy), ("No Proxy", &info.no_proxy)];
    for (name, value) in proxies.into_iter().filter(|(_, value)| !value.is_empty()) {
        say(format!("{name}: {value}"));
    }
    say(format!("Experimental: {}", info.experimental_build));
    registries(info).into_iter().for_each(&mut say);
    say(format!("Live Restore Enabled: {}", info.live_restore_enabled));
    text
}

/// Registries that need no checked certificate, then who is asked before Docker Hub, each with a
/// heading if there is one.
fn registries(info: &Info) -> Vec<String> {
    let Some(config) = &info.registry_config else { return Vec::new() };
    let words = |key: &str| config[key].as_array().into_iter().flatten().filter_map(|word| word.as_str());
    let indexes = config["IndexConfigs"].as_object().into_iter().flatten();
    let hosts = indexes.filter(|(_, index)| index["Secure"] == false).map(|(host, _)| host.as_str());
    let insecure: Vec<&str> = hosts.chain(words("InsecureRegistryCIDRs")).collect();
    let mirrors: Vec<&str> = words("Mirrors").collect();
    let mut lines = Vec::new();
    for (heading, entries) in [("Insecure Registries:", insecure), ("Registry Mirrors:", mirrors)] {
        if !entries.is_empty() {
            lines.push(heading.to_owned());
            lines.extend(entries.iter().map(|entry| format!(" {entry}")));
        }
    }
    lines
}

/// `name=seccomp,profile=builtin` becomes two lines.
fn security(info: &Info) -> Vec<String> {
    if info.security_options.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["Security Options:".to_owned()];
    for option in &info.security_options {
        for part in option.split(',') {
            match part.split_once('=') {
                Some(("name", name)) => lines.push(format!(" {name}")),
                Some((key, value)) => {
                    let key = match key {
                        "profile" => "Profile",
                        other => other,
                    };
                    lines.push(format!("  {key}: {value}"));
                }
                None => lines.push(format!(" {part}")),
            }
        }
    }
    lines
}
