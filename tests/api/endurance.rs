//! A hundred containers, fifty clients of one, a gigabyte of log, a client that does not read: the
//! daemon answers everybody and does not grow.

use super::live::{Live, attach, eventually, frame, privileged};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn with_alpine() -> Live {
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live
}

/// One request on a connection of its own: its status and its body.
fn ask(live: &Live, line: &str, body: &str) -> (u16, String) {
    let mut connection = begin(live, line, body);
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    let status = answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{answer}"));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

fn begin(live: &Live, line: &str, body: &str) -> UnixStream {
    let mut connection = UnixStream::connect(live.socket()).expect("the daemon answers");
    connection.set_read_timeout(Some(Duration::from_secs(120))).expect("a socket");
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: learn\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    connection.write_all(head.as_bytes()).expect("sent");
    connection
}

/// All at once, each from a thread of its own.
fn together<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    })
}

/// A figure of the daemon's memory in kilobytes: proc(5).
fn memory(live: &Live, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", live.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(what)).expect("a figure");
    line.split_whitespace().nth(1).and_then(|figure| figure.parse().ok()).expect("a number")
}

/// Forgets the highest figure so far.
fn forget_peak(live: &Live) {
    std::fs::write(format!("/proc/{}/clear_refs", live.pid()), "5").expect("our own child");
}

#[test]
fn a_hundred_containers_run_side_by_side_and_go() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    let body = r#"{"Image":"alpine","Cmd":["sleep","1000"],"HostConfig":{"NetworkMode":"none"}}"#;
    let made =
        together(100, |number| ask(&live, &format!("POST /containers/create?name=one-{number}"), body));
    assert!(made.iter().all(|(status, _)| *status == 201), "{made:?}");
    let each = |verb: &str, wanted: u16| {
        let answers = together(100, |number| ask(&live, &verb.replace('#', &format!("one-{number}")), ""));
        let other: Vec<_> = answers.iter().filter(|(status, _)| *status != wanted).collect();
        assert!(other.is_empty(), "{verb}: {other:?}");
    };
    each("POST /containers/#/start", 204);
    let running = || live.ok(&["ps", "-q"]).lines().count();
    assert_eq!(running(), 100);
    each("POST /containers/#/pause", 204);
    each("POST /containers/#/unpause", 204);
    each("POST /containers/#/stop?t=0", 204);
    assert_eq!(running(), 0);
    each("POST /containers/#/start", 204);
    each("DELETE /containers/#?force=1", 204);
    live.until_shims_end();
    assert!(live.leftovers().is_empty(), "{:?}", live.leftovers());
    assert!(live.container_ids().is_empty());
}

#[test]
fn fifty_attached_clients_all_see_the_whole_output() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    live.ok(&["run", "-d", "-i", "--name", "many", "alpine", "sh", "-c", "read go; seq 1 2000"]);
    let mut watchers: Vec<_> = (0..50).map(|_| attach(&live, "many", "stream=1&stdout=1&stderr=1")).collect();
    let mut input = attach(&live, "many", "stream=1&stdin=1");
    input.write_all(b"go\n").expect("sent");
    let wanted: String = (1..=2000).map(|number| format!("{number}\n")).collect();
    for watcher in &mut watchers {
        watcher.set_read_timeout(Some(Duration::from_secs(120))).expect("a socket");
        let seen: Vec<u8> = std::iter::from_fn(|| frame(watcher)).flat_map(|(_, bytes)| bytes).collect();
        assert!(seen == wanted.as_bytes(), "{} bytes of {}", seen.len(), wanted.len());
    }
}

/// A container that never ran, with a log somebody else wrote: `lines` of 16 kB after a hole.
fn with_log(live: &Live, hole: u64, lines: usize) -> String {
    let (status, body) = ask(live, "POST /containers/create?name=told", r#"{"Image":"alpine"}"#);
    assert_eq!(status, 201, "{body}");
    let id = live.container_ids().remove(0);
    let path = live.root().join("containers").join(&id).join(format!("{id}-json.log"));
    let mut log = std::io::BufWriter::new(std::fs::File::create(path).expect("a log"));
    log.get_ref().set_len(hole).expect("a hole");
    log.seek(SeekFrom::Start(hole)).expect("its end");
    let text = "x".repeat(16_000);
    for number in 0..lines {
        writeln!(
            log,
            "{}{{\"log\":\"{number} {text}\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}}",
            // A hole reads as zeros without an end of line.
            if number == 0 && hole > 0 { "\n" } else { "" }
        )
        .expect("written");
    }
    log.flush().expect("written");
    id
}

#[test]
fn the_last_lines_of_a_gigabyte_are_found_from_its_end() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    with_log(&live, 1 << 30, 3);
    forget_peak(&live);
    let before = memory(&live, "VmRSS");
    let tail = live.ok(&["logs", "--tail", "2", "told"]);
    let numbers: Vec<&str> = tail.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(numbers, ["1", "2"]);
    let peak = memory(&live, "VmHWM");
    assert!(peak < before + 64_000, "{before} kB before, {peak} kB at the most");
}

#[test]
fn a_long_log_is_read_without_being_held() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    // 128 MB: twice what the daemon may grow by.
    with_log(&live, 0, 8_000);
    forget_peak(&live);
    let before = memory(&live, "VmRSS");
    let mut answer = begin(&live, "GET /containers/told/logs?stdout=1", "");
    let read = std::io::copy(&mut answer, &mut std::io::sink()).expect("all of it");
    assert!(read > 128_000_000, "{read} bytes");
    let peak = memory(&live, "VmHWM");
    assert!(peak < before + 64_000, "{before} kB before, {peak} kB at the most");
}

#[test]
fn a_client_that_does_not_read_its_log_costs_next_to_nothing() {
    if !privileged() {
        return;
    }
    let live = with_alpine();
    with_log(&live, 0, 8_000);
    forget_peak(&live);
    let before = memory(&live, "VmRSS");
    let mut deaf = Vec::new();
    for _ in 0..5 {
        let mut connection = begin(&live, "GET /containers/told/logs?stdout=1&follow=1", "");
        let mut head = [0; 12];
        connection.read_exact(&mut head).expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200");
        deaf.push(connection);
    }
    // Somebody who reads gets everything meanwhile.
    let mut answer = begin(&live, "GET /containers/told/logs?stdout=1", "");
    let read = std::io::copy(&mut answer, &mut std::io::sink()).expect("all of it");
    assert!(read > 128_000_000, "{read} bytes");
    let peak = memory(&live, "VmHWM");
    assert!(peak < before + 64_000, "{before} kB before, {peak} kB at the most");
    drop(deaf);
    eventually("it is removed", || ask(&live, "DELETE /containers/told", "").0 == 204);
}
