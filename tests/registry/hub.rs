//! Docker Hub's manners: tokens, another host for the bytes, limits; and who stands in for it.

use super::support::bench::{Bench, config};
use super::support::image::{Layer, Packing, TestImage};
use super::support::player::{Manners, Player};
use futures_util::FutureExt;
use learn::image::{Credentials, Hub, RegistryConfig};
use learn::trace::Note;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn hello() -> TestImage {
    let layers = [
        Layer::new(&[("hello", b"hello\n")], Packing::Gzip),
        Layer::new(&[("more", b"more\n")], Packing::Gzip),
    ];
    TestImage::new(&layers, "linux/amd64", true)
}

#[tokio::test]
async fn one_token_opens_everything_and_never_reaches_the_cdn_nor_the_trace() {
    let player = Player::start(Manners::Hub).await;
    player.put("library/hello", "latest", &hello());
    let bench = Bench::new(config()).await;
    bench.pull(&player.name("library/hello")).await.expect("a pull");

    let tokens = player.seen("/token");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].path, "/token?service=player.test&scope=repository%3Alibrary%2Fhello%3Apull");
    let fetched = player.seen("/data/");
    assert_eq!(fetched.len(), 3, "configuration and two layers");
    assert!(fetched.iter().all(|seen| seen.authorization.is_none()));

    let trace = bench.trace();
    for secret in ["token-for-", "very-secret"] {
        assert!(!trace.contains(secret), "{secret} is in the trace");
    }
    assert!(trace.contains("Bearer ***") && trace.contains("X-Signature=***"));
    assert_eq!(bench.notes(Note::Challenge)[0]["service"], "player.test");
    assert_eq!(bench.notes(Note::Redirected).len(), 3);
    let limit = &bench.notes(Note::RateLimit)[0];
    assert_eq!((limit["limit"].as_str(), limit["remaining"].as_str()), ("100", "97"));
    assert_eq!(bench.notes(Note::FourHashes).len(), 1);
}

#[tokio::test]
async fn a_name_and_password_are_shown_to_the_registry_only() {
    let player = Player::start(Manners::Basic).await;
    player.put("private", "1", &hello());
    let bench = Bench::new(config()).await;
    let name = player.name("private:1");
    let error = bench.pull(&name).await.expect_err("nobody in particular");
    assert_eq!(error.to_string(), "no basic auth credentials");

    let mut request = bench.request(&name);
    request.credentials = Credentials::Basic { user: "ann".into(), password: "secret".into() };
    bench.pull_with(request).await.0.expect("ann may");
    let trace = bench.trace();
    assert!(!trace.contains("YW5uOnNlY3JldA") && !trace.contains("secret"));
    assert!(trace.contains("Basic ***"));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let player = Player::start(Manners::Hub).await;
    player.put("private", "1", &hello());
    let bench = Bench::new(config()).await;
    let mut request = bench.request(&player.name("private:1"));
    request.credentials = Credentials::IdentityToken("refresh-me".into());
    bench.pull_with(request).await.0.expect("a pull");
    let tokens = player.seen("/token");
    assert_eq!(tokens[0].method, "POST");
    assert!(tokens[0].body.contains("grant_type=refresh_token"));
    assert!(tokens[0].body.contains("refresh_token=refresh-me"));
    assert!(!bench.trace().contains("refresh-me"));
}

#[tokio::test]
async fn another_registry_may_answer_for_the_hub_but_gets_no_credentials() {
    let player = Player::start(Manners::Open).await;
    player.put("library/hello", "latest", &hello());
    let hub = Hub::Url(format!("http://{}", player.host()));
    let bench = Bench::new(RegistryConfig { hub, ..config() }).await;
    let mut request = bench.request("hello");
    request.credentials = Credentials::Basic { user: "ann".into(), password: "secret".into() };
    let (pulled, said) = bench.pull_with(request).await;
    assert_eq!(pulled.expect("a pull").image.repo_tags(), ["hello:latest"]);
    assert!(said[0].contains(player.host()), "{said:?}");
    assert_eq!(bench.notes(Note::RegistryChosen)[0]["address"], player.host());
    assert!(player.seen("/").iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test]
async fn without_the_hub_the_builtin_one_answers_for_what_it_holds_and_says_so() {
    let player = Player::start(Manners::Open).await;
    player.put("library/hello", "latest", &hello());
    let bench = Bench::new(config()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let (address, count) = (player.host().to_owned(), asked.clone());
    bench.store.set_builtin(Arc::new(move |repository, _| {
        count.fetch_add(1, Ordering::Relaxed);
        let held = (repository == "library/hello").then(|| address.clone());
        async move { held }.boxed()
    }));

    let (pulled, said) = bench.pull_with(bench.request("hello")).await;
    pulled.expect("a pull from the built-in hub");
    let reason = "dial tcp: lookup registry-1.docker.io: no such host";
    assert_eq!(
        said[0],
        format!("Docker Hub does not answer ({reason}): pulling from the built-in hub at {}", player.host())
    );
    let note = &bench.notes(Note::BuiltinHub)[0];
    assert_eq!((note["reason"].as_str(), note["address"].as_str()), (reason, player.host()));

    let error = bench.pull("nginx").await.expect_err("not held");
    assert_eq!(error.to_string(), format!("Get \"https://registry-1.docker.io/v2/\": {reason}"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let probes = bench.trace().matches("\"url\":\"https://registry-1.docker.io").count();
    assert_eq!(probes, 1, "an unreachable hub is remembered");
}

#[tokio::test]
async fn what_a_mirror_does_not_have_is_asked_elsewhere() {
    let (empty, full) = (Player::start(Manners::Open).await, Player::start(Manners::Open).await);
    full.put("library/hello", "latest", &hello());
    let mirrors = vec![format!("http://{}", empty.host()), format!("http://{}/", full.host())];
    let bench = Bench::new(RegistryConfig { mirrors, ..config() }).await;
    bench.pull("hello").await.expect("from the second mirror");
    assert_eq!(empty.seen("/manifests/").len(), 2, "HEAD, and GET to learn why");
    let error = bench.pull("nginx").await.expect_err("nowhere");
    assert!(error.to_string().starts_with("Get \"https://registry-1.docker.io/v2/\""), "{error}");
}
