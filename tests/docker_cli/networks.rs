//! Networks, as docker's client asks for them: addresses, published ports, names.

use super::Docker;
use super::live::{PATIENCE, eventually, said, stderr};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Instant;

/// A container's answer to whoever connects to its port 80.
const SERVER: [&str; 3] = ["sh", "-c", "echo served > /tmp/index.html; exec httpd -f -p 80 -h /tmp"];

/// What the container's server says over one address; nothing when it refuses.
fn fetch(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains("served").then_some(answer)
}

/// Asks until it is served: a program needs a moment until it listens.
fn served(address: &str) {
    eventually(&format!("{address} is served"), || fetch(address).is_some());
}

fn field(docker: &Docker, container: &str, template: &str) -> String {
    docker.ok(&["inspect", "-f", template, container]).trim().to_owned()
}

/// The address of the host that a container's only port leads from.
fn port(docker: &Docker, container: &str) -> String {
    let shown = docker.ok(&["port", container, "80/tcp"]);
    shown.lines().next().unwrap_or_default().replace("0.0.0.0", "127.0.0.1")
}

/// Interfaces of this test's own network namespace.
fn interfaces() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").expect("procfs");
    table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

#[test]
fn a_container_has_an_address_a_way_out_and_a_name() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "one", "alpine", "sleep", "1000"]);
    let address = field(&docker, "one", "{{.NetworkSettings.IPAddress}}");
    let gateway = field(&docker, "one", "{{.NetworkSettings.Gateway}}");
    let show = |command: &str| {
        docker.ok(&["run", "--rm", "--network", "container:one", "alpine", "sh", "-c", command])
    };
    let shown = show("ip -o addr show eth0; ip route; cat /etc/hosts");
    assert!(shown.contains(&format!("inet {address}/16")), "{shown}");
    assert!(shown.contains(&format!("default via {gateway} dev eth0")), "{shown}");
    let hostname = field(&docker, "one", "{{.Config.Hostname}}");
    assert!(shown.contains(&format!("{address}\t{hostname}")), "{shown}");
    let mac = field(&docker, "one", "{{.NetworkSettings.MacAddress}}");
    let tail: Vec<u8> = address.split('.').map(|part| part.parse().expect("a byte")).collect();
    assert_eq!(mac, format!("02:42:{:02x}:{:02x}:{:02x}:{:02x}", tail[0], tail[1], tail[2], tail[3]));
    let pinged = docker.ok(&["run", "--rm", "alpine", "ping", "-c", "1", "-W", "20", &address]);
    assert!(pinged.contains("1 packets received"), "{pinged}");
}

#[test]
fn a_published_port_is_reached_from_loopback_the_machines_address_and_containers() {
    let Some(docker) = Docker::new() else { return };
    let run = ["run", "-d", "--name", "web", "-p", "80", "alpine"];
    docker.ok(&[&run[..], &SERVER].concat());
    let loopback = port(&docker, "web");
    served(&loopback);
    let number = loopback.rsplit(':').next().unwrap_or_default().to_owned();
    let gateway = field(&docker, "web", "{{.NetworkSettings.Gateway}}");
    served(&format!("{gateway}:{number}"));
    let url = format!("http://{gateway}:{number}/index.html");
    assert_eq!(docker.ok(&["run", "--rm", "alpine", "wget", "-q", "-O", "-", &url]), "served\n");
    let listed = docker.ok(&["ps", "--format", "{{.Ports}}"]);
    assert!(listed.contains(&format!("0.0.0.0:{number}->80/tcp")), "{listed}");
    docker.ok(&["rm", "-f", "web"]);
    eventually("nobody listens any more", || TcpStream::connect(&loopback).is_err());
}

