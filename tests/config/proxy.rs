//! Proxies named in the environment reach the daemon that is started by itself.

use crate::place::{Place, seen};
use crate::registry;
use crate::support::player::Manners;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A forward proxy: plain requests go to one server whatever their host, tunnels are refused.
struct Proxy {
    address: String,
    /// First lines of the requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(server: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let (asked, server) = (Arc::<Mutex<Vec<String>>>::default(), server.to_owned());
        let lines = asked.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (lines, server) = (lines.clone(), server.clone());
                std::thread::spawn(move || answer(client, &server, &lines));
            }
        });
        Proxy { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection.
fn answer(mut client: TcpStream, server: &str, lines: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut reader = BufReader::new(client.try_clone().expect("a second handle"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head.push(line);
    }
    let Some(first) = head.first().map(|line| line.trim_end().to_owned()) else { return };
    lines.lock().unwrap().push(first.clone());
    let Some((method, rest)) = first.split_once(" http://") else {
        client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").expect("an answer");
        return;
    };
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let kept = head[1..].iter().filter(|line| !line.to_ascii_lowercase().starts_with("connection"));
    let head: String = kept.map(String::as_str).collect();
    let mut server = TcpStream::connect(server).expect("the server");
    write!(server, "{method} {path}\r\n{head}Connection: close\r\n\r\n").expect("the request");
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).expect("the reply");
    // A client that has enough may have left.
    let _ = client.write_all(&reply);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_registry_is_reached_through_http_proxy() {
    let (place, player) = (Place::new(), registry(Manners::Open).await);
    let proxy = Proxy::start(player.host());
    let mut pull = place.command(&["pull", "--hub", "http://registry.example", "hello"]);
    let pulled = seen(pull.env("HTTP_PROXY", &proxy.address).output().expect("learn")).ok();
    assert!(pulled.contains("Downloaded newer image for hello:latest"), "{pulled}");
    let asked = proxy.asked();
    assert!(asked.contains(&"GET http://registry.example/v2/ HTTP/1.1".to_owned()), "{asked:?}");
    let info = place.learn(&["info"]).ok();
    assert!(info.contains(&format!("HTTP Proxy: {}", proxy.address)), "{info}");
}

#[test]
fn a_docker_hub_out_of_reach_is_not_asked_again_within_the_minute() {
    let place = Place::new();
    let proxy = Proxy::start("127.0.0.1:1");
    let mut pull = place.command(&["pull", "hello-world"]);
    let pulled = seen(pull.env("HTTPS_PROXY", &proxy.address).output().expect("learn")).ok();
    assert!(pulled.contains("Docker Hub does not answer"), "{pulled}");
    let again = place.learn(&["pull", "alpine"]).ok();
    assert!(again.contains("Docker Hub does not answer"), "{again}");
    assert_eq!(proxy.asked(), ["CONNECT registry-1.docker.io:443 HTTP/1.1"]);
}
