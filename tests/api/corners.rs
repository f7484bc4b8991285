//! What a client meets that asks wrongly, oddly, or for what there is not.

use super::live::{Live, PATIENCE, privileged};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// An answer in parts; header names in lower case.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The message of Docker's error JSON.
    fn message(&self) -> String {
        let body: serde_json::Value =
            serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body));
        body["message"].as_str().unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }
}

/// Sends bytes as they are, on a connection of their own, and reads the answer to its end.
fn send(live: &Live, bytes: &[u8]) -> Answer {
    let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // A daemon that refuses a body before its end may close the connection on the rest.
    let _ = connection.write_all(bytes);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: body.to_owned(),
    }
}

/// A request with these headers (each with its line end) and this body.
fn ask(live: &Live, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n{headers}{length}\r\n");
    send(live, format!("{head}{body}").as_bytes())
}

const JSON: &str = "Content-Type: application/json\r\n";

/// Asks and compares status and message.
fn refused(live: &Live, method: &str, target: &str, headers: &str, body: &str, status: u16, message: &str) {
    let answer = ask(live, method, target, headers, body);
    let got = (answer.status, answer.message());
    assert_eq!(got, (status, message.to_owned()), "{method} {target} {headers}{body}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{method} {target}");
}

#[test]
fn what_is_not_there_is_not_found() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    for (method, target) in [
        ("GET", "/nonsense"),
        ("POST", "/v1.41/nonsense"),
        ("POST", "/containers/json"),
        ("PATCH", "/containers/json"),
        ("DELETE", "/version"),
        ("GET", "/version/"),
        ("GET", "/vx.y/version"),
    ] {
        refused(&live, method, target, "", "", 404, "page not found");
    }
}

#[test]
fn versions_out_of_range_are_named() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let new = "client version 1.99 is too new. Maximum supported API version is 1.47";
    refused(&live, "GET", "/v1.99/version", "", "", 400, new);
    for version in ["1.11", "1"] {
        let old = format!(
            "client version {version} is too old. Minimum supported API version is 1.41, please upgrade your client \
             to a newer version"
        );
        refused(&live, "GET", &format!("/v{version}/version"), "", "", 400, &old);
    }
}

#[test]
fn a_body_that_is_no_json_or_is_not_called_so_is_refused() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let create = "/containers/create";
    let eof = "invalid JSON: got EOF while reading request body";
    refused(&live, "POST", create, JSON, "", 400, eof);
    for body in ["{", "{\"Image\": nope}", "{\"Image\": 3}", "[]", "{\"HostConfig\": {\"Memory\": \"much\"}}"]
    {
        let answer = ask(&live, "POST", create, JSON, body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.message().starts_with("invalid JSON: "), "{body}: {}", answer.body);
    }
    for named in ["text/plain", "application/x-www-form-urlencoded"] {
        let message = format!("unsupported Content-Type header ({named}): must be 'application/json'");
        refused(&live, "POST", create, &format!("Content-Type: {named}\r\n"), "{}", 400, &message);
    }
    let nameless = "malformed Content-Type header (): mime: no media type";
    refused(&live, "POST", create, "", "{}", 400, nameless);
    let charset = "Content-Type: application/json; charset=utf-8\r\n";
    refused(&live, "POST", create, charset, "{\"Image\": \"x\"}", 404, "No such image: x:latest");
}

#[test]
fn a_body_in_chunks_is_one_body() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let head =
        "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
    let chunks = "6\r\n{\"Imag\r\na\r\ne\": \"x:y\"}\r\n0\r\n\r\n";
    let answer = send(&live, format!("{head}{JSON}\r\n{chunks}").as_bytes());
    assert_eq!((answer.status, answer.message().as_str()), (404, "No such image: x:y"));
}

#[test]
fn a_body_without_end_is_not_taken() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let body = format!("{{\"Image\": \"{}\"}}", "x".repeat(3 << 20));
    refused(&live, "POST", "/containers/create", JSON, &body, 413, "http: request body too large");
}

#[test]
fn filters_come_in_both_forms_and_are_checked() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    for filters in
        ["%7B%22status%22%3A%7B%22running%22%3Atrue%7D%7D", "%7B%22status%22%3A%5B%22running%22%5D%7D"]
    {
        let answer = ask(&live, "GET", &format!("/containers/json?filters={filters}"), "", "");
        assert_eq!((answer.status, answer.body.trim()), (200, "[]"), "{filters}");
    }
    let unknown = "%7B%22nosuch%22%3A%5B%22x%22%5D%7D";
    for list in ["/containers/json", "/images/json"] {
        refused(&live, "GET", &format!("{list}?filters={unknown}"), "", "", 400, "Invalid filter 'nosuch'");
    }
    let answer = ask(&live, "GET", "/containers/json?filters=nope", "", "");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let number = "strconv.Atoi: parsing \"x\": invalid syntax";
    refused(&live, "GET", "/containers/json?limit=x", "", "", 400, number);
    refused(&live, "GET", "/events?since=x", "", "", 400, "strconv.ParseInt: parsing \"x\": invalid syntax");
}

