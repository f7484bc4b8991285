//! A container's files from outside, on both kernels: the same answers, the same operations.

use crate::drive::connector;
use crate::hub::Layers;
use crate::worlds::{World, both};
use futures_util::StreamExt;
use learn::client::Client;
use learn::client::files::{Commit, Upload};
use learn::client::image::Pull;
use learn::trace::{Event, Stop};
use learn::wire::{Config, CreateRequest, Credentials, HostConfig};
use std::collections::BTreeSet;

/// What both sides must agree on.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    content: String,
    changes: Vec<(String, u8)>,
    layers: usize,
    refused: String,
    performed: BTreeSet<String>,
}

fn tar_of(name: &str, text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, text.as_bytes()).expect("in memory");
    builder.into_inner().expect("in memory")
}

async fn see(world: &World) -> Seen {
    let client = Client::new(connector(world));
    let session = client.open_trace("files", Stop::Never).await.expect("a session");
    client.write_into(&session);
    let trace = world.engine.traces().session(&session).expect("just opened");
    let pull = Pull {
        name: "docker.io/library/alpine",
        tag: Some("latest"),
        platform: None,
        hub: None,
        credentials: &Credentials::Anonymous,
    };
    let mut lines = client.pull_image(&pull).await.expect("a pull");
    while lines.next_line().await.expect("a line").is_some() {}
    let request = CreateRequest {
        config: Config { image: "alpine".into(), ..Config::default() },
        host_config: HostConfig { network_mode: "none".into(), ..HostConfig::default() },
        ..CreateRequest::default()
    };
    let id = client.create_container(Some("c1"), None, &request).await.expect("a container").id;
    let upload = Upload { directory: "/root".into(), keep_sorts: true, as_user: false };
    let bytes = futures_util::stream::iter([Ok(tar_of("made/here", "text").into())]).boxed();
    client.write_archive(&id, &upload, bytes).await.expect("written");
    let (stat, mut download) = client.read_archive(&id, "/root/made/here").await.expect("a tar");
    assert_eq!((stat.name.as_str(), stat.size, stat.is_directory()), ("here", 4, false));
    let mut tar = Vec::new();
    while let Some(piece) = download.next_piece().await.expect("a piece") {
        tar.extend_from_slice(&piece);
    }
    let mut archive = tar::Archive::new(tar.as_slice());
    let entry = archive.entries().expect("a tar").next().expect("one").expect("an entry");
    let content = std::io::read_to_string(entry).expect("text");
    let changes = client.container_changes(&id).await.expect("changes");
    let commit = Commit {
        container: &id,
        repository: Some("docker.io/x/kept".into()),
        tag: None,
        author: None,
        comment: None,
        changes: &[],
        pause: false,
    };
    let image = client.commit_container(&commit).await.expect("an image");
    let refused = client.stat_path(&id, "/no/such").await.expect_err("nothing is there");
    let image = world.engine.images().get_id(&image).expect("it is in the store");
    let performed = trace.records().into_iter().filter_map(|record| match record.event {
        Event::Did { op, .. } if op.starts_with("archive.") || op == "store.pack-layer" => Some(op),
        _ => None,
    });
    Seen {
        content,
        changes: changes.into_iter().map(|change| (change.path, change.kind)).collect(),
        layers: image.layers.len(),
        refused: format!("{:?}", refused.status()),
        performed: performed.collect(),
    }
}

#[test]
fn files_are_put_in_looked_at_and_kept_alike_on_both_kernels() {
    if !crate::able() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let [sim, linux] = runtime.expect("a runtime").block_on(async {
        let [sim, linux] = both(Layers::default(), false).await;
        [see(&sim).await, see(&linux).await]
    });
    assert_eq!(sim, linux);
    assert_eq!(linux.content, "text");
    let changes = [("/root", 0), ("/root/made", 1), ("/root/made/here", 1)];
    assert_eq!(linux.changes, changes.map(|(path, kind)| (path.to_owned(), kind)));
    let all = ["archive.open-tree", "archive.read", "archive.write", "store.pack-layer"];
    assert_eq!(linux.performed, all.map(str::to_owned).into());
}
