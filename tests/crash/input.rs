//! Damaged files, unknown images, a daemon out of reach: what was wrong, where, and what to do.

use super::live::{Live, privileged, said, stderr, unable};
use super::registry::image::{Document, Layer, Packing, TestImage};
use super::registry::player::{Manners, Player};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

/// Adds a line no JSON parser takes, and gives its number.
fn damage(path: &std::path::Path) -> usize {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 3, "written for people, a field a line: {text}");
    let damaged = [&lines[..2], &["  ?"], &lines[2..]].concat().join("\n");
    fs::write(path, damaged).expect("written");
    3
}

#[test]
fn a_damaged_record_of_a_container_is_named_with_its_line_and_nothing_is_removed() {
    if !privileged() {
        return;
    }
    let mut live = Live::started();
    live.ok(&["run", "--hub", "builtin", "hello-world"]);
    live.kill();
    let record = live.root().join("containers").join(&live.container_ids()[0]).join("container.json");
    let whole = fs::read(&record).expect("a record");
    let line = damage(&record);
    let told = live.try_start().expect_err("it cannot know the container");
    let place = format!("{}:{line}", record.display());
    assert!(told.contains(&place) && told.contains("expected a container's record"), "{told}");
    fs::write(&record, whole).expect("written");
    live.start();
    assert_eq!(live.ok(&["ps", "-aq"]).lines().count(), 1);
}

#[test]
fn a_damaged_list_of_images_is_named_with_its_line() {
    if !privileged() {
        return;
    }
    let mut live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "hello-world"]);
    live.kill();
    let index = live.root().join("images.json");
    let line = damage(&index);
    let told = live.try_start().expect_err("it cannot know the images");
    assert!(told.contains(&format!("{}:{line}", index.display())) && told.contains("expected"), "{told}");
    // A client that starts the daemon itself shows the same.
    for lang in ["en", "ko"] {
        let output = live.learn(&["images"]).env("LEARN_LANG", lang).output().expect("learn runs");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(stderr(&output).contains(&format!("{}:{line}", index.display())), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_docker_configuration_is_named_with_its_line() {
    if !privileged() {
        return;
    }
    let player = Player::start(Manners::Basic).await;
    let live = Live::started();
    let config = live.home().join(".docker/config.json");
    fs::create_dir_all(config.parent().expect("a directory")).expect("made");
    fs::write(&config, "{\n  \"auths\": {\n    oops\n  }\n}\n").expect("written");
    let refused = live.run(&["pull", &player.name("x:1")]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let told = stderr(&refused);
    assert!(told.contains(&config.display().to_string()) && told.contains("line 3"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_none_is_refused_with_what_was_expected() {
    if !privileged() {
        return;
    }
    let player = Player::start(Manners::Open).await;
    let layer = Layer::new(&[("hello", b"hello")], Packing::Gzip);
    let media_type = TestImage::new(&[layer], "linux/amd64", true).manifest.media_type;
    let bytes = b"{\n  \"schemaVersion\": 2,\n  \"config\": 7\n}\n".to_vec();
    player.put_document("odd", "1", &Document { media_type, bytes });
    let live = Live::started();
    let refused = live.run(&["run", &player.name("odd:1")]);
    assert_eq!(refused.status.code(), Some(125), "{}", said(&refused));
    let told = stderr(&refused);
    assert!(told.contains("manifest") && told.contains("line 3") && told.contains("expected"), "{told}");
    assert_eq!(live.ok(&["images", "-q"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_image_is_told_in_dockers_words_with_125() {
    if !privileged() {
        return;
    }
    let player = Player::start(Manners::Open).await;
    let live = Live::started();
    let name = player.name("nope:latest");
    let refused = live.run(&["run", &name]);
    assert_eq!(refused.status.code(), Some(125), "{}", said(&refused));
    let words = format!(
        "docker: Error response from daemon: manifest for {name} not found: manifest unknown: manifest unknown"
    );
    let told = stderr(&refused);
    assert!(told.contains(words.trim_start_matches("docker: ")), "{told}");
    assert_eq!(live.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_user_the_socket_shuts_out_is_told_what_to_do() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    fs::set_permissions(live.home().parent().expect("its directory"), fs::Permissions::from_mode(0o755))
        .expect("a mode");
    // The program itself must be within reach of anybody.
    let program = live.home().parent().expect("its directory").join("learn");
    fs::copy(env!("CARGO_BIN_EXE_learn"), &program).expect("a copy");
    for (lang, advice) in [("en", "hint"), ("ko", "도움말")] {
        let mut command = live.command(&program.display().to_string(), &["ps"]);
        let output = match command.env("LEARN_LANG", lang).uid(65534).gid(65534).current_dir("/").output() {
            Ok(output) => output,
            Err(error) => {
                unable(&format!("cannot become nobody: {error}"));
                return;
            }
        };
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let told = stderr(&output);
        assert!(told.to_lowercase().contains("permission denied") && told.contains(advice), "{told}");
        assert!(told.contains("usermod") || told.contains("sudo"), "{told}");
    }
}

#[test]
fn a_daemon_that_cannot_be_started_is_told_with_the_reason() {
    if !privileged() {
        return;
    }
    let mut live = Live::new();
    // A state directory that is a file.
    live.set("LEARN_ROOT", "/dev/null/state");
    for lang in ["en", "ko"] {
        let output = live.learn(&["ps"]).env("LEARN_LANG", lang).output().expect("learn runs");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(stderr(&output).contains("/dev/null/state"), "{}", said(&output));
    }
}