#[test]
fn a_published_port_outlives_the_daemon() {
    let Some(mut docker) = Docker::new() else { return };
    docker.ok(&[&["run", "-d", "--name", "web", "-p", "127.0.0.1::80", "alpine"][..], &SERVER].concat());
    let address = port(&docker, "web");
    served(&address);
    docker.live.kill();
    served(&address);
    docker.live.start();
    served(&address);
    assert_eq!(port(&docker, "web"), address);
    docker.ok(&["rm", "-f", "web"]);
    eventually("nobody listens any more", || TcpStream::connect(&address).is_err());
}

#[test]
fn datagrams_find_their_way_back() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "echo", "-p", "127.0.0.1::53/udp", "alpine", "sleep", "1000"]);
    let pid = field(&docker, "echo", "{{.State.Pid}}");
    // None of the image's programs answers datagrams, so a thread of this test does, inside.
    std::thread::spawn(move || {
        let namespace = fs::File::open(format!("/proc/{pid}/ns/net")).expect("it runs");
        nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).expect("root may");
        let socket = UdpSocket::bind("0.0.0.0:53").expect("a port inside");
        let mut datagram = [0; 16];
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            socket.send_to(&datagram[..length], from).expect("it has a way back");
        }
    });
    let shown = docker.ok(&["port", "echo"]);
    let address = shown.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(std::time::Duration::from_millis(100))).expect("a socket");
    let deadline = Instant::now() + PATIENCE;
    let mut answer = [0; 16];
    // A datagram sent before the thread listens is lost, as datagrams are.
    while socket.send_to(b"ping", &address).is_err() || socket.recv(&mut answer).is_err() {
        assert!(Instant::now() < deadline, "no answer from {address}");
    }
    assert_eq!(&answer[..4], b"ping");
}

#[test]
fn a_taken_port_is_refused_before_anything_starts() {
    let Some(docker) = Docker::new() else { return };
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let number = other.local_addr().expect("bound").port();
    let publish = format!("127.0.0.1:{number}:80");
    let refused = docker.run(&["run", "--name", "one", "-p", &publish, "alpine", "true"]);
    assert_eq!(refused.status.code(), Some(125), "{}", said(&refused));
    let text = stderr(&refused);
    assert!(text.contains("driver failed programming external connectivity on endpoint one ("), "{text}");
    let listen = format!(
        "Error starting userland proxy: listen tcp4 127.0.0.1:{number}: bind: address already in use"
    );
    assert!(text.contains(&listen), "{text}");
    drop(other);
    docker.ok(&["rm", "one"]);
    docker.ok(&["run", "-d", "--name", "two", "-p", &publish, "alpine", "sleep", "1000"]);
    let refused = docker.run(&["run", "--name", "three", "-p", &publish, "alpine", "true"]);
    let taken = format!("Bind for 127.0.0.1:{number} failed: port is already allocated");
    assert!(stderr(&refused).contains(&taken), "{}", said(&refused));
    assert_eq!(field(&docker, "three", "{{.State.Status}}"), "created");
}

#[test]
fn containers_of_a_network_find_each_other_by_name() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["network", "create", "front"]);
    docker.ok(&["network", "create", "back"]);
    let run = ["run", "-d", "--name", "web", "--network", "front", "--network-alias", "www", "alpine"];
    docker.ok(&[&run[..], &SERVER].concat());
    let ask = |network: &str, name: &str| {
        let url = format!("http://{name}/index.html");
        docker.run(&[
            "run",
            "--rm",
            "--network",
            network,
            "alpine",
            "wget",
            "-q",
            "-T",
            "20",
            "-O",
            "-",
            &url,
        ])
    };
    eventually("the program listens", || ask("front", "web").status.success());
    let short = field(&docker, "web", "{{.Id}}")[..12].to_owned();
    for name in ["web", "www", "web.front", short.as_str()] {
        let answer = ask("front", name);
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "served\n", "{name}: {}", said(&answer));
    }
    assert!(!ask("back", "web").status.success(), "another network does not know it");
    docker.ok(&["network", "connect", "back", "web"]);
    assert!(ask("back", "web").status.success());
    docker.ok(&["network", "disconnect", "back", "web"]);
    assert!(!ask("back", "web").status.success());
    let in_use = docker.run(&["network", "rm", "front"]);
    assert!(stderr(&in_use).contains("error while removing network: network front id "), "{}", said(&in_use));
    docker.ok(&["rm", "-f", "web"]);
    assert_eq!(docker.ok(&["network", "rm", "front"]), "front\n");
    assert_eq!(docker.ok(&["network", "prune", "-f"]), "Deleted Networks:\nback\n\n");
}

