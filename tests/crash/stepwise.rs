//! SIGKILL before every operation of a run and of a removal, and a restart after each.

use super::live::{Live, names, privileged, stdout};
use learn::client::container::{Condition, List, Streams};
use learn::client::image::Pull;
use learn::client::{Client, Error, from_path};
use learn::image::digest;
use learn::op::Op;
use learn::trace::{Decision, Event, Stop};
use serde_json::{Value, json};
use std::fs;

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Pull, create, attach, wait, start, exit.
    Run(&'static str, &'static [&'static str]),
    /// The only container goes.
    Remove,
    /// The image goes.
    RemoveImage,
}

fn client(live: &Live) -> Client {
    Client::new(from_path(live.socket()))
}

async fn work(client: &Client, work: Work) -> Result<(), Error> {
    match work {
        Work::Run(image, argv) => run(client, image, argv).await,
        Work::Remove => client.remove_container("only", false, false).await,
        Work::RemoveImage => client.remove_image("hello-world", true, false).await.map(drop),
    }
}

/// As the command line does it.
async fn run(client: &Client, image: &str, argv: &[&str]) -> Result<(), Error> {
    let request: learn::wire::CreateRequest =
        serde_json::from_value(json!({"Image": image, "Cmd": argv, "AttachStdout": true}))
            .expect("a request");
    let created = match client.create_container(None, None, &request).await {
        Err(error) if error.status().is_some_and(|status| status == 404) => {
            let name = format!("docker.io/library/{image}");
            let credentials = &learn::wire::Credentials::Anonymous;
            let hub = Some("builtin");
            let pull = Pull { name: &name, tag: Some("latest"), platform: None, hub, credentials };
            let mut progress = client.pull_image(&pull).await?;
            while progress.next_line().await?.is_some() {}
            client.create_container(None, None, &request).await?
        }
        other => other?,
    };
    let streams = Streams { stdout: true, stderr: true, ..Streams::default() };
    let _attached = client.attach_container(&created.id, streams).await?;
    let wait = client.wait_container(&created.id, Some(Condition::NextExit)).await?;
    client.start_container(&created.id).await?;
    wait.exit_code().await.map(drop)
}

/// Steps through the work; the daemon is killed at the first stop `here` says yes to (asked with
/// the number of the stop). Gives the operation it was killed before; `None` when the work was
/// done first.
pub fn kill_at(live: &mut Live, what: Work, mut here: impl FnMut(usize, &Op) -> bool) -> Option<Op> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let killed = runtime.block_on(async {
        let follower = client(live);
        let session = follower.open_trace("work", Stop::Kernel).await.expect("a session");
        let mut records = follower.trace_records(&session).await.expect("its records");
        let worker = client(live);
        worker.write_into(&session);
        let mut done = tokio::spawn(async move { work(&worker, what).await });
        let mut announced = None;
        let mut stops = 0;
        loop {
            let record = tokio::select! {
                ended = &mut done => {
                    ended.expect("no panic").unwrap_or_else(|error| panic!("{what:?}: {error}"));
                    return None;
                }
                record = records.next_line() => record.expect("a record").expect("a live session"),
            };
            match record.event {
                Event::Will { op } => announced = Some(op),
                Event::Held => {
                    let op = announced.clone().expect("an operation before a stop");
                    if here(stops, &op) {
                        live.kill();
                        return Some(op);
                    }
                    stops += 1;
                    follower.decide(&session, Decision::Next).await.expect("a decision");
                }
                _ => {}
            }
        }
    });
    // What still waits for answers of the dead daemon goes with the runtime.
    runtime.shutdown_background();
    killed
}

