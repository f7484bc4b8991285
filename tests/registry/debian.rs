//! Against a registry nobody here wrote.

use super::support::bench::{Bench, config};
use super::support::debian::DebianRegistry;
use super::support::image::{Layer, Packing, TestImage, list};

#[tokio::test]
async fn a_pull_brings_every_layer_and_a_second_one_makes_one_request_for_the_manifest() {
    let registry = DebianRegistry::start();
    let layers = [
        Layer::new(&[("hello", b"hello\n"), ("etc/name", b"one")], Packing::Gzip),
        Layer::new(&[("etc/name", b"two")], Packing::Gzip),
    ];
    let image = TestImage::new(&layers, "linux/amd64", true);
    registry.push("ml", "1", &image).await;
    let bench = Bench::new(config()).await;
    let name = format!("{}/ml:1", registry.host);

    let (result, said) = bench.pull_with(bench.request(&name)).await;
    let pulled = result.expect("a pull");
    assert_eq!(pulled.image.id, image.id);
    assert_eq!(pulled.digest, image.manifest.digest());
    assert!(pulled.newer);
    assert_eq!(pulled.image.labels()["made"], "here");
    let short = |layer: &Layer| layer.digest[7..19].to_owned();
    for layer in &layers {
        for status in ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"] {
            let line = format!("{}: {status}", short(layer));
            assert!(said.contains(&line), "{line} is not in {said:#?}");
        }
    }
    assert_eq!(said.first(), Some(&"1: Pulling from ml".to_owned()));
    assert_eq!(said.last(), Some(&format!("Status: Downloaded newer image for {name}")));
    let lower = bench.path(&format!("layers/{}/etc/name", &layers[0].diff_id[7..]));
    assert_eq!(std::fs::read_to_string(lower).expect("a file of the lower layer"), "one");

    let before = bench.requests().len();
    let (again, said) = bench.pull_with(bench.request(&name)).await;
    assert!(!again.expect("a second pull").newer);
    assert_eq!(bench.requests()[before..], ["GET /v2/", "HEAD /v2/ml/manifests/1"]);
    assert_eq!(said.last(), Some(&format!("Status: Image is up to date for {name}")));
    assert_eq!(bench.store.find(&name).expect("by name").id, image.id);
    assert_eq!(bench.store.find(&image.id[7..15]).expect("by the beginning of its id").id, image.id);
}

#[tokio::test]
async fn every_packing_and_both_formats_unpack_to_the_same_files() {
    let registry = DebianRegistry::start();
    let bench = Bench::new(config()).await;
    let packings = [Packing::Plain, Packing::Gzip, Packing::GzipTwice, Packing::Zstd];
    for (number, packing) in packings.into_iter().enumerate() {
        for docker in [true, false] {
            let content = format!("{packing:?} {docker}");
            let layer = Layer::new(&[("file", content.as_bytes())], packing);
            let image = TestImage::new(std::slice::from_ref(&layer), "linux/amd64", docker);
            let tag = format!("{number}-{docker}");
            registry.push("packed", &tag, &image).await;
            let pulled = bench.pull(&format!("{}/packed:{tag}", registry.host)).await.expect(&content);
            let file =
                std::path::Path::new(&bench.store.layer_path(&pulled.image.layers[0].diff_id)).join("file");
            assert_eq!(std::fs::read_to_string(file).expect("the file"), content);
        }
    }
}

#[tokio::test]
async fn the_entry_for_the_platform_is_chosen_from_a_list() {
    let registry = DebianRegistry::start();
    let image = |platform: &str| {
        TestImage::new(&[Layer::new(&[("arch", platform.as_bytes())], Packing::Gzip)], platform, false)
    };
    let images = ["linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8"].map(image);
    for one in &images {
        registry.push("multi", &one.platform.replace('/', "-"), one).await;
    }
    let all: Vec<&TestImage> = images.iter().collect();
    registry.push_document("multi", "all", &list(&all, false)).await;
    registry.push_document("multi", "docker", &list(&all, true)).await;
    registry.push_document("multi", "intel", &list(&all[..1], false)).await;
    let bench = Bench::new(config()).await;
    for (wanted, tag, place) in [
        ("linux/arm64", "all", 3),
        ("linux/arm/v7", "docker", 2),
        ("linux/arm/v6", "all", 1),
        ("linux/amd64", "all", 0),
    ] {
        let mut request = bench.request(&format!("{}/multi:{tag}", registry.host));
        request.platform = Some(wanted.parse().expect("a platform"));
        let pulled = bench.pull_with(request).await.0.expect(wanted);
        assert_eq!(pulled.image.id, images[place].id, "{wanted}");
    }
    let mut request = bench.request(&format!("{}/multi:intel", registry.host));
    request.platform = Some("linux/arm64".parse().expect("a platform"));
    let error = bench.pull_with(request).await.0.expect_err("nothing for arm64");
    assert_eq!(error.to_string(), "no matching manifest for linux/arm64/v8 in the manifest list entries");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_dockers_words() {
    let registry = DebianRegistry::start();
    let image = TestImage::new(&[Layer::new(&[("a", b"a")], Packing::Gzip)], "linux/amd64", true);
    registry.push("ml", "1", &image).await;
    let bench = Bench::new(config()).await;
    let zeros = format!("ml@sha256:{}", "0".repeat(64));
    for rest in ["ml:nope", "nope:latest", &zeros] {
        let name = format!("{}/{rest}", registry.host);
        let error = bench.pull(&name).await.expect_err(rest);
        let expected = format!("manifest for {name} not found: manifest unknown: manifest unknown");
        assert_eq!(error.to_string(), expected);
    }
    let by_digest = format!("{}/ml@{}", registry.host, image.manifest.digest());
    let pulled = bench.pull(&by_digest).await.expect("by digest");
    assert_eq!(pulled.image.repo_digests(), [by_digest]);
    assert!(pulled.image.repo_tags().is_empty());
}
