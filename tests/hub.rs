//! The built-in hub, asked over real HTTP by a client that checks everything it gets.

#[path = "hub/alpine.rs"]
mod alpine;
#[path = "hub/answers.rs"]
mod answers;
#[path = "hub/elf.rs"]
mod elf;

use std::fs::Permissions;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use learn::hub::elf::Elf;
use learn::hub::{Catalog, Hub, hello, image, serve};
use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};
use sha2::{Digest, Sha256};

/// An image as a client has it after a pull, with every digest and size checked.
struct Pulled {
    config: ImageConfiguration,
    /// The layer after gunzip.
    tar: Vec<u8>,
}

async fn start(catalog: Catalog) -> Hub {
    serve(Arc::new(catalog)).await.unwrap()
}

fn client() -> reqwest::Client {
    // reqwest wants to know who would do TLS, even if nobody asks for https. Another test may have
    // said so already, which is the only error.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // The environment may name a proxy, which would be asked for 127.0.0.1.
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

async fn get(hub: SocketAddr, path: &str) -> reqwest::Response {
    let response = client().get(format!("http://{hub}/v2/{path}")).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response
}

async fn fetch(hub: SocketAddr, name: &str, kind: &str, descriptor: &Descriptor) -> Vec<u8> {
    let response = get(hub, &format!("{name}/{kind}/{}", descriptor.digest())).await;
    assert_eq!(response.headers()["content-type"], descriptor.media_type().to_string());
    let bytes = response.bytes().await.unwrap().to_vec();
    assert_eq!(sha256(&bytes), descriptor.digest().to_string());
    assert_eq!(bytes.len() as u64, descriptor.size());
    bytes
}

async fn pull(hub: SocketAddr, name: &str) -> Pulled {
    let response = get(hub, &format!("{name}/manifests/latest")).await;
    let announced = response.headers()["docker-content-digest"].to_str().unwrap().to_owned();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(sha256(&bytes), announced);
    let index = ImageIndex::from_reader(bytes.as_ref()).unwrap();
    let [entry] = index.manifests().as_slice() else { panic!("one platform: {index:?}") };
    let platform = entry.platform().as_ref().unwrap();
    assert_eq!(platform.architecture(), &image::architecture());

    let manifest = fetch(hub, name, "manifests", entry).await;
    let manifest = ImageManifest::from_reader(manifest.as_slice()).unwrap();
    let config = fetch(hub, name, "blobs", manifest.config()).await;
    let config = ImageConfiguration::from_reader(config.as_slice()).unwrap();
    let [layer] = manifest.layers().as_slice() else { panic!("one layer: {manifest:?}") };
    let gzip = fetch(hub, name, "blobs", layer).await;
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut tar).unwrap();
    assert_eq!(config.rootfs().diff_ids(), &[sha256(&tar)]);
    Pulled { config, tar }
}

#[tokio::test]
async fn hello_world_is_one_static_program_that_prints_the_message() {
    let hub = start(Catalog::builtin()).await;
    let pulled = pull(hub.address(), "library/hello-world").await;

    let mut archive = tar::Archive::new(pulled.tar.as_slice());
    let mut files = archive.entries().unwrap().map(Result::unwrap);
    let mut file = files.next().unwrap();
    assert_eq!(file.path().unwrap().to_str(), Some("hello"));
    assert_eq!(file.header().mode().unwrap(), 0o755);
    let mut program = Vec::new();
    file.read_to_end(&mut program).unwrap();
    assert!(files.next().is_none());

    let elf = Elf::parse(&program).unwrap();
    assert_eq!((elf.loader(), elf.needed.as_slice()), (None, [].as_slice()));
    assert!(program.len() < 8 * 1024, "{} bytes", program.len());

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hello");
    std::fs::write(&path, &program).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(&path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), hello::MESSAGE);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), [].as_slice()));

    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Command::new(&path).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn the_message_has_the_shape_the_lessons_rely_on() {
    let lines: Vec<&str> = hello::MESSAGE.split('\n').collect();
    // `split` sees one more, empty piece after the last line break.
    let [first, greeting, .., last, after] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!([*first, *greeting, *last, *after], ["", "Hello from learn!", "", ""]);
    let architecture = format!("    ({})", image::architecture());
    assert_eq!(lines.iter().filter(|line| **line == architecture).count(), 1);
    let steps = lines.iter().filter_map(|line| line.strip_prefix(' ')?.split_once(". "));
    let numbers: Vec<&str> = steps.map(|(number, _)| number).collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    assert!(lines.iter().all(|line| line.is_ascii() && line.len() <= 80));
}

#[tokio::test]
async fn configurations_carry_command_path_history_and_the_label_of_the_hub() {
    let hub = start(Catalog::simulated()).await;
    for (name, command) in [("library/hello-world", "/hello"), ("library/alpine", "/bin/sh")] {
        let config = pull(hub.address(), name).await.config;
        assert_eq!(config.architecture(), &image::architecture());
        assert_eq!(config.os().to_string(), "linux");
        let execution = config.config().as_ref().unwrap();
        assert_eq!(execution.cmd().as_deref(), Some([command.to_owned()].as_slice()));
        assert_eq!(execution.env().as_deref(), Some([image::PATH.to_owned()].as_slice()));
        let labels = execution.labels().as_ref().unwrap();
        assert_eq!(labels.get(image::LABEL).map(String::as_str), Some(image::LABEL_VALUE));
        let history = config.history().as_ref().unwrap();
        let layers = history.iter().filter(|entry| entry.empty_layer() != Some(true)).count();
        assert_eq!((history.len(), layers), (2, 1));
    }
}

#[test]
fn two_catalogs_give_the_same_digests() {
    for name in ["library/hello-world", "library/alpine"] {
        let first = Catalog::builtin().image(name).unwrap().unwrap();
        let second = Catalog::builtin().image(name).unwrap().unwrap();
        assert_eq!(first, second);
    }
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_a_post_is_refused() {
    let hub = start(Catalog::simulated()).await;
    let client = client();
    let url = format!("http://{}/v2/library/alpine/blobs/uploads/", hub.address());
    for _ in 0..2 {
        let response = client.post(&url).body("x").send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["code"], "UNSUPPORTED");
    }
}

#[tokio::test]
async fn a_stopped_hub_closes_its_port() {
    let hub = start(Catalog::simulated()).await;
    let address = hub.address();
    assert!(address.ip().is_loopback());
    assert_eq!(get(address, "").await.headers()["docker-distribution-api-version"], "registry/2.0");
    hub.stop().await;
    // Not a check for a refused connection: while a neighbouring test starts a program, its child
    // holds the port for the moment between fork and exec. But nobody answers there any more.
    let answer = client().get(format!("http://{address}/v2/")).send().await;
    assert!(answer.is_err(), "{answer:?}");
}

#[tokio::test]
async fn a_dropped_hub_ends_idle_connections() {
    use tokio::io::AsyncReadExt;
    let hub = start(Catalog::simulated()).await;
    let mut connection = tokio::net::TcpStream::connect(hub.address()).await.unwrap();
    // An answered request proves that the server, not only the kernel's queue, has taken us in.
    let request = b"GET /v2/ HTTP/1.1\r\nHost: hub\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut connection, request).await.unwrap();
    let mut buffer = [0; 4096];
    assert_ne!(connection.read(&mut buffer).await.unwrap(), 0);
    drop(hub);
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap();
}