#[test]
fn a_network_is_as_it_was_asked_for() {
    let Some(docker) = Docker::new() else { return };
    let create =
        ["network", "create", "--subnet", "10.77.0.0/24", "--gateway", "10.77.0.9", "--label", "a=b"];
    docker.ok(&[&create[..], &["own"]].concat());
    let shown = |template: &str| docker.ok(&["network", "inspect", "-f", template, "own"]).trim().to_owned();
    assert_eq!(
        shown("{{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}}"),
        "10.77.0.0/24 10.77.0.9"
    );
    assert_eq!(shown("{{.Labels.a}} {{.Driver}} {{.Scope}} {{.Internal}}"), "b bridge local false");
    let run = [
        "run",
        "--rm",
        "--network",
        "own",
        "--ip",
        "10.77.0.50",
        "alpine",
        "ip",
        "-o",
        "addr",
        "show",
        "eth0",
    ];
    assert!(docker.ok(&run).contains("inet 10.77.0.50/24"));
    let again = docker.run(&["network", "create", "own"]);
    assert!(stderr(&again).contains("network with name own already exists"), "{}", said(&again));
    let overlap = docker.run(&["network", "create", "--subnet", "10.77.0.0/25", "other"]);
    let text = "Pool overlaps with other one on this address space";
    assert!(stderr(&overlap).contains(text), "{}", said(&overlap));
    let predefined = docker.run(&["network", "rm", "bridge"]);
    let text = "bridge is a pre-defined network and cannot be removed";
    assert!(stderr(&predefined).contains(text), "{}", said(&predefined));
    let names = docker.ok(&["network", "ls", "--format", "{{.Name}} {{.Driver}}"]);
    assert_eq!(names, "bridge bridge\nhost host\nnone null\nown bridge\n");
    docker.ok(&["network", "rm", "own"]);
}

#[test]
fn networks_come_back_with_the_daemon() {
    let Some(mut docker) = Docker::new() else { return };
    docker.ok(&["network", "create", "kept"]);
    docker.ok(&[&["run", "-d", "--name", "web", "--network", "kept", "alpine"][..], &SERVER].concat());
    docker.live.kill();
    docker.live.start();
    let ask = ["run", "--rm", "--network", "kept", "alpine", "wget", "-q", "-O", "-"];
    let ask = [&ask[..], &["http://web/index.html"]].concat();
    eventually("the name is known", || docker.run(&ask).status.success());
    docker.ok(&["rm", "-f", "web"]);
    docker.ok(&["network", "rm", "kept"]);
}

#[test]
fn nothing_is_left_of_many_containers() {
    let Some(docker) = Docker::new() else { return };
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", docker.live.pid())).expect("procfs").count();
    let cycle = || docker.ok(&["run", "--rm", "-p", "127.0.0.1::80", "alpine", "true"]);
    cycle();
    let before = descriptors();
    for _ in 0..12 {
        cycle();
    }
    eventually("every namespace is gone, and its interfaces", || descriptors() <= before + 2);
    let bridge = field_of_bridge(&docker);
    eventually("the bridge goes with the last container", || !interfaces().contains(&bridge));
}

/// The interface of the default network's bridge.
fn field_of_bridge(docker: &Docker) -> String {
    let template = "{{index .Options \"com.docker.network.bridge.name\"}}";
    docker.ok(&["network", "inspect", "-f", template, "bridge"]).trim().to_owned()
}
