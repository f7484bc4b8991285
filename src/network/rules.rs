//! The engine's own table of rules, in nft(8)'s language: a pure function of who is connected.

use super::Published;
use ipnet::Ipv4Net;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// A network in which a container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridged {
    /// The bridge's interface.
    pub bridge: String,
    /// Its addresses.
    pub subnet: Ipv4Net,
    /// Packets that leave carry the host's address.
    pub masquerades: bool,
    /// Nothing comes in or leaves.
    pub internal: bool,
}

/// A port that leads to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The port of the host, and that of the container.
    pub port: Published,
    /// Whose it is.
    pub to: Ipv4Addr,
}

/// The whole table. Nobody outside a network reaches its containers but over a published port or
/// in answer; connections to this machine's own ports from inside a network meet the proxy, which
/// is why they are left alone here.
pub fn table(name: &str, networks: &[Bridged], redirects: &[Redirect]) -> String {
    let bridges: Vec<String> = networks.iter().map(|network| format!("{:?}", network.bridge)).collect();
    let bridges = bridges.join(", ");
    let mut text = format!("table {name} {{\n");
    let redirects: Vec<String> = redirects.iter().filter_map(redirect).collect();
    if !redirects.is_empty() {
        text.push_str("\tchain prerouting {\n\t\ttype nat hook prerouting priority -100; policy accept;\n");
        for line in &redirects {
            let _ = writeln!(text, "\t\tiifname != {{ {bridges} }} {line}");
        }
        text.push_str("\t}\n\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n");
        for line in &redirects {
            let _ = writeln!(text, "\t\tip daddr != 127.0.0.0/8 {line}");
        }
        text.push_str("\t}\n");
    }
    text.push_str("\tchain forward {\n\t\ttype filter hook forward priority 0; policy accept;\n");
    for Bridged { bridge, internal, .. } in networks {
        if *internal {
            let _ = writeln!(text, "\t\tiifname {bridge:?} oifname != {bridge:?} drop");
            let _ = writeln!(text, "\t\toifname {bridge:?} iifname != {bridge:?} drop");
        } else {
            let _ = writeln!(text, "\t\toifname {bridge:?} ct state established,related accept");
            let _ = writeln!(text, "\t\toifname {bridge:?} ct status dnat accept");
            let _ = writeln!(text, "\t\toifname {bridge:?} iifname != {bridge:?} drop");
        }
    }
    text.push_str("\t}\n\tchain postrouting {\n\t\ttype nat hook postrouting priority 100; policy accept;\n");
    for Bridged { bridge, subnet, .. } in networks.iter().filter(|network| network.masquerades) {
        let _ = writeln!(text, "\t\tip saddr {subnet} oifname != {bridge:?} masquerade");
    }
    text.push_str("\t}\n}\n");
    text
}

/// The rule of one port; those of IPv6 are the proxy's alone.
pub fn redirect(Redirect { port, to }: &Redirect) -> Option<String> {
    let Published { protocol, host, host_port, port } = port;
    let host: Ipv4Addr = host.parse().ok()?;
    let whose = match host {
        // Loopback cannot be redirected out of itself.
        host if host.is_loopback() => return None,
        host if host.is_unspecified() => "fib daddr type local".to_owned(),
        host => format!("ip daddr {host}"),
    };
    Some(format!("{whose} {protocol} dport {host_port} dnat to {to}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridged(bridge: &str, subnet: &str, internal: bool) -> Bridged {
        let subnet = subnet.parse().unwrap();
        Bridged { bridge: bridge.into(), subnet, masquerades: !internal, internal }
    }

    fn published(host: &str) -> Redirect {
        let port = Published { protocol: "tcp".into(), host: host.into(), host_port: 8080, port: 80 };
        Redirect { port, to: Ipv4Addr::new(172, 17, 0, 2) }
    }

    #[test]
    fn a_published_port_is_redirected_from_everywhere_but_loopback_and_the_networks() {
        let text = table("ip learn", &[bridged("learn0", "172.17.0.0/16", false)], &[published("0.0.0.0")]);
        let rule = "fib daddr type local tcp dport 8080 dnat to 172.17.0.2:80";
        assert!(text.contains(&format!("iifname != {{ \"learn0\" }} {rule}\n")), "{text}");
        assert!(text.contains(&format!("ip daddr != 127.0.0.0/8 {rule}\n")), "{text}");
        assert!(redirect(&published("127.0.0.1")).is_none());
        assert!(redirect(&published("::")).is_none());
    }

    #[test]
    fn an_internal_network_has_no_way_out() {
        let text = table("ip learn", &[bridged("br-x", "10.1.0.0/24", true)], &[]);
        assert!(text.contains("iifname \"br-x\" oifname != \"br-x\" drop"), "{text}");
        assert!(!text.contains("masquerade") && !text.contains("dnat"), "{text}");
    }
}
