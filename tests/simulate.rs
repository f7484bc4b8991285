//! `--simulate` as an ordinary user meets it: the real program, no privilege, no daemon, nothing on
//! the disk, and the stages of a real run.

#[path = "support/place.rs"]
mod place;

use nix::pty::openpty;
use place::{Place, Seen, seen};
use std::process::Stdio;

/// nobody(5), on most machines.
const NOBODY: u32 = 65534;

const BADGE: &str = "[simulated] · a model plays this; nothing on this machine changes\n";

fn simulated(place: &Place, words: &[&str]) -> Seen {
    place.learn(&[&["--simulate"], words].concat())
}

/// Compares with `snapshots/<name>.snap`, whatever processor and compiler made the image.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter("sha256:[0-9a-f]{12}", "sha256:<digest>");
    settings.add_filter("linux/(amd64|arm64(/v8)?)", "<platform>");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn hello_world_says_hello_and_its_story_is_told_in_both_languages() {
    let place = Place::of_user(NOBODY);
    for (lang, name) in [("en", "simulate-story-en"), ("ko", "simulate-story-ko")] {
        let run = simulated(&place, &["run", "-q", "hello-world", "--explain=story", "--lang", lang]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), learn::hub::hello::MESSAGE), "{run:?}");
        snapshot(name, &run.stderr);
    }
}

#[test]
fn nothing_is_written_to_the_disk_and_no_daemon_is_started() {
    let place = Place::of_user(NOBODY);
    simulated(&place, &["run", "alpine", "ls"]).ok();
    assert!(!place.is_up());
    assert!(!place.path("root").exists() && !place.path("run").exists());
    assert_eq!(std::fs::read_dir(place.path("home")).expect("the home").count(), 0);
}

#[test]
fn programs_end_with_dockers_exit_codes_and_the_badge_is_on_standard_error() {
    let place = Place::of_user(NOBODY);
    let ls = simulated(&place, &["run", "-q", "alpine", "ls"]);
    assert_eq!((ls.stdout.lines().count(), ls.stderr.as_str(), ls.code), (17, BADGE, Some(0)));
    let ends = [
        (&["run", "hello-world", "ls"][..], 127, "exec: \"ls\": executable file not found in $PATH"),
        (&["run", "nosuch"][..], 125, "pull access denied for nosuch"),
        (&["run", "alpine", "sh", "-c", "exit 3"][..], 3, ""),
        (&["run", "alpine", "vi"][..], 126, "the simulator has no model of /usr/bin/vi"),
        (&["rm", "nosuch"][..], 1, "No such container: nosuch"),
    ];
    for (words, code, said) in ends {
        let stderr = simulated(&place, words).failed(code);
        assert!(stderr.starts_with(BADGE) && stderr.contains(said), "{words:?}: {stderr}");
    }
    let refused = place.korean(&["--simulate", "run", "alpine", "vi"]).failed(126);
    assert!(refused.contains("시뮬레이터가 흉내 낼 수 없는 프로그램입니다: /usr/bin/vi"), "{refused}");
}

#[test]
fn every_machine_is_new() {
    let place = Place::of_user(NOBODY);
    simulated(&place, &["create", "--name", "left", "alpine"]).ok();
    assert_eq!(simulated(&place, &["ps", "-aq"]).ok(), "");
    assert_eq!(simulated(&place, &["images", "-q"]).ok(), "");
}

#[test]
fn the_built_in_hub_can_be_chosen() {
    let place = Place::of_user(NOBODY);
    let pulled = simulated(&place, &["--hub", "builtin", "pull", "alpine"]).ok();
    assert!(pulled.contains("Pulling from the built-in hub at 127.0.0.1:5000"), "{pulled}");
}

#[test]
fn a_learner_who_quits_while_stepping_ends_the_run() {
    let place = Place::of_user(NOBODY);
    let pty = openpty(None, None).expect("a terminal");
    nix::unistd::write(&pty.master, b"\n\n\nq\n").expect("keys");
    let mut command = place.command(&["--simulate", "run", "-q", "hello-world", "--step"]);
    command.stdin(Stdio::from(pty.slave.try_clone().expect("its other end")));
    let run = seen(command.output().expect("learn"));
    assert_eq!(run.stdout, "", "{run:?}");
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.starts_with(BADGE.trim_end()), "{run:?}");
    assert!(run.stderr.contains("stopping; what was done is undone"), "{run:?}");
}

/// The headings of a narration, without what they are about, in the order of the alphabet: attach
/// and wait, two requests at once, are told as they come.
fn headings(told: &str) -> Vec<String> {
    let titles = told.lines().filter(|line| line.trim_start().starts_with("> "));
    let without_id = |line: &str| match line.split_once("/containers/") {
        Some((before, rest)) => {
            let verb = rest.split(['/', ' ']).nth(1).unwrap_or_default();
            format!("{before} {verb}")
        }
        None => line.split(" · ").next().unwrap_or_default().to_owned(),
    };
    let mut titles: Vec<String> = titles.map(without_id).collect();
    titles.sort();
    titles
}

#[test]
fn the_stages_are_those_of_a_real_run() {
    if !nix::unistd::geteuid().is_root() {
        assert!(
            std::env::var_os("LEARN_REQUIRE_ROOT").is_none(),
            "LEARN_REQUIRE_ROOT is set, this is not root"
        );
        eprintln!("skipped: the real run needs root");
        return;
    }
    let words = ["--hub", "builtin", "run", "-q", "hello-world", "--explain"];
    let real = Place::new().learn(&words);
    let played = simulated(&Place::of_user(NOBODY), &words);
    assert_eq!((real.code, played.code), (Some(0), Some(0)), "{real:?}\n{played:?}");
    assert!(headings(&played.stderr).len() > 20, "{played:?}");
    assert_eq!(headings(&played.stderr), headings(&real.stderr));
}
