//! Downloads that do not go well.

use super::support::bench::{Bench, config};
use super::support::image::{Layer, Packing, TestImage};
use super::support::player::{Manners, Player, Trouble};
use learn::error::{Classify, Hint};
use learn::image::{Error, PullEvent, Pulled};
use learn::trace::Note;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

const SIZE: usize = 400_000;

fn big(name: &str) -> (Layer, TestImage) {
    let layer = Layer::noise(name, SIZE);
    let image = TestImage::new(std::slice::from_ref(&layer), "linux/amd64", false);
    (layer, image)
}

#[tokio::test]
async fn a_broken_connection_is_resumed_where_it_broke() {
    let player = Player::start(Manners::Hub).await;
    let (layer, image) = big("a");
    player.put("big", "1", &image);
    player.trouble(&format!("/data/{}", layer.digest), Trouble::Cut(100_000));
    player.trouble(&format!("/data/{}", layer.digest), Trouble::Cut(150_000));
    let bench = Bench::new(config()).await;
    bench.pull(&player.name("big:1")).await.expect("in three pieces");
    let ranges: Vec<_> =
        player.seen(&format!("/data/{}", layer.digest)).into_iter().map(|it| it.range).collect();
    let range = |from: usize| Some(format!("bytes={from}-"));
    assert_eq!(ranges, [None, range(100_000), range(250_000)]);
    let offsets: Vec<_> =
        bench.notes(Note::Resumed).into_iter().map(|facts| facts["offset"].clone()).collect();
    assert_eq!(offsets, ["100000", "250000"]);
    assert_eq!(bench.notes(Note::Retried).len(), 2);
    assert!(bench.names("ingest").is_empty());
}

#[tokio::test]
async fn an_abandoned_pull_goes_on_where_it_was() {
    let player = Player::start(Manners::Open).await;
    let (layer, image) = big("b");
    player.put("big", "1", &image);
    let blob = format!("/blobs/{}", layer.digest);
    player.trouble(&blob, Trouble::Stall(200_000));
    let bench = Bench::new(config()).await;
    let name = player.name("big:1");
    let (sender, mut events) = mpsc::unbounded_channel();
    let pull = bench.store.pull(&bench.door, bench.request(&name), |event| {
        let _ = sender.send(event);
    });
    let half = async {
        while let Some(event) = events.recv().await {
            if event.progress_detail.and_then(|detail| detail.current) == Some(200_000) {
                return;
            }
        }
        panic!("the pull ended");
    };
    tokio::select! {
        result = pull => panic!("the pull ended: {result:?}"),
        () = half => {}
    }
    bench.pull(&name).await.expect("the rest");
    let ranges: Vec<_> = player.seen(&blob).into_iter().map(|seen| seen.range).collect();
    assert_eq!(ranges, [None, Some("bytes=200000-".to_owned())]);
    assert_eq!(bench.names("layers"), [&layer.diff_id[7..]]);
}

