//! What images share, what removal leaves, and what a start finds.

use super::support::bench::{Bench, config, door};
use super::support::image::{Layer, Packing, TestImage};
use super::support::player::{Manners, Player};
use learn::image::snapshot;
use learn::image::store::{ContainerUse, Removed};
use learn::kernel::machine::{Cgroups, Machine};
use learn::op::Op;
use learn::trace::{Decision, Event, Note, Scope, Stop};

fn two() -> ([Layer; 3], TestImage, TestImage) {
    let layer = |name: &str| Layer::noise(name, 50_000 + name.len());
    let layers = [layer("a"), layer("bb"), layer("ccc")];
    let first = TestImage::new(&[layers[0].clone(), layers[1].clone()], "linux/amd64", true);
    let second = TestImage::new(&[layers[0].clone(), layers[2].clone()], "linux/amd64", true);
    (layers, first, second)
}

fn hex(layer: &Layer) -> String {
    layer.diff_id[7..].to_owned()
}

#[tokio::test]
async fn a_layer_two_pulls_want_at_once_is_fetched_once() {
    let player = Player::start(Manners::Open).await;
    let (layers, first, second) = two();
    player.put("x", "1", &first);
    player.put("x", "2", &second);
    let bench = Bench::new(config()).await;
    let (one, two) = (player.name("x:1"), player.name("x:2"));
    let (one, two) = tokio::join!(bench.pull(&one), bench.pull(&two));
    one.expect("the first");
    two.expect("the second");
    assert_eq!(player.seen(&format!("/blobs/{}", layers[0].digest)).len(), 1);
    assert_eq!(bench.names("layers").len(), 3);
    assert_eq!(bench.notes(Note::LayerExists).len(), 1);
}

#[tokio::test]
async fn removal_leaves_what_others_need_and_nothing_else() {
    let player = Player::start(Manners::Open).await;
    let (layers, first, second) = two();
    player.put("x", "1", &first);
    player.put("x", "2", &second);
    let bench = Bench::new(config()).await;
    let (one, two) = (player.name("x:1"), player.name("x:2"));
    bench.pull(&one).await.expect("the first");
    bench.pull(&two).await.expect("the second");
    bench.store.tag(&bench.door, &one, &"mine".parse().expect("a name")).await.expect("a tag");

    let untagged = |name: &str| Removed::Untagged(name.to_owned());
    let removed = bench.store.remove(&bench.door, "mine", false, &[]).await.expect("one name less");
    assert_eq!(removed, [untagged("mine:latest")]);
    let removed = bench.store.remove(&bench.door, &one, false, &[]).await.expect("the first image");
    let by_digest = format!("{}@{}", player.name("x"), first.manifest.digest());
    assert_eq!(removed[..3], [untagged(&one), untagged(&by_digest), Removed::Deleted(first.id.clone())]);
    assert_eq!(removed.len(), 4, "one layer of two");
    let mut left = [hex(&layers[0]), hex(&layers[2])];
    left.sort();
    assert_eq!(bench.names("layers"), left);

    let user =
        ContainerUse { container: "f".repeat(64), image: second.id.clone(), layers: vec![], running: false };
    let error = bench.store.remove(&bench.door, &two, false, &[user]).await.expect_err("in use");
    assert_eq!(
        error.to_string(),
        format!(
            "conflict: unable to remove repository reference \"{two}\" (must force) - container ffffffffffff is using its referenced image {}",
            &second.id[7..19]
        )
    );
    bench.store.remove(&bench.door, &second.id, false, &[]).await.expect("by id");
    for directory in ["layers", "blobs/sha256"] {
        assert_eq!(bench.names(directory), [""; 0], "{directory}");
    }
    let error = bench.store.remove(&bench.door, "nosuch:img", false, &[]).await.expect_err("gone");
    assert_eq!(error.to_string(), "No such image: nosuch:img");
}

#[tokio::test]
async fn a_start_keeps_what_is_recorded_and_sweeps_the_rest() {
    let player = Player::start(Manners::Open).await;
    let (layers, first, _) = two();
    player.put("x", "1", &first);
    let bench = Bench::new(config()).await;
    bench.pull(&player.name("x:1")).await.expect("a pull");
    let staging = format!("layers/{}.new-0badcafe", hex(&layers[2]));
    for leftover in [staging.as_str(), &format!("layers/{}", "9".repeat(64))] {
        std::fs::create_dir_all(bench.path(leftover).join("half/made")).expect("a leftover");
    }
    std::fs::write(bench.path(&format!("blobs/sha256/{}", "8".repeat(64))), "x").expect("a leftover");

    let store = bench.reopen().await.expect("opens");
    let image = store.find(&player.name("x:1")).expect("still there");
    assert_eq!(image.id, first.id);
    assert_eq!(image.repo_digests().len(), 1);
    let mut left = [hex(&layers[0]), hex(&layers[1])];
    left.sort();
    assert_eq!(bench.names("layers"), left);
    assert_eq!(bench.names("blobs/sha256").len(), 4, "manifest, configuration, two layers");

    std::fs::write(bench.path("images.json"), "{\n  \"version\": 1,\n  oops\n}").expect("damage");
    let error = bench.reopen().await.expect_err("damaged").to_string();
    let place = format!("{}:3: expected an object with version", bench.path("images.json").display());
    assert!(error.starts_with(&place), "{error}");
}

