//! The daemon's configuration, `--hub`, proxies and logins, through the real program: a daemon of
//! the test's own, and a player of Docker Hub in this process.

mod file;
mod hub;
mod login;
mod proxy;

#[path = "../support/place.rs"]
mod place;
#[path = "../support/registry/mod.rs"]
#[allow(dead_code, reason = "the registry tests make the player misbehave; here it behaves")]
mod support;

use support::image::{Layer, Packing, TestImage};
use support::player::{Manners, Player};

/// A small image for this machine.
fn image() -> TestImage {
    let architecture = learn::kernel::linux::probe::probe().architecture;
    TestImage::new(
        &[Layer::new(&[("hello", b"hello\n")], Packing::Gzip)],
        &format!("linux/{architecture}"),
        true,
    )
}

/// A registry that holds `library/hello:latest` and `private:1`.
async fn registry(manners: Manners) -> Player {
    let player = Player::start(manners).await;
    player.put("library/hello", "latest", &image());
    player.put("private", "1", &image());
    player
}
