//! `config.json`: where it is found, what it does, what is said when it is wrong.

use crate::place::Place;
use crate::registry;
use crate::support::player::Manners;

#[test]
fn a_malformed_file_is_named_by_line_in_both_languages_and_no_daemon_starts() {
    let place = Place::new();
    let file = place.write("config.json", "{\n  \"registry-mirrors\": [\n    \"mirror\"\n  ]\n}\n");
    let words = ["daemon", "start", "--config", &file];
    let english = place.learn(&words).failed(1);
    let expected = "expected a list of URLs ([\"https://mirror.example\"]), found [ \"mirror\" ]";
    assert_eq!(english, format!("{file}:2:23: {expected}\n"));
    let korean = place.korean(&words).failed(1);
    assert!(korean.starts_with(&format!("{file}:2:23: URL 목록이")), "{korean}");

    // The same when somebody is the daemon, and when one would be started by itself.
    assert_eq!(place.learn(&["daemon", "run", "--config", &file]).failed(1), english);
    let by_itself = place.command(&["ps"]).env("LEARN_CONFIG", &file).output().expect("learn");
    assert_eq!(String::from_utf8_lossy(&by_itself.stderr), english);
    let by_run = place.command(&["run", "hello-world"]).env("LEARN_CONFIG", &file).output().expect("learn");
    assert_eq!(by_run.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&by_run.stderr).contains(":2:23: expected a list of URLs"));
    assert!(!place.is_up());
}

#[test]
fn a_key_nobody_knows_is_refused_by_name() {
    let place = Place::new();
    let file = place.write("config.json", "{\"live-restore\": true}");
    let said = place.learn(&["daemon", "start", "--config", &file]).failed(1);
    assert!(said.contains("found live-restore") && said.contains("registry-mirrors"), "{said}");
}

#[test]
fn a_file_asked_for_by_name_must_be_there() {
    let place = Place::new();
    let file = place.path("missing.json").display().to_string();
    let said = place.learn(&["daemon", "start", "--config", &file]).failed(1);
    assert!(said.starts_with(&format!("cannot read the configuration file {file}: ")), "{said}");
    assert!(!place.is_up());
}

#[test]
fn a_relative_path_means_the_callers_directory() {
    let place = Place::new();
    place.write("here/config.json", "{\"registry-mirrors\": [\"https://mirror.example\"]}");
    let mut command = place.command(&["info"]);
    let output = command.env("LEARN_CONFIG", "config.json").current_dir(place.path("here")).output();
    let output = output.expect("learn");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Registry Mirrors:\n  https://mirror.example\n"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_asked_before_docker_hub_and_info_names_it() {
    let (place, player) = (Place::new(), registry(Manners::Hub).await);
    let mirror = format!("http://{}", player.host());
    let text = format!(
        "{{\"registry-mirrors\": [\"{mirror}\"], \"insecure-registries\": [\"reg.local:5000\", \"10.0.0.0/8\"]}}"
    );
    let file = place.write("config.json", &text);
    place.learn(&["daemon", "start", "--config", &file]).ok();

    let pulled = place.learn(&["pull", "hello"]).ok();
    assert!(pulled.contains("Status: Downloaded newer image for hello:latest"), "{pulled}");
    assert_eq!(player.seen("/v2/library/hello/manifests/").len(), 2, "HEAD and GET");

    let info = place.learn(&["info"]).ok();
    assert!(info.contains("Registry Mirrors:\n  http://127.0.0.1:"), "{info}");
    let insecure = "Insecure Registries:\n  reg.local:5000\n  10.0.0.0/8\n  127.0.0.0/8\n";
    assert!(info.contains(insecure), "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_unpacking_and_the_hub_come_from_the_file() {
    let (place, player) = (Place::new(), registry(Manners::Open).await);
    let text = format!("{{\"hub\": \"{}\", \"unpack-limit\": 100}}", player.host());
    let file = place.write("config.json", &text);
    let said = place.command(&["pull", "hello"]).env("LEARN_CONFIG", &file).output().expect("learn");
    let said = crate::place::seen(said).failed(1);
    assert!(said.contains("100"), "the limit is named: {said}");
    assert_eq!(player.seen("/v2/library/hello/manifests/").len(), 2);
}