#[tokio::test]
async fn an_abort_midway_leaves_nothing() {
    let player = Player::start(Manners::Open).await;
    let (_, first, _) = two();
    player.put("x", "1", &first);
    let bench = Bench::new(config()).await;
    let stepped = door(Stop::Stage);
    let mut records = stepped.trace().follow();
    let decide = async {
        let mut unpacked = 0;
        let mut last = None;
        while let Some(record) = records.recv().await {
            match record.event {
                Event::Opened { kind, .. } => last = Some(kind),
                Event::Did { op, .. } if op == "store.unpack-layer" => unpacked += 1,
                Event::Held => {
                    let late = last == Some(Scope::ImageCommit);
                    stepped.trace().gate().decide(if late { Decision::Abort } else { Decision::Next });
                    if late {
                        return unpacked;
                    }
                }
                _ => {}
            }
        }
        panic!("the trace ended");
    };
    let pull = bench.store.pull(&stepped, bench.request(&player.name("x:1")), drop);
    let (result, unpacked) = tokio::join!(pull, decide);
    assert!(result.expect_err("aborted").is_abort());
    assert_eq!(unpacked, 2, "both layers were there when the learner said no");
    for directory in ["layers", "blobs/sha256", "ingest"] {
        assert_eq!(bench.names(directory), [""; 0], "{directory}");
    }
    let trace = stepped.trace().records();
    let undone = trace.iter().any(|it| matches!(&it.event, Event::Opened { kind: Scope::Rollback, .. }));
    assert!(undone, "the rollback is narrated");
    bench.pull(&player.name("x:1")).await.expect("a later pull");
}

fn places(container: &str) -> snapshot::Places<'_> {
    snapshot::Places { container, mount_point: "/mnt" }
}

#[tokio::test]
async fn a_hundred_layers_fit_into_one_page_of_overlay_options() {
    let player = Player::start(Manners::Open).await;
    let layers: Vec<Layer> =
        (0..100).map(|n| Layer::new(&[("f", format!("{n}").as_bytes())], Packing::Plain)).collect();
    player.put("deep", "1", &TestImage::new(&layers, "linux/amd64", false));
    let bench = Bench::new(config()).await;
    let image = bench.pull(&player.name("deep:1")).await.expect("a pull").image;
    let mut machine = Machine {
        uid: 1000,
        gid: 1000,
        cgroups: Cgroups::default(),
        overlay: true,
        kernel: "6.1.0".into(),
        architecture: "amd64".into(),
    };
    let container = bench.path("containers/c1").to_str().expect("utf-8").to_owned();
    let deep =
        snapshot::prepare(&bench.door, &bench.store, &machine, &image.layers, places(&container), "c1");
    let options = deep.await.expect("a snapshot").overlay.expect("an overlay");
    assert!(options.len() < 4096, "{}", options.len());
    assert!(options.ends_with(",userxattr"));
    let lower = options.strip_prefix("lowerdir=").and_then(|it| it.split(',').next()).expect("lowerdir");
    let read = |path: &str| std::fs::read_to_string(format!("{path}/f")).expect("a layer by its short name");
    let seen: Vec<String> = lower.split(':').map(read).collect();
    let expected: Vec<String> = (0..100).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, expected, "the uppermost comes first");

    machine.uid = 0;
    let flat = bench.path("containers/c2").to_str().expect("utf-8").to_owned();
    let few = snapshot::prepare(&bench.door, &bench.store, &machine, &image.layers[..2], places(&flat), "c2");
    let options = few.await.expect("a snapshot").overlay.expect("an overlay");
    let path = |place: usize| bench.store.layer_path(&image.layers[place].diff_id);
    assert_eq!(
        options,
        format!("lowerdir={}:{},upperdir={flat}/upper,workdir={flat}/work", path(1), path(0))
    );

    machine.overlay = false;
    let copied = bench.path("containers/c3").to_str().expect("utf-8").to_owned();
    let copy =
        snapshot::prepare(&bench.door, &bench.store, &machine, &image.layers[..3], places(&copied), "c3");
    let copy = copy.await.expect("a copy");
    assert_eq!(copy.overlay, None);
    assert_eq!(std::fs::read_to_string(format!("{}/f", copy.rootfs)).expect("copied"), "2");
    assert_eq!(bench.notes(Note::PlainCopy)[0]["reason"], "no overlayfs");
    let copies = bench.door.trace().records().into_iter().filter(
        |it| matches!(&it.event, Event::Will { op: Op::Fs(op) } if format!("{op:?}").starts_with("CopyTree")),
    );
    assert_eq!(copies.count(), 3);
}
