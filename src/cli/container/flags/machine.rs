//! Flags about the machine a container sees: namespaces it shares, devices, kernel parameters.

use super::value;
use crate::wire::CreateRequest;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default, Args)]
pub struct Machine {
    #[arg(long, value_name = "NAME")]
    pub domainname: Option<String>,
    #[arg(long, value_name = "host|container:NAME")]
    pub pid: Option<String>,
    #[arg(long, value_name = "MODE")]
    pub ipc: Option<String>,
    #[arg(long, value_name = "host")]
    pub uts: Option<String>,
    #[arg(long, value_name = "host")]
    pub userns: Option<String>,
    #[arg(long, value_name = "host|private")]
    pub cgroupns: Option<String>,
    #[arg(long, value_name = "GROUP")]
    pub group_add: Vec<String>,
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::sysctl)]
    pub sysctl: Vec<String>,
    #[arg(long, value_name = "HOST[:CONTAINER][:rwm]")]
    pub device: Vec<String>,
    #[arg(long, value_name = "TYPE MAJOR:MINOR MODE", value_parser = value::cgroup_rule)]
    pub device_cgroup_rule: Vec<String>,
    #[arg(long, value_name = "NAME=VALUE")]
    pub storage_opt: Vec<String>,
    #[arg(long, value_name = "NAME=VALUE")]
    pub annotation: Vec<String>,
    #[arg(long, value_name = "NAME")]
    pub runtime: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub isolation: Option<String>,
}

impl Machine {
    /// Writes itself into the request.
    ///
    /// # Errors
    /// Docker's words.
    pub fn fill(&self, request: &mut CreateRequest) -> Result<(), String> {
        let text = |option: &Option<String>| option.clone().unwrap_or_default();
        request.config.domainname = text(&self.domainname);
        let host = &mut request.host_config;
        let devices: Vec<Value> = self.device.iter().map(|text| device(text)).collect::<Result<_, _>>()?;
        host.devices = (!devices.is_empty()).then_some(devices);
        let pid = text(&self.pid);
        let container = pid.strip_prefix("container:").is_some_and(|name| !name.is_empty());
        let modes = [
            (matches!(pid.as_str(), "" | "host") || container, "--pid: invalid PID mode"),
            (matches!(text(&self.uts).as_str(), "" | "host"), "--uts: invalid UTS mode"),
            (matches!(text(&self.userns).as_str(), "" | "host"), "--userns: invalid USER mode"),
            (
                matches!(text(&self.cgroupns).as_str(), "" | "host" | "private"),
                "--cgroupns: invalid CGROUP mode",
            ),
        ];
        if let Some((_, problem)) = modes.iter().find(|(sound, _)| !sound) {
            return Err((*problem).to_owned());
        }
        host.pid_mode = pid;
        host.ipc_mode = text(&self.ipc);
        host.uts_mode = text(&self.uts);
        host.userns_mode = text(&self.userns);
        host.cgroupns_mode = text(&self.cgroupns);
        host.runtime = text(&self.runtime);
        host.isolation = text(&self.isolation);
        let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        host.group_add = some(&self.group_add);
        host.device_cgroup_rules = some(&self.device_cgroup_rule);
        if self.storage_opt.iter().any(|option| !option.contains('=')) {
            return Err("invalid storage option".to_owned());
        }
        host.storage_opt = pairs(&self.storage_opt);
        host.sysctls = pairs(&self.sysctl);
        host.annotations = pairs(&self.annotation);
        Ok(())
    }
}

fn pairs(given: &[String]) -> Option<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        (key.to_owned(), value.to_owned())
    };
    (!given.is_empty()).then(|| given.iter().map(pair).collect())
}

fn is_mode(text: &str) -> bool {
    let each =
        text.chars().enumerate().all(|(place, mode)| "rwm".contains(mode) && !text[..place].contains(mode));
    !text.is_empty() && each
}

/// `host[:container][:rwm]`
fn device(text: &str) -> Result<Value, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (outside, inside, mode) = match parts.as_slice() {
        ["", ..] => return Err(format!("bad format for path: {text}")),
        [path] => (clean(path), clean(path), "rwm"),
        [path, mode] if is_mode(mode) => (clean(path), clean(path), *mode),
        [path, inside] => ((*path).to_owned(), clean(inside), "rwm"),
        [path, inside, mode] if is_mode(mode) => ((*path).to_owned(), (*inside).to_owned(), *mode),
        [_, _, mode] => return Err(format!("bad mode specified: {mode}")),
        _ => return Err(format!("bad format for path: {text}")),
    };
    if !inside.starts_with('/') {
        let named = if parts.len() == 1 || is_mode(parts[1]) { parts[0] } else { parts[1] };
        return Err(format!("{named} is not an absolute path"));
    }
    Ok(json!({ "PathOnHost": outside, "PathInContainer": inside, "CgroupPermissions": mode }))
}

/// Go's path.Clean.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match path.starts_with('/') {
        true => format!("/{joined}"),
        false if joined.is_empty() => ".".to_owned(),
        false => joined,
    }
}