#[test]
fn head_and_options_are_answered_as_docker_does() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let ping = ask(&live, "HEAD", "/_ping", "", "");
    assert_eq!((ping.status, ping.body.as_str()), (200, ""));
    for (name, value) in [
        ("api-version", "1.47"),
        ("docker-experimental", "false"),
        ("ostype", "linux"),
        ("pragma", "no-cache"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
    ] {
        assert_eq!(ping.header(name), Some(value), "{name}");
    }
    assert_eq!(ask(&live, "HEAD", "/version", "", "").status, 404);
    let options = ask(&live, "OPTIONS", "/version", "", "");
    assert_eq!(
        (options.status, options.body.as_str(), options.header("api-version")),
        (200, "", Some("1.47"))
    );
}

#[test]
fn an_engine_that_is_no_swarm_manager_says_so() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let message = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect \
                   this node to swarm and try again.";
    for target in [
        "/swarm",
        "/nodes",
        "/services",
        "/tasks",
        "/secrets",
        "/configs",
        "/nodes/x",
        "/services/x/logs",
        "/swarm/unlockkey",
    ] {
        refused(&live, "GET", target, "", "", 503, message);
    }
    for target in ["/services/create", "/secrets/create", "/configs/create"] {
        refused(&live, "POST", target, JSON, "{}", 503, message);
    }
    refused(&live, "POST", "/swarm/leave", "", "", 503, "This node is not part of a swarm");
    assert_eq!(ask(&live, "POST", "/swarm/init", JSON, "{}").status, 501);
}

#[test]
fn an_engine_without_plugins_has_an_empty_list() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    let list = ask(&live, "GET", "/plugins", "", "");
    assert_eq!((list.status, list.body.trim()), (200, "[]"));
    for (method, target) in
        [("GET", "/plugins/x/json"), ("POST", "/plugins/x/enable"), ("DELETE", "/plugins/x")]
    {
        refused(&live, method, target, "", "", 404, "plugin \"x\" not found");
    }
}

#[test]
fn streams_are_named_by_terminal_and_version() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live.ok(&["create", "--name", "plain", "alpine", "true"]);
    live.ok(&["start", "plain"]);
    live.ok(&["wait", "plain"]);
    let named = |target: &str| {
        let answer = ask(&live, "GET", target, "", "");
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
        answer.header("content-type").expect("a type").to_owned()
    };
    let multiplexed = "application/vnd.docker.multiplexed-stream";
    assert_eq!(named("/v1.47/containers/plain/logs?stdout=1"), multiplexed);
    assert_eq!(named("/containers/plain/logs?stdout=1"), multiplexed);
    assert_eq!(named("/v1.41/containers/plain/logs?stdout=1"), "application/vnd.docker.raw-stream");
    let attach = |upgrade: &str| ask(&live, "POST", "/containers/plain/attach?logs=1&stdout=1", upgrade, "");
    assert_eq!(attach("").status, 200, "a client that does not upgrade gets the stream as a body");
}

#[test]
fn every_way_to_ask_for_an_upgrade_is_one() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    let variants = [
        "Connection: Upgrade\r\nUpgrade: tcp\r\n",
        "connection: upgrade\r\nupgrade: TCP\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: tcp\r\n",
    ];
    for (number, upgrade) in variants.into_iter().enumerate() {
        let name = format!("c{number}");
        live.ok(&["create", "--name", &name, "alpine", "echo", "hi"]);
        let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
        connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let target = format!("/containers/{name}/attach?stream=1&stdout=1");
        write!(connection, "POST {target} HTTP/1.1\r\nHost: d\r\n{upgrade}\r\n").expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{upgrade}: {head}");
        assert!(head.contains("connection: upgrade") && head.contains("upgrade: tcp"), "{head}");
        live.ok(&["start", &name]);
        let mut frames = Vec::new();
        connection.read_to_end(&mut frames).expect("the stream's end");
        assert_eq!(frames, b"\x01\0\0\0\0\0\0\x03hi\n", "{upgrade}");
    }
}
