//! A recording proxy between a client and the daemon: which requests, in which order, answered how.

use super::live::{Live, eventually};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

/// A request and the status it was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    connection: usize,
    line: String,
    status: Option<String>,
}

type Seen = Arc<Mutex<Vec<Exchange>>>;

pub struct Proxy {
    socket: PathBuf,
    seen: Seen,
}

impl Proxy {
    /// Listens beside the daemon's socket; its threads end with the test.
    pub fn before(live: &Live) -> Proxy {
        let socket = live.run_dir().join("proxy.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let seen = Seen::default();
        let (daemon, record) = (live.socket(), seen.clone());
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.expect("a client");
                let server = UnixStream::connect(&daemon).expect("the daemon answers");
                let (up, down) = (record.clone(), record.clone());
                let (to, from) = (server.try_clone().expect("a copy"), client.try_clone().expect("a copy"));
                thread::spawn(move || carry(client, to, |line| request(&up, number, line)));
                thread::spawn(move || carry(server, from, |line| answer(&down, number, line)));
            }
        });
        Proxy { socket, seen }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// `METHOD path?query status`, in the order the requests were made; ids read `{id}` and the
    /// version is left out. Forgets what it gives.
    pub fn take(&self) -> Vec<String> {
        eventually("every request is answered", || {
            self.seen.lock().unwrap().iter().all(|exchange| exchange.status.is_some())
        });
        let exchanges = std::mem::take(&mut *self.seen.lock().unwrap());
        exchanges.into_iter().map(|made| format!("{} {}", plain(&made.line), made.status.unwrap())).collect()
    }
}

/// `POST /v1.47/containers/0123…/start` → `POST /containers/{id}/start`.
fn plain(line: &str) -> String {
    let (method, target) = line.split_once(' ').expect("a request line");
    let parts: Vec<&str> = target.split('/').collect();
    let parts = parts.into_iter().filter(|part| !part.starts_with("v1.")).map(|part| {
        let is_id = part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id { "{id}" } else { part }
    });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

fn request(seen: &Seen, connection: usize, line: &str) {
    // A body without a line end stands before the next request on its line.
    let mut words = line.rsplit(' ');
    let (Some("HTTP/1.1"), Some(target), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return;
    };
    let methods = ["HEAD", "GET", "POST", "PUT", "DELETE"];
    if let Some(method) = methods.into_iter().find(|method| rest.ends_with(method)) {
        let line = format!("{method} {target}");
        seen.lock().unwrap().push(Exchange { connection, line, status: None });
    }
}

fn answer(seen: &Seen, connection: usize, line: &str) {
    let Some((_, status)) = line.rsplit_once("HTTP/1.1 ") else { return };
    let mut seen = seen.lock().unwrap();
    let open = seen.iter_mut().find(|made| made.connection == connection && made.status.is_none());
    if let Some(exchange) = open {
        exchange.status = Some(status[..3].to_owned());
    }
}

/// Copies bytes until the end, and shows each line to `look` before it is passed on.
fn carry(mut from: UnixStream, mut to: UnixStream, look: impl Fn(&str)) {
    let mut buffer = [0; 16 * 1024];
    let mut line = Vec::new();
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for byte in &buffer[..count] {
            match byte {
                b'\n' => look(String::from_utf8_lossy(&std::mem::take(&mut line)).trim_end()),
                byte => line.push(*byte),
            }
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
