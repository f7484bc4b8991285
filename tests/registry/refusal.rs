//! Registries that say no, or nonsense.

use super::support::bench::{Bench, config};
use super::support::image::{Document, Layer, Packing, TestImage};
use super::support::player::{Manners, Player, Trouble};
use learn::error::{Classify, Hint, Kind};
use learn::image::manifest::OCI_MANIFEST;

async fn bench() -> (Player, Bench) {
    (Player::start(Manners::Open).await, Bench::new(config()).await)
}

fn errors(code: &str, message: &str) -> String {
    format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\"}}]}}")
}

/// The same answer to HEAD and to the GET that follows it.
fn twice(player: &Player, path: &str, trouble: Trouble) {
    player.trouble(path, trouble.clone());
    player.trouble(path, trouble);
}

#[tokio::test]
async fn a_token_that_is_not_enough_reads_like_dockers_access_denied() {
    let (player, bench) = bench().await;
    let challenge = "Bearer realm=\"http://x/token\",service=\"s\",error=\"insufficient_scope\"".to_owned();
    let text = errors("UNAUTHORIZED", "authentication required");
    twice(&player, "/manifests/", Trouble::Answer(401, vec![("www-authenticate", challenge)], text));
    let error = bench.pull(&player.name("secret")).await.expect_err("denied");
    assert_eq!(
        error.to_string(),
        format!(
            "pull access denied for {}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            player.name("secret")
        )
    );
    assert_eq!((error.kind(), error.hint()), (Kind::NotFound, Some(Hint::LogIn)));
}

#[tokio::test]
async fn forbidden_and_unknown_repositories_are_told_apart() {
    let (player, bench) = bench().await;
    twice(&player, "/manifests/", Trouble::Answer(403, vec![], errors("DENIED", "not for you")));
    let error = bench.pull(&player.name("x")).await.expect_err("403").to_string();
    assert!(error.ends_with("may require 'docker login': denied: not for you"), "{error}");

    twice(
        &player,
        "/manifests/",
        Trouble::Answer(404, vec![], errors("NAME_UNKNOWN", "repository name not known")),
    );
    let error = bench.pull(&player.name("x")).await.expect_err("404").to_string();
    let name = player.name("x");
    assert_eq!(error, format!("repository {name} not found: name unknown: repository name not known"));

    twice(&player, "/manifests/", Trouble::Answer(418, vec![], "<html>".into()));
    let error = bench.pull(&player.name("x")).await.expect_err("418").to_string();
    assert!(error.starts_with("received unexpected HTTP status: 418 I'm a teapot from http://"), "{error}");
}

#[tokio::test]
async fn malformed_documents_are_named_with_what_was_expected_and_where() {
    let (player, bench) = bench().await;
    let document = |text: &str| Document { media_type: OCI_MANIFEST.into(), bytes: text.into() };
    player.put_document("bad", "json", &document("{\"schemaVersion\": 2,\n oops"));
    player.put_document("bad", "shape", &document("{\"schemaVersion\": 2, \"config\": {}, \"layers\": 3}"));
    player.put_document("bad", "old", &document("{\"schemaVersion\": 1, \"fsLayers\": []}"));
    for (tag, begin) in [
        (
            "json",
            "malformed manifest of NAME: expected a json object: key must be a string at line 2 column 2",
        ),
        ("shape", "malformed manifest of NAME: expected schemaVersion, config and layers"),
        ("old", "NAME has a schema 1 manifest, which is no longer supported"),
    ] {
        let name = player.name(&format!("bad:{tag}"));
        let error = bench.pull(&name).await.expect_err(tag).to_string();
        assert!(error.starts_with(&begin.replace("NAME", &name)), "{error}");
    }
    assert_eq!(bench.names("blobs/sha256"), [""; 0]);
}

#[tokio::test]
async fn a_manifest_with_another_digest_than_its_name_is_refused() {
    let (player, bench) = bench().await;
    let image = TestImage::new(&[Layer::new(&[("a", b"a")], Packing::Gzip)], "linux/amd64", false);
    player.put("x", "1", &image);
    let digest = image.manifest.digest();
    player.trouble(&format!("/manifests/{digest}"), Trouble::Answer(200, vec![], "{}".into()));
    let error = bench.pull(&player.name("x:1")).await.expect_err("another manifest").to_string();
    let actual = learn::image::digest::of(b"{}");
    assert_eq!(error, format!("manifest verification failed for digest {digest}: got {actual}"));
}

#[tokio::test]
async fn a_token_service_that_talks_nonsense_is_quoted_without_its_secret() {
    let player = Player::start(Manners::Hub).await;
    let bench = Bench::new(config()).await;
    player.trouble("/token", Trouble::Answer(200, vec![], "{\"token\": hush-hush".into()));
    let error = bench.pull(&player.name("x")).await.expect_err("nonsense").to_string();
    assert!(error.contains("expected a json object with token or access_token: line 1 column"), "{error}");
    assert!(!error.contains("hush") && !bench.trace().contains("hush"));

    player.trouble(
        "/token",
        Trouble::Answer(401, vec![], "{\"details\":\"incorrect username or password\"}".into()),
    );
    let error = bench.pull(&player.name("x")).await.expect_err("refused");
    assert_eq!(error.to_string(), "unauthorized: incorrect username or password");
    assert_eq!((error.kind(), error.hint()), (Kind::Denied, Some(Hint::LogIn)));
}

#[tokio::test]
async fn nobody_at_home_is_told_at_once() {
    let bench = Bench::new(config()).await;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let error = bench.pull(&format!("127.0.0.1:{port}/x")).await.expect_err("nobody");
    let url = format!("http://127.0.0.1:{port}/v2/");
    assert_eq!(
        error.to_string(),
        format!("Get \"{url}\": dial tcp 127.0.0.1:{port}: connect: connection refused")
    );
    assert_eq!((error.kind(), error.hint()), (Kind::Unavailable, Some(Hint::CheckNetwork)));
    assert_eq!(bench.requests().len(), 1);

    let error = bench.pull("registry.invalid/x").await.expect_err("no such name");
    let text = error.to_string();
    assert_eq!(text, "Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid: no such host");
}
