//! Debian's `docker-registry` on a free loopback port, in a directory of its own.

use super::image::{Document, TestImage};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = "/usr/bin/docker-registry";

pub struct DebianRegistry {
    process: Child,
    pub host: String,
    client: reqwest::Client,
    _directory: tempfile::TempDir,
}

impl DebianRegistry {
    /// Starts it, and returns when it says that it listens.
    pub fn start() -> DebianRegistry {
        assert!(
            std::path::Path::new(PROGRAM).exists(),
            "this test needs {PROGRAM}: install it with `apt-get install docker-registry`"
        );
        let directory = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let host = format!("127.0.0.1:{port}");
        let config = directory.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n",
            directory.path().join("data").display()
        );
        std::fs::write(&config, text).expect("a config file");
        let mut process = Command::new(PROGRAM)
            .arg("serve")
            .arg(&config)
            .env_remove("OTEL_TRACES_EXPORTER")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts");
        let stderr = process.stderr.take().expect("piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut log = String::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("docker-registry ended: {log}")).expect("utf-8");
            if line.contains("listening on") {
                break;
            }
            log.push_str(&line);
        }
        // Its log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        // The client under test brings its own; this one is only the pusher.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        DebianRegistry { process, host, client, _directory: directory }
    }

    /// Pushes an image through the distribution API.
    pub async fn push(&self, repository: &str, tag: &str, image: &TestImage) {
        for (digest, bytes) in &image.blobs {
            let url = format!("http://{}/v2/{repository}/blobs/uploads/", self.host);
            let begun = self.client.post(url).send().await.expect("an answer");
            let place = begun.headers()["location"].to_str().expect("ascii").to_owned();
            let mark = if place.contains('?') { '&' } else { '?' };
            let url = format!("{place}{mark}digest={digest}");
            let done = self.client.put(url).body(bytes.clone()).send().await.expect("an answer");
            assert_eq!(done.status(), 201, "push of {digest}");
        }
        self.push_document(repository, tag, &image.manifest).await;
    }

    pub async fn push_document(&self, repository: &str, tag: &str, document: &Document) {
        let url = format!("http://{}/v2/{repository}/manifests/{tag}", self.host);
        let request = self.client.put(url).header("content-type", &document.media_type);
        let done = request.body(document.bytes.clone()).send().await.expect("an answer");
        assert_eq!(done.status(), 201, "push of {repository}:{tag}");
    }
}

impl Drop for DebianRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