/// Pulls in a task of its own; returns it and the bytes it says are here, as it says so.
fn spawn_pull(
    bench: &Bench,
    name: &str,
) -> (JoinHandle<Result<Pulled, Error>>, mpsc::UnboundedReceiver<u64>) {
    let (sender, here) = mpsc::unbounded_channel();
    let (store, door, request) = (bench.store.clone(), bench.door.clone(), bench.request(name));
    let tell = move |event: PullEvent| {
        if let Some(current) = event.progress_detail.and_then(|detail| detail.current) {
            let _ = sender.send(current);
        }
    };
    (tokio::spawn(async move { store.pull(&door, request, tell).await }), here)
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_layer_to_those_who_still_wait() {
    let player = Player::start(Manners::Open).await;
    let (layer, image) = big("g");
    player.put("big", "1", &image);
    let blob = format!("/blobs/{}", layer.digest);
    let go = Arc::new(Notify::new());
    player.trouble(&blob, Trouble::Pause(200_000, go.clone()));
    let bench = Bench::new(config()).await;
    let name = player.name("big:1");

    let (first, mut here) = spawn_pull(&bench, &name);
    while here.recv().await.expect("progress") < 200_000 {}
    let (second, mut here) = spawn_pull(&bench, &name);
    while here.recv().await.expect("progress") < 200_000 {}
    first.abort();
    assert!(first.await.expect_err("gone").is_cancelled());
    go.notify_one();
    second.await.expect("no panic").expect("the second client gets its image");
    assert_eq!(player.seen(&blob).len(), 1);
}

#[tokio::test]
async fn a_corrupt_layer_is_named_with_both_digests_and_nothing_of_it_is_kept() {
    let player = Player::start(Manners::Open).await;
    let (layer, image) = big("c");
    player.put("big", "1", &image);
    player.trouble(&format!("/blobs/{}", layer.digest), Trouble::Corrupt);
    let bench = Bench::new(config()).await;
    let error = bench.pull(&player.name("big:1")).await.expect_err("corrupt");
    let mut wrong = layer.bytes.clone();
    wrong[layer.bytes.len() / 2] ^= 0xff;
    let actual = learn::image::digest::of(&wrong);
    assert_eq!(
        error.to_string(),
        format!("filesystem layer verification failed for digest {}: got {actual}", layer.digest)
    );
    assert_eq!(error.hint(), Some(Hint::PullAgain));
    for directory in ["layers", "blobs/sha256", "ingest"] {
        assert_eq!(bench.names(directory), [""; 0], "{directory}");
    }
    assert!(bench.store.list().is_empty());
    bench.pull(&player.name("big:1")).await.expect("the next one is good");
}

#[tokio::test]
async fn a_damaged_partial_download_is_thrown_away() {
    let player = Player::start(Manners::Open).await;
    let (layer, image) = big("d");
    player.put("big", "1", &image);
    let bench = Bench::new(config()).await;
    let partial = bench.path(&format!("ingest/{}.partial", &layer.digest[7..]));
    std::fs::write(&partial, vec![7; 1000]).expect("a partial download");
    bench.pull(&player.name("big:1")).await.expect_err("the beginning is wrong");
    assert!(!partial.exists());
    bench.pull(&player.name("big:1")).await.expect("from the beginning");
}

#[tokio::test]
async fn a_layer_without_its_promised_diff_id_is_refused() {
    let player = Player::start(Manners::Open).await;
    let mut layer = Layer::new(&[("a", b"a")], Packing::Gzip);
    let promised = format!("sha256:{}", "1".repeat(64));
    let actual = std::mem::replace(&mut layer.diff_id, promised.clone());
    player.put("liar", "1", &TestImage::new(&[layer], "linux/amd64", false));
    let bench = Bench::new(config()).await;
    let error = bench.pull(&player.name("liar:1")).await.expect_err("another tree").to_string();
    assert_eq!(error, format!("unpacked layer verification failed for digest {promised}: got {actual}"));
    assert_eq!(bench.names("layers"), [""; 0]);
    assert_eq!(bench.names("ingest"), [""; 0]);
}

#[tokio::test]
async fn too_many_requests_are_waited_out_as_long_as_the_registry_asks() {
    let player = Player::start(Manners::Open).await;
    let (_, image) = big("e");
    player.put("big", "1", &image);
    let busy = || Trouble::Answer(429, vec![("retry-after", "1".into())], String::new());
    player.trouble("/manifests/", busy());
    let bench = Bench::new(config()).await;
    bench.pull(&player.name("big:1")).await.expect("after a second");
    let retried = &bench.notes(Note::Retried)[0];
    assert_eq!((retried["reason"].as_str(), retried["delay"].as_str()), ("429 Too Many Requests", "1.0 s"));
}

#[tokio::test]
async fn a_limit_that_lasts_is_told_in_the_registrys_words() {
    let player = Player::start(Manners::Open).await;
    let text =
        r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#;
    for _ in 0..2 {
        let headers = vec![("retry-after", "3600".into())];
        player.trouble("/manifests/", Trouble::Answer(429, headers, text.into()));
    }
    let bench = Bench::new(config()).await;
    let error = bench.pull(&player.name("big:1")).await.expect_err("limited");
    assert_eq!(error.to_string(), "toomanyrequests: You have reached your pull rate limit.");
    assert_eq!(error.hint(), Some(Hint::WaitForRateLimit));
}

#[tokio::test]
async fn a_failing_server_is_tried_five_times() {
    let player = Player::start(Manners::Open).await;
    let (layer, image) = big("f");
    player.put("big", "1", &image);
    let blob = format!("/blobs/{}", layer.digest);
    for _ in 0..4 {
        player.trouble(&blob, Trouble::Answer(503, vec![], String::new()));
    }
    let bench = Bench::new(config()).await;
    bench.pull(&player.name("big:1")).await.expect("the fifth is good");
    assert_eq!(player.seen(&blob).len(), 5);

    let (layer, image) = big("ff");
    player.put("big", "2", &image);
    let blob = format!("/blobs/{}", layer.digest);
    for _ in 0..5 {
        player.trouble(&blob, Trouble::Answer(503, vec![], String::new()));
    }
    let error = bench.pull(&player.name("big:2")).await.expect_err("five failures").to_string();
    assert!(
        error.starts_with("received unexpected HTTP status: 503 Service Unavailable from http://"),
        "{error}"
    );
}
