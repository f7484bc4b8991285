//! Debian's `docker-registry`, and pushing into it.

#[path = "../peer/mod.rs"]
mod peer;

use super::image::{Document, TestImage};
use peer::DockerRegistry;

pub struct DebianRegistry {
    pub host: String,
    client: reqwest::Client,
    _registry: DockerRegistry,
}

impl DebianRegistry {
    /// Starts it, and returns when it says that it listens.
    pub fn start() -> DebianRegistry {
        if let Some(lack) = DockerRegistry::missing() {
            panic!("this test needs {lack}: tests/setup.sh installs it");
        }
        let registry = DockerRegistry::start().expect("docker-registry starts");
        // The client under test brings its own; this one is only the pusher.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        DebianRegistry { host: registry.address().to_owned(), client, _registry: registry }
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
