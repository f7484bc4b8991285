//! Which ports are asked for: `--publish`, `--publish-all`, `EXPOSE`.

use crate::wire::{Config, HostConfig, PortBinding};
use std::collections::{BTreeMap, BTreeSet};

/// One port of a container that is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Inside.
    pub port: u16,
    /// Address of the host; empty for all of them.
    pub host: String,
    /// Ports of the host that will do, the first that is free; empty for any.
    pub candidates: Vec<u16>,
}

/// Why a port cannot be read, in Docker's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `80/xyz`.
    #[error("invalid port specification: \"{0}\"")]
    Port(String),
    /// A protocol this engine carries nothing of.
    #[error("publishing a port of {0} is not supported by learn yet")]
    Protocol(String),
}

/// `80`, `80/tcp`.
///
/// # Errors
/// No number, or an unknown protocol.
pub fn parse(text: &str) -> Result<(u16, String), Error> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let port = number.parse().map_err(|_| Error::Port(text.to_owned()))?;
    match protocol.as_str() {
        "tcp" | "udp" | "sctp" => Ok((port, protocol)),
        _ => Err(Error::Port(text.to_owned())),
    }
}

/// Everything that is to be published, by the port inside.
///
/// # Errors
/// A port that cannot be read, or of a protocol that is not carried.
pub fn wanted(config: &Config, host: &HostConfig) -> Result<Vec<Wanted>, Error> {
    let mut bindings: BTreeMap<(u16, String), Vec<PortBinding>> = BTreeMap::new();
    for (text, asked) in &host.port_bindings {
        let key = parse(text)?;
        let asked = asked.clone().unwrap_or_default();
        bindings.entry(key).or_default().extend(if asked.is_empty() {
            vec![PortBinding::default()]
        } else {
            asked
        });
    }
    if host.publish_all_ports {
        for text in config.exposed_ports.keys() {
            bindings.entry(parse(text)?).or_insert_with(|| vec![PortBinding::default()]);
        }
    }
    let mut wanted = Vec::new();
    for ((port, protocol), asked) in bindings {
        if protocol == "sctp" {
            return Err(Error::Protocol(protocol));
        }
        for PortBinding { host_ip, host_port } in asked {
            let candidates = candidates(&host_port)?;
            let host = host_ip.trim_start_matches('[').trim_end_matches(']').to_owned();
            wanted.push(Wanted { protocol: protocol.clone(), port, host, candidates });
        }
    }
    Ok(wanted)
}

/// `8080`, `8000-8010`; nothing and 0 are any.
fn candidates(text: &str) -> Result<Vec<u16>, Error> {
    let malformed = || Error::Port(text.to_owned());
    let number = |text: &str| text.parse::<u16>().map_err(|_| malformed());
    match text.split_once('-') {
        Some((first, last)) => Ok((number(first)?..=number(last)?).collect()),
        None if matches!(text, "" | "0") => Ok(Vec::new()),
        None => Ok(vec![number(text)?]),
    }
}

/// Ports inside that `EXPOSE` or `--expose` names, as `80/tcp`.
pub fn exposed(config: &Config) -> BTreeSet<(u16, String)> {
    config.exposed_ports.keys().filter_map(|text| parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn host(bindings: serde_json::Value) -> HostConfig {
        serde_json::from_value(json!({ "PortBindings": bindings })).unwrap()
    }

    #[test]
    fn every_form_of_publish_is_read() {
        let asked = host(json!({
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
            "90/tcp": [{"HostPort": "9000-9002"}],
            "70/tcp": null,
        }));
        let wanted = wanted(&Config::default(), &asked).unwrap();
        let told: Vec<_> =
            wanted.iter().map(|one| (one.port, one.host.as_str(), one.candidates.clone())).collect();
        let expected = vec![
            (53, "127.0.0.1", vec![]),
            (70, "", vec![]),
            (80, "", vec![8080]),
            (90, "", vec![9000, 9001, 9002]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn publish_all_takes_what_the_image_exposes() {
        let config: Config = serde_json::from_value(json!({ "ExposedPorts": {"80/tcp": {}} })).unwrap();
        let asked = HostConfig { publish_all_ports: true, ..HostConfig::default() };
        assert_eq!(wanted(&config, &asked).unwrap()[0].port, 80);
        assert!(wanted(&config, &HostConfig::default()).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_port_is_refused() {
        assert!(wanted(&Config::default(), &host(json!({ "x/tcp": [] }))).is_err());
        let sctp = wanted(&Config::default(), &host(json!({ "80/sctp": [] })));
        assert_eq!(sctp, Err(Error::Protocol("sctp".into())));
    }
}
