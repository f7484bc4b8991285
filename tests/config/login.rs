//! What `docker login` left in `~/.docker/config.json` goes with the pull, from the client: the
//! daemon may be somebody else's.

use crate::place::{Place, seen};
use crate::registry;
use crate::support::player::Manners;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// base64 of `ann:secret`.
const ANN: &str = "YW5uOnNlY3JldA==";

/// A daemon with a home in which nobody ever logged in.
fn place() -> Place {
    let place = Place::new();
    let start = place.command(&["daemon", "start"]).env("HOME", place.path("elsewhere")).output();
    seen(start.expect("learn")).ok();
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_kept_in_the_file_opens_a_private_registry() {
    let (place, player) = (place(), registry(Manners::Basic).await);
    let name = player.name("private:1");
    let said = place.learn(&["pull", &name]).failed(1);
    assert!(said.contains("no basic auth credentials"), "{said}");
    assert!(said.contains("docker login"), "the hint: {said}");

    let text = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{ANN}\"}}}}}}", player.host());
    place.write("home/.docker/config.json", &text);
    let pulled = place.learn(&["pull", &name]).ok();
    assert!(pulled.contains("Downloaded newer image"), "{pulled}");
    let told = place.learn(&["trace", "show", "last", "--explain=kernel"]).ok();
    assert!(told.contains("Basic ***") && !told.contains(ANN) && !told.contains("secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_helper_is_asked() {
    let (place, player) = (place(), registry(Manners::Basic).await);
    let asked = place.path("asked");
    let script = format!(
        "#!/bin/sh\nread -r who\necho \"$1 $who\" > {}\nprintf '{{\"Username\":\"ann\",\"Secret\":\"secret\"}}'\n",
        asked.display()
    );
    let helper = place.write("bin/docker-credential-fake", &script);
    set_permissions(helper, Permissions::from_mode(0o755)).expect("its mode");
    let text = format!("{{\"credHelpers\": {{\"{}\": \"fake\"}}}}", player.host());
    place.write("elsewhere/config.json", &text);
    let mut pull = place.command(&["pull", &player.name("private:1")]);
    seen(pull.env("DOCKER_CONFIG", place.path("elsewhere")).output().expect("learn")).ok();
    let asked = std::fs::read_to_string(asked).expect("the helper ran");
    assert_eq!(asked, format!("get {}\n", player.host()));
}

#[test]
fn a_malformed_file_is_named_by_line_in_both_languages() {
    let place = place();
    let file = place.write("home/.docker/config.json", "{\n  \"auths\": 7\n}");
    let words = ["pull", "127.0.0.1:1/private:1"];
    let said = place.learn(&words).failed(1);
    assert!(said.starts_with(&format!("{file}: expected an object with auths")), "{said}");
    assert!(said.contains("line 2"), "{said}");
    let korean = place.korean(&words).failed(1);
    assert!(korean.starts_with(&format!("{file}: auths")) && korean.contains("와야 합니다"), "{korean}");
}
