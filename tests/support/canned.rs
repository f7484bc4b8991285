//! An engine that knows only what a file says: the same answers for every client.

use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;

/// A request: its method and target, and its body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub body: Vec<u8>,
}

/// `METHOD /path` → document.
type Answers = Map<String, Value>;

pub struct Canned {
    directory: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Canned {
    /// Answers from a JSON object: `"GET /containers/json": […]`. Its threads end with the test.
    pub fn from(answers: &str) -> Canned {
        let answers: Arc<Answers> = Arc::new(serde_json::from_str(answers).expect("a JSON object"));
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("engine.sock")).expect("a socket");
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (answers, seen) = (answers.clone(), seen.clone());
                let client = client.expect("a client");
                thread::spawn(move || serve(client, &answers, &seen));
            }
        });
        Canned { directory, asked }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.directory.path().join("engine.sock").display())
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// The requests so far but for the ping, which are forgotten.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Requests of one connection, one after another, until the client leaves.
fn serve(client: UnixStream, answers: &Answers, seen: &Mutex<Vec<Asked>>) {
    let mut output = client.try_clone().expect("a copy");
    let mut input = BufReader::new(client);
    while let Some((line, body)) = request(&mut input) {
        let (method, target) = line.split_once(' ').expect("a request line");
        let path = target.split('?').next().unwrap_or(target);
        let path = match path.strip_prefix("/v1.") {
            Some(rest) => &rest[rest.find('/').unwrap_or(0)..],
            None => path,
        };
        let found = answers.get(&format!("{method} {path}"));
        let (status, document) = match (path, found) {
            ("/_ping", _) => (200, "OK".to_owned()),
            (_, Some(document)) => (if path.ends_with("/create") { 201 } else { 200 }, document.to_string()),
            (_, None) => (404, r#"{"message":"nothing here"}"#.to_owned()),
        };
        if path != "/_ping" {
            seen.lock().unwrap().push(Asked { line: format!("{method} {target}"), body });
        }
        let head = format!(
            "HTTP/1.1 {status} X\r\nApi-Version: 1.41\r\nOstype: linux\r\nServer: Docker/20.10.24 (linux)\r\n\
             Docker-Experimental: false\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            document.len()
        );
        let body = if method == "HEAD" { "" } else { document.as_str() };
        if output.write_all(head.as_bytes()).and_then(|()| output.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

/// `METHOD target` and the body; `None` at the end.
fn request(input: &mut BufReader<UnixStream>) -> Option<(String, Vec<u8>)> {
    let first = line(input).filter(|line| !line.is_empty())?;
    let (mut length, mut chunked) = (0, false);
    while let Some(header) = line(input).filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "transfer-encoding" => chunked = true,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    while chunked {
        let size = usize::from_str_radix(&line(input)?, 16).ok()?;
        let mut chunk = vec![0; size];
        input.read_exact(&mut chunk).ok()?;
        body.extend(chunk);
        line(input)?;
        chunked = size > 0;
    }
    Some((first.rsplit_once(' ')?.0.to_owned(), body))
}

fn line(input: &mut BufReader<UnixStream>) -> Option<String> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|count| *count > 0)?;
    Some(line.trim_end().to_owned())
}
