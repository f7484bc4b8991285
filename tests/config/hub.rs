//! Who answers for Docker Hub, pull by pull.

use crate::place::{Place, seen};
use crate::registry;
use crate::support::player::Manners;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_url_given_with_the_pull_is_asked_instead_of_docker_hub() {
    let (place, player) = (Place::new(), registry(Manners::Hub).await);
    let url = format!("http://{}", player.host());
    let pulled = place.learn(&["pull", "--hub", &url, "hello"]).ok();
    assert!(pulled.contains(&format!("Pulling from {} instead of Docker Hub", player.host())), "{pulled}");
    assert_eq!(player.seen("/token").len(), 1);
    // The next pull has a mind of its own again.
    let said = place.learn(&["pull", "--hub", "builtin", "hello"]).failed(1);
    assert!(said.contains("the built-in hub does not hold it"), "{said}");
    assert_eq!(player.seen("/token").len(), 1, "not asked again");
}

#[test]
fn the_built_in_hub_can_be_chosen() {
    let place = Place::new();
    let pulled = place.learn(&["pull", "--hub", "builtin", "hello-world"]).ok();
    assert!(pulled.contains("Pulling from the built-in hub at 127.0.0.1:"), "{pulled}");
}

#[test]
fn an_address_that_is_none_is_refused_by_name() {
    let place = Place::new();
    let said = place.learn(&["pull", "--hub", "ftp://x", "hello-world"]).failed(1);
    let expected =
        "learn-hub: \"ftp://x\": expected the address of a registry as host[:port] or http(s)://host[:port]";
    assert!(said.contains(expected), "{said}");
}

/// A command in a network namespace without a network: not even loopback is up.
fn without_network(command: &Command) -> Command {
    let mut alone = Command::new("unshare");
    let own_user: &[&str] =
        if nix::unistd::geteuid().is_root() { &[] } else { &["--user", "--map-current-user"] };
    alone.args(own_user).arg("--net").arg(command.get_program()).args(command.get_args()).env_clear();
    alone.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    alone
}

#[test]
fn docker_hub_alone_is_not_replaced_in_silence() {
    let place = Place::new();
    let pull = place.command(&["pull", "--hub", "docker", "hello-world"]);
    let said = seen(without_network(&pull).output().expect("unshare")).failed(1);
    assert!(said.contains("lookup registry-1.docker.io: no such host"), "{said}");
    assert!(said.contains("hint: The registry was not reached."), "{said}");
    assert_eq!(place.learn(&["images", "-q"]).ok(), "");
}
