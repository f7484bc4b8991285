//! Ports as `docker ps` lists them: neighbours as a range, what the host maps elsewhere behind.

use crate::wire::Port;

/// Ports in a row under one key: a protocol, or an address and a protocol.
struct Group<'a> {
    ip: &'a str,
    protocol: &'a str,
    first: u16,
    last: u16,
}

/// `0.0.0.0:8080->80/tcp, 443/tcp`.
pub fn shown(ports: &[Port]) -> String {
    let mut ports: Vec<&Port> = ports.iter().collect();
    ports.sort_by_key(|port| (port.private_port, &port.ip, port.public_port, &port.r#type));
    let mut shown = Vec::new();
    let mut elsewhere = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for port in ports {
        let (inside, outside) = (port.private_port, port.public_port.unwrap_or(0));
        if !port.ip.is_empty() && outside != inside {
            elsewhere.push(format!("{}->{inside}/{}", at(&port.ip, &outside.to_string()), port.r#type));
            continue;
        }
        let same = |group: &&mut Group| group.ip == port.ip && group.protocol == port.r#type;
        match groups.iter_mut().find(same) {
            None => {
                groups.push(Group { ip: &port.ip, protocol: &port.r#type, first: inside, last: inside });
            }
            Some(group) if group.last.checked_add(1) == Some(inside) => group.last = inside,
            Some(group) => {
                shown.push(range(group));
                (group.first, group.last) = (inside, inside);
            }
        }
    }
    shown.extend(groups.iter().map(range));
    shown.extend(elsewhere);
    shown.join(", ")
}

fn range(group: &Group) -> String {
    let ports = match group.first == group.last {
        true => group.first.to_string(),
        false => format!("{}-{}", group.first, group.last),
    };
    match group.ip {
        "" => format!("{ports}/{}", group.protocol),
        ip => format!("{}->{ports}/{}", at(ip, &ports), group.protocol),
    }
}

/// An IPv6 address needs brackets before a port.
fn at(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: &str, inside: u16, outside: Option<u16>, protocol: &str) -> Port {
        Port { ip: ip.to_owned(), private_port: inside, public_port: outside, r#type: protocol.to_owned() }
    }

    #[test]
    fn neighbours_are_a_range_and_mapped_ports_stand_behind() {
        let ports = [
            port("", 443, None, "tcp"),
            port("0.0.0.0", 80, Some(8080), "tcp"),
            port("::", 80, Some(8080), "tcp"),
            port("", 9001, None, "udp"),
            port("", 9000, None, "udp"),
            port("127.0.0.1", 5000, Some(5000), "tcp"),
            port("127.0.0.1", 5001, Some(5001), "tcp"),
        ];
        assert_eq!(
            shown(&ports),
            "443/tcp, 127.0.0.1:5000-5001->5000-5001/tcp, 9000-9001/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
        );
    }
}