/// The store names only what is there and whole.
pub fn check_store(live: &Live) {
    let root = live.root();
    let Ok(text) = fs::read(root.join("images.json")) else { return };
    let index: Value = serde_json::from_slice(&text).expect("images.json is JSON");
    let layers = index["layers"].as_object().expect("layers");
    let blob = |digest: &str| root.join("blobs/sha256").join(&digest[7..]);
    for (id, image) in index["images"].as_object().expect("images") {
        for file in [id.as_str(), image["manifest"].as_str().expect("a digest")] {
            let bytes = fs::read(blob(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(digest::of(&bytes), file, "a blob is what its name says");
        }
        for layer in image["layers"].as_array().expect("layers") {
            assert!(layers.contains_key(layer.as_str().expect("a digest")), "{layer} is not known");
        }
    }
    for (diff_id, _) in layers {
        assert!(root.join("layers").join(&diff_id[7..]).is_dir(), "{diff_id} is not unpacked");
    }
    let unpacked = names(&root.join("layers"));
    assert_eq!(unpacked.len(), layers.len(), "half a layer is left: {unpacked:?}");
}

/// Every container is whole: created, or ended well with its output. Gives how many there are.
fn check_containers(live: &Live, before: &Op) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let all = List { all: true, ..List::default() };
    let listed = runtime.block_on(client(live).list_containers(&all)).expect("a list");
    let directories = live.container_ids();
    assert_eq!(listed.len(), directories.len(), "half a container is left, killed before {before:?}");
    for container in &listed {
        match container.state.as_str() {
            "created" => {}
            "exited" => {
                assert!(container.status.starts_with("Exited (0)"), "{} ({before:?})", container.status);
                let log = live.ok(&["logs", &container.id]);
                assert!(log.contains("Hello from learn!"), "its output is lost ({before:?}): {log:?}");
            }
            other => panic!("state {other}, killed before {before:?}"),
        }
    }
    listed.len()
}

/// After a restart: sound, nothing stray, and the next run works.
fn check_restarted(live: &Live, before: &Op) {
    eprintln!("killed before {}", before.shell());
    live.until_shims_end();
    check_store(live);
    // An exit is known when the list says so: a container that ran on is waited for.
    for id in live.container_ids() {
        live.ok(&["wait", &id]);
    }
    check_containers(live, before);
    let stray = live.leftovers();
    assert!(stray.is_empty(), "killed before {before:?}: {stray:?}");
    let listed = live.run(&["ps", "-a"]);
    assert!(listed.status.success() && stdout(&listed).starts_with("CONTAINER ID"));
    let again = live.ok(&["run", "--hub", "builtin", "hello-world"]);
    assert!(again.contains("Hello from learn!"), "{again}");
    check_store(live);
    assert_eq!(names(&live.root().join("ingest")), [""; 0], "a part of a layer is left after a pull");
}

fn remove_all(live: &Live) {
    let ids = live.container_ids();
    let mut words = vec!["rm", "-f"];
    words.extend(ids.iter().map(String::as_str));
    live.ok(&words);
    let stray = live.leftovers();
    assert!(stray.is_empty(), "{stray:?}");
}

const HELLO: Work = Work::Run("hello-world", &[]);

/// Every `step`th stop from `first` on, each on a root of its own.
fn cold(first: usize, step: usize) -> usize {
    for wanted in (first..).step_by(step) {
        let mut live = Live::started();
        let Some(before) = kill_at(&mut live, HELLO, |stop, _| stop == wanted) else { return wanted };
        live.start();
        check_restarted(&live, &before);
    }
    unreachable!("a run has an end")
}

#[test]
fn a_daemon_killed_before_any_operation_of_a_cold_run_leaves_nothing_half_done() {
    if !privileged() {
        return;
    }
    let odd = std::thread::spawn(|| cold(1, 2));
    let even = cold(0, 2);
    let stops = even.max(odd.join().expect("the other half"));
    // A pull alone has more than ten operations, a start more than fifty.
    assert!(stops > 60, "only {stops} stops: the gate did not hold");
}

#[test]
fn a_daemon_killed_before_any_operation_of_a_cached_run_leaves_nothing_half_done() {
    if !privileged() {
        return;
    }
    let mut live = Live::started();
    live.ok(&["run", "--rm", "--hub", "builtin", "hello-world"]);
    for wanted in 0.. {
        let Some(before) = kill_at(&mut live, HELLO, |stop, _| stop == wanted) else {
            assert!(wanted > 40, "only {wanted} stops: the gate did not hold");
            break;
        };
        live.start();
        check_restarted(&live, &before);
        remove_all(&live);
    }
}

#[test]
fn a_daemon_killed_while_it_removes_goes_on_removing() {
    if !privileged() {
        return;
    }
    let mut live = Live::started();
    for work in [Work::Remove, Work::RemoveImage] {
        for wanted in 0.. {
            live.ok(&["run", "--name", "only", "--hub", "builtin", "hello-world"]);
            if work == Work::RemoveImage {
                live.ok(&["rm", "only"]);
            }
            let Some(before) = kill_at(&mut live, work, |stop, _| stop == wanted) else {
                assert!(wanted > 0, "{work:?} has no operation");
                break;
            };
            live.start();
            check_restarted(&live, &before);
            remove_all(&live);
        }
    }
}
