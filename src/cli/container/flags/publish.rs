//! `-p` and `--expose`: ports of the container and addresses of the host.

use crate::wire::PortBinding;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `80/tcp` → `{}`, and `80/tcp` → addresses of the host.
pub type Ports = (Map<String, Value>, BTreeMap<String, Option<Vec<PortBinding>>>);

/// Reads every `-p`, then every `--expose`.
///
/// # Errors
/// Docker's words for what is no port.
pub fn ports(published: &[String], exposed: &[String]) -> Result<Ports, String> {
    let mut ports = Map::new();
    let mut bindings = BTreeMap::<String, Option<Vec<PortBinding>>>::new();
    for text in published {
        let plain = if text.contains('=') { short_form(text)? } else { text.clone() };
        for (port, binding) in mappings(&plain)? {
            ports.insert(port.clone(), Value::Object(Map::new()));
            bindings.entry(port).or_default().get_or_insert_default().push(binding);
        }
    }
    for text in exposed {
        if text.contains(':') {
            return Err(format!("invalid port format for --expose: {text}"));
        }
        let (protocol, port) = protocol_of(text);
        let (first, last) = range(port)
            .map_err(|error| format!("invalid range format for --expose: {text}, error: {error}"))?;
        for port in first..=last {
            ports.entry(format!("{port}/{protocol}")).or_insert_with(|| Value::Object(Map::new()));
        }
    }
    Ok((ports, bindings))
}

/// `published=8080,target=80,protocol=udp` as `8080:80/udp`.
fn short_form(text: &str) -> Result<String, String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for part in text.split(',') {
        match part.split_once('=').filter(|(key, _)| !key.is_empty()) {
            None => {
                return Err(format!("invalid publish opts format (should be name=value but got '{part}')"));
            }
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            Some(_) => {}
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

/// `[ip:][host]:container[/protocol]`, one mapping a port of the container.
fn mappings(text: &str) -> Result<Vec<(String, PortBinding)>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (ip, host, inside) = match parts.as_slice() {
        [inside] => (String::new(), "", *inside),
        [host, inside] => (String::new(), *host, *inside),
        [ip @ .., host, inside] => (ip.join(":"), *host, *inside),
        [] => (String::new(), "", ""),
    };
    let (protocol, inside) = protocol_of(inside);
    let bare = ip.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if ip.starts_with('[') && bare.is_none() {
        return Err(format!("invalid IP address {ip}: address {ip}:: missing ']' in address"));
    }
    let ip = bare.unwrap_or(&ip);
    if !ip.is_empty() && ip.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address: {ip}"));
    }
    if inside.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let (first, last) = range(inside).map_err(|_| format!("invalid containerPort: {inside}"))?;
    let outside = match host {
        "" => None,
        host => Some(range(host).map_err(|_| format!("invalid hostPort: {host}"))?),
    };
    let same_length = outside.is_none_or(|(start, end)| end - start == last - first);
    if !same_length && first != last {
        return Err(format!("invalid ranges specified for container and host Ports: {inside} and {host}"));
    }
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let binding = |offset: u16| {
        let host_port = match outside {
            None => String::new(),
            // One port inside and many outside: the daemon takes a free one of them.
            Some((start, end)) if first == last && start != end => format!("{start}-{end}"),
            Some((start, _)) => (start + offset).to_string(),
        };
        PortBinding { host_ip: ip.to_owned(), host_port }
    };
    Ok((0..=last - first).map(|offset| (format!("{}/{protocol}", first + offset), binding(offset))).collect())
}

/// Protocol and port of `port/protocol`.
fn protocol_of(text: &str) -> (&str, &str) {
    let mut parts = text.split('/');
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("", _) => ("", ""),
        (port, None | Some("")) => ("tcp", port),
        (port, Some(protocol)) => (protocol, port),
    }
}

/// `8000-8010`, or one port.
fn range(text: &str) -> Result<(u16, u16), String> {
    if text.is_empty() {
        return Err("empty string specified for ports".to_owned());
    }
    let number = |digits: &str| -> Result<u16, String> {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let problem = if plain { "value out of range" } else { "invalid syntax" };
        let failed = || format!("strconv.ParseUint: parsing {digits:?}: {problem}");
        if plain { digits.parse().map_err(|_| failed()) } else { Err(failed()) }
    };
    let mut parts = text.split('-');
    let first = number(parts.next().unwrap_or_default())?;
    let last = parts.next().map_or(Ok(first), number)?;
    if last < first {
        return Err(format!("invalid range specified for port: {text}"));
    }
    Ok((first, last))
}
