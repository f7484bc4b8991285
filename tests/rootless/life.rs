//! A container's life, from the first pull to its removal.

use crate::{NOBODY, one_line, place, shell};
use learn::hub::alpine::TOP_DIRECTORIES;
use std::fs;
use std::os::unix::fs::MetadataExt;

#[test]
fn hello_world_runs_and_says_how_it_did_without_root() {
    let Some(place) = place() else { return };
    let words = ["run", "--explain=kernel", "--hub", "builtin", "hello-world"];
    let seen = place.learn(&words);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert!(seen.stdout.contains("Hello from learn!"), "{}", seen.stdout);
    let told = one_line(&seen.stderr);
    let uid = place.uid();
    for part in [
        "CLONE_NEWUSER",
        &format!("in the user namespace 0 inside is {uid} outside"),
        "setgroups",
        "memfd_create() + fcntl(F_ADD_SEALS, F_SEAL_WRITE)",
        "userxattr",
        "no limit can be set here: control groups are not delegated to users other than root",
    ] {
        assert!(told.contains(part), "{part} is not told:\n{}", seen.stderr);
    }
    assert!(!told.contains("mknod("), "that needs root:\n{}", seen.stderr);
    let korean = place.korean(&["run", "--explain", "hello-world"]);
    assert_eq!(korean.code, Some(0), "{korean:?}");
    assert!(one_line(&korean.stderr).contains("제어 그룹이 맡겨지지 않았습니다"), "{}", korean.stderr);
}

#[test]
fn alpine_lists_its_directories_and_a_missing_program_is_127() {
    let Some(place) = place() else { return };
    let listed = place.learn(&["run", "--rm", "--hub", "builtin", "alpine", "ls"]).ok();
    assert_eq!(listed.lines().collect::<Vec<_>>(), TOP_DIRECTORIES);
    let said = place.learn(&["run", "--hub", "builtin", "hello-world", "ls"]).failed(127);
    assert!(said.contains("exec: \"ls\": executable file not found in $PATH"), "{said}");
    let listed = place.learn(&["ps", "-a"]).ok();
    assert!(listed.contains("   Created   "), "{listed}");
}

#[test]
fn a_container_outlives_its_daemon_and_is_found_again() {
    let Some(place) = place() else { return };
    let line = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done";
    place.learn(&["run", "-d", "--name", "one", "--hub", "builtin", "alpine", "sh", "-c", line]).ok();
    place.learn(&["daemon", "stop"]).ok();
    assert!(!place.is_up());
    let listed = place.learn(&["ps"]).ok();
    assert!(listed.contains("   Up ") && listed.trim_end().ends_with("one"), "{listed}");
    place.learn(&["stop", "one"]).ok();
    assert_eq!(place.learn(&["wait", "one"]).ok(), "7\n");
    assert_eq!(place.learn(&["logs", "one"]).ok(), "up\nbye\n");
    place.learn(&["start", "one"]).ok();
    place.learn(&["kill", "one"]).ok();
    assert_eq!(place.learn(&["wait", "one"]).ok(), "137\n");
    place.learn(&["rm", "one"]).ok();
    assert_eq!(place.learn(&["ps", "-aq"]).ok(), "");
}

#[test]
fn nothing_is_left_behind() {
    let Some(place) = place() else { return };
    // A directory without permissions, a deep one, and what the kernel leaves in `work`.
    let line = "mkdir -p /root/locked/deep /a/b/c; touch /root/locked/deep/file; chmod 0 /root/locked; rm -r /etc/apk /var";
    place.learn(&["run", "--name", "one", "--hub", "builtin", "alpine", "sh", "-c", line]);
    let containers = place.path("root/containers");
    assert_eq!(fs::read_dir(&containers).expect("containers").count(), 1);
    place.learn(&["rm", "one"]).ok();
    assert_eq!(fs::read_dir(&containers).expect("containers").count(), 0);
    assert_eq!(fs::read_dir(place.path("run/shim")).expect("shims").count(), 0);
    place.learn(&["daemon", "stop"]).ok();

    let here = place.path("").display().to_string();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    assert!(!mounts.contains(here.trim_end_matches('/')), "{mounts}");
    let mut left: Vec<String> = fs::read_dir(place.path("run"))
        .expect("the run directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["containers", "shim"]);
    assert_eq!(fs::read_dir(place.path("run/containers")).expect("bundles").count(), 0);
    let left = processes_of(&here);
    assert!(left.is_empty(), "still there: {left:?}");
}

/// Command lines of processes that name a path.
fn processes_of(path: &str) -> Vec<String> {
    let lines = fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(path)).collect()
}

#[test]
fn the_users_own_configuration_is_found() {
    let Some(place) = place() else { return };
    place.write("home/.config/learn/config.json", "{\"registry-mirrors\": [\"https://mirror.example\"]}");
    if place.uid() == NOBODY {
        for part in ["home/.config", "home/.config/learn"] {
            assert!(fs::metadata(place.path(part)).expect("made").mode() & 0o5 != 0, "readable for the user");
        }
    }
    let info = place.learn(&["info"]).ok();
    assert!(info.contains("Registry Mirrors:\n  https://mirror.example\n"), "{info}");
    assert!(info.contains(" rootless\n"), "{info}");
    assert!(info.contains("userxattr: true"), "{info}");
}

#[test]
fn what_the_container_made_belongs_to_the_user() {
    let Some(place) = place() else { return };
    let id = place.learn(&["run", "-d", "--hub", "builtin", "alpine", "touch", "/root/made"]).ok();
    place.learn(&["wait", id.trim()]).ok();
    let made = place.path(&format!("root/containers/{}/upper/root/made", id.trim()));
    assert_eq!(fs::metadata(made).expect("the file").uid(), place.uid());
    assert_eq!(shell(&place, "id -u; stat -c %u /root /bin").ok(), "0\n0\n0\n");
}
