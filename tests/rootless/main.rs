//! Containers of an ordinary user, through the real program: no root anywhere. Run by root, the
//! tests become users of their own; run by anybody else, they are that user.

mod files;
mod guards;
mod life;
mod refusals;
mod socket;

#[path = "../support/place.rs"]
mod place;

use place::Place;
use std::process::Command;

/// A user most machines have, without a home.
const NOBODY: u32 = 65_534;
/// A user nobody ever made.
const STRANGER: u32 = 54_321;

/// A user's place; `None`, with the reason, where this machine keeps users from containers.
fn place() -> Option<Place> {
    let place = Place::of_user(NOBODY);
    let mut trial = Command::new("unshare");
    place.dress(trial.args(["--user", "--map-root-user", "--mount", "true"]));
    let tried = place::seen(trial.output().expect("unshare"));
    if tried.code == Some(0) {
        return Some(place);
    }
    assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "no user namespaces: {tried:?}");
    eprintln!("skipped: no user namespaces for users here: {}", tried.stderr.trim());
    None
}

/// A narration without its line breaks.
fn one_line(told: &str) -> String {
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs a line in the built-in alpine.
fn shell(place: &Place, line: &str) -> place::Seen {
    place.learn(&["run", "--rm", "--hub", "builtin", "alpine", "sh", "-c", line])
}
