//! Pulls that are interrupted, brought something else than promised, or filled the disk.

use super::live::{Live, eventually, names, privileged, said, stderr, stdout, unable};
use super::registry::image::{Layer, Packing, TestImage};
use super::registry::player::{Manners, Player, Trouble};
use super::stepwise::check_store;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Stdio};
use std::sync::Arc;
use tokio::sync::Notify;

const PAUSE: usize = 300_000;

/// A registry that holds `big:1`, one layer of a megabyte.
async fn registry() -> (Player, Layer) {
    let player = Player::start(Manners::Open).await;
    let layer = Layer::noise("noise", 1_000_000);
    player.put("big", "1", &TestImage::new(std::slice::from_ref(&layer), "linux/amd64", true));
    (player, layer)
}

/// The pull after an interruption asks for the rest, and the image is whole.
fn resumes(live: &Live, player: &Player, layer: &Layer) {
    let words = ["pull", &player.name("big:1")];
    let pull = live.learn(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a pull");
    // Long before a body that does not move is given up: nobody waited for the first pull any more.
    eventually("a second request", || player.seen(&layer.digest).len() == 2);
    let pulled = pull.wait_with_output().expect("its end");
    assert!(pulled.status.success(), "{}", said(&pulled));
    let asked = player.seen(&layer.digest);
    let range = asked.last().and_then(|seen| seen.range.clone()).expect("a range");
    let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().expect("a number");
    assert!(from > 0 && from <= PAUSE, "{range}");
    assert_eq!(asked.len(), 2);
    check_store(live);
    assert!(names(&live.root().join("ingest")).is_empty());
}

/// A pull that is ended midway, and the one after it.
async fn interrupted(end: impl FnOnce(&mut Live, &mut Child)) {
    let (player, layer) = registry().await;
    let mut live = Live::started();
    let mut client = paused_layer(&live, &player, &layer);
    end(&mut live, &mut client);
    client.wait().expect("its end");
    resumes(&live, &player, &layer);
}

/// A pull that has brought a part of the layer and gets no more. The configuration is a blob, too,
/// so the trouble names the layer.
fn paused_layer(live: &Live, player: &Player, layer: &Layer) -> Child {
    player.trouble(&layer.digest, Trouble::Pause(PAUSE, Arc::new(Notify::new())));
    let words = ["pull", &player.name("big:1")];
    let client = live.learn(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a pull");
    let ingest = live.root().join("ingest");
    eventually("a part of the layer", || {
        let parts = names(&ingest);
        parts.iter().any(|name| std::fs::metadata(ingest.join(name)).is_ok_and(|file| file.len() > 0))
    });
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_after_ctrl_c_goes_on_where_the_first_stopped() {
    if !privileged() {
        return;
    }
    interrupted(|_, client| {
        let pid = Pid::from_raw(i32::try_from(client.id()).expect("a pid"));
        kill(pid, Signal::SIGINT).expect("it is there");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_after_a_killed_client_goes_on_where_the_first_stopped() {
    if !privileged() {
        return;
    }
    interrupted(|_, client| client.kill().expect("it is there")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_after_a_killed_daemon_goes_on_where_the_first_stopped() {
    if !privileged() {
        return;
    }
    interrupted(|live, _| {
        live.kill();
        live.start();
        check_store(live);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_with_other_bytes_is_refused_by_both_digests_and_not_kept() {
    if !privileged() {
        return;
    }
    let (player, layer) = registry().await;
    let live = Live::started();
    player.trouble(&layer.digest, Trouble::Corrupt);
    let refused = live.run(&["pull", &player.name("big:1")]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let words = stderr(&refused);
    let digests: std::collections::BTreeSet<&str> =
        words.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64).collect();
    assert!(words.contains(&layer.digest) && digests.len() == 2, "{words}");
    for directory in ["layers", "ingest", "blobs/sha256"] {
        assert!(names(&live.root().join(directory)).is_empty(), "{directory}");
    }
    assert_eq!(live.ok(&["images", "-q"]), "");
    live.ok(&["pull", "-q", &player.name("big:1")]);
    check_store(&live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_with_advice_and_leaves_a_store_that_works() {
    if !privileged() {
        return;
    }
    if std::process::Command::new("unshare").arg("--version").output().is_err() {
        unable("unshare(1) is not installed");
        return;
    }
    let (player, _) = registry().await;
    let huge = Layer::noise("noise", 8 << 20);
    player.put("huge", "1", &TestImage::new(&[huge], "linux/amd64", true));
    let small = Layer::new(&[("hello", b"hello")], Packing::Gzip);
    player.put("small", "1", &TestImage::new(&[small], "linux/amd64", true));
    let mut live = Live::new();
    live.small_disk("6m");
    live.start();
    for (lang, advice) in [("en", "hint"), ("ko", "도움말")] {
        let words = ["pull", &player.name("huge:1")];
        let refused = live.learn(&words).env("LEARN_LANG", lang).output().expect("a pull");
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        let text = stderr(&refused).to_lowercase();
        assert!(text.contains("no space left on device") && text.contains(advice), "{text}");
        assert!(live.is_alive());
    }
    let disk = live.root_as_the_daemon_sees_it();
    for directory in ["layers", "ingest", "blobs/sha256"] {
        assert!(names(&disk.join(directory)).is_empty(), "{directory}: {:?}", names(&disk.join(directory)));
    }
    live.ok(&["pull", "-q", &player.name("small:1")]);
    let listed = live.run(&["images"]);
    assert!(stdout(&listed).contains("small") && !stdout(&listed).contains("huge"), "{}", said(&listed));
}
