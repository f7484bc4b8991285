//! Debian's `docker-registry` on loopback, on a port the kernel picks.

use super::{Server, find};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What it logs when clients may connect; the address follows.
const READY: &str = "listening on ";

/// A running registry. Dropping it stops it and removes its files.
#[derive(Debug)]
pub struct DockerRegistry {
    // In the order they go.
    _server: Server,
    _directory: TempDir,
    data: PathBuf,
    address: String,
}

impl DockerRegistry {
    /// What this machine lacks to run one; `None` when it can.
    pub fn missing() -> Option<&'static str> {
        ["docker-registry", "setpriv"].into_iter().find(|program| find(program).is_none())
    }

    /// Starts an empty registry without authentication and waits until it listens.
    ///
    /// # Errors
    /// With the end of its log when it gave up.
    pub fn start() -> io::Result<DockerRegistry> {
        let directory = DockerRegistry::directory()?;
        let data = directory.path().join("data");
        DockerRegistry::serve(directory, data)
    }

    /// One more registry on the images of another ([`DockerRegistry::data`]), in the caller's
    /// network.
    ///
    /// # Errors
    /// With the end of its log when it gave up.
    pub fn on(data: &Path) -> io::Result<DockerRegistry> {
        DockerRegistry::serve(DockerRegistry::directory()?, data.to_owned())
    }

    /// Where its images are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn directory() -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("learn-registry.").tempdir()
    }

    fn serve(directory: TempDir, data: PathBuf) -> io::Result<DockerRegistry> {
        let settings = directory.path().join("config.yml");
        fs::write(&settings, configuration(&data.display().to_string()))?;
        let arguments = ["serve".to_owned(), settings.display().to_string()];
        let server = Server::start("docker-registry", &arguments, READY)?;
        let (_, rest) = server.ready_line().split_once(READY).unwrap_or_default();
        let address = rest.split(['"', ',']).next().unwrap_or_default().to_owned();
        Ok(DockerRegistry { _server: server, _directory: directory, data, address })
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Stores a blob of `size` bytes under its digest (`sha256:<hex>`).
    ///
    /// # Errors
    /// The registry's refusal.
    pub fn push_blob(
        &self,
        repository: &str,
        digest: &str,
        size: u64,
        bytes: &mut dyn Read,
    ) -> io::Result<()> {
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.send("POST", &uploads, None, 0, &mut io::empty())?;
        let upload =
            begun.location.ok_or_else(|| io::Error::other(format!("POST {uploads}: no location")))?;
        let separator = if upload.contains('?') { '&' } else { '?' };
        let path = upload.trim_start_matches(&format!("http://{}", self.address));
        let target = format!("{path}{separator}digest={digest}");
        self.send("PUT", &target, Some("application/octet-stream"), size, bytes).map(drop)
    }

    /// Stores a manifest under a tag.
    ///
    /// # Errors
    /// The registry's refusal.
    pub fn push_manifest(&self, repository: &str, tag: &str, media_type: &str, json: &str) -> io::Result<()> {
        let target = format!("/v2/{repository}/manifests/{tag}");
        self.send("PUT", &target, Some(media_type), json.len() as u64, &mut json.as_bytes()).map(drop)
    }

    /// One request on a connection of its own.
    fn send(
        &self,
        method: &str,
        target: &str,
        media_type: Option<&str>,
        size: u64,
        body: &mut dyn Read,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {size}\r\n", self.address)?;
        if let Some(media_type) = media_type {
            write!(stream, "Content-Type: {media_type}\r\n")?;
        }
        write!(stream, "Connection: close\r\n\r\n")?;
        io::copy(body, &mut stream)?;
        let answer = Answer::read(BufReader::new(stream))?;
        match answer.status {
            200..300 => Ok(answer),
            status => Err(io::Error::other(format!("{method} {target}: {status}"))),
        }
    }
}

/// The head of the registry's answer.
struct Answer {
    status: u16,
    /// Where to go on, as a whole URL.
    location: Option<String>,
}

impl Answer {
    fn read(mut stream: impl BufRead) -> io::Result<Answer> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status in {line:?}")))?;
        let mut location = None;
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
                return Ok(Answer { status, location });
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("location")
            {
                location = Some(value.trim().to_owned());
            }
        }
    }
}

fn configuration(data: &str) -> String {
    format!(
        "version: 0.1
log: {{ formatter: json, accesslog: {{ disabled: true }} }}
storage: {{ filesystem: {{ rootdirectory: {data} }}, delete: {{ enabled: true }} }}
http: {{ addr: \"127.0.0.1:0\" }}
"
    )
}
