//! Tables and documents, laid out as Docker lays them out.

use crate::daemon::{Daemon, Reply, error, json};
use crate::{against, seen, snapshot, stderr, stdout};

/// Containers made so many seconds ago.
fn containers() -> String {
    let ago = |seconds: i64| jiff::Timestamp::now().as_second() - seconds;
    serde_json::json!([
        {
            "Id": "4f1d8fca4c1a3a9d2f30b1f7d9a9f7c0e2f1a5b6c7d8e9f0a1b2c3d4e5f60718",
            "Names": ["/web", "/other/link"], "Image": "nginx:1.27", "ImageID": "sha256:aa",
            "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'", "Created": ago(7300),
            "Ports": [
                {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
                {"PrivatePort": 443, "Type": "tcp"}
            ],
            "State": "running", "Status": "Up 2 hours", "SizeRw": 1095, "SizeRootFs": 187_000_000
        },
        {
            "Id": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "Names": ["/gifted_kepler"], "Image": "hello-world", "ImageID": "sha256:bb",
            "Command": "/hello", "Created": ago(65), "Ports": null,
            "State": "exited", "Status": "Exited (0) About a minute ago"
        }
    ])
    .to_string()
}

#[test]
fn containers_are_a_table() {
    let daemon = Daemon::new(&[("GET /containers/json", json(&containers()))]);
    let mut text = String::new();
    for words in [&["ps", "-a"][..], &["ps", "-aq"], &["ps", "--no-trunc"], &["ps", "-s", "-n", "2"]] {
        text.push_str(&format!("$ learn {}\n{}\n", words.join(" "), stdout(&against(&daemon, words))));
    }
    snapshot("ps", &text);
    let queries: Vec<String> = daemon.lines().into_iter().filter(|line| line.contains("json")).collect();
    assert_eq!(
        queries,
        [
            "GET /v1.47/containers/json?all=1",
            "GET /v1.47/containers/json?all=1",
            "GET /v1.47/containers/json",
            "GET /v1.47/containers/json?limit=2&size=1",
        ]
    );
}

#[test]
fn no_containers_leave_the_heading() {
    let daemon = Daemon::new(&[("GET /containers/json", json("[]"))]);
    assert_eq!(
        stdout(&against(&daemon, &["container", "ls"])),
        "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"
    );
}

#[test]
fn images_are_a_table_with_one_line_a_tag() {
    let ago = |seconds: i64| jiff::Timestamp::now().as_second() - seconds;
    let images = serde_json::json!([
        {"Id": "sha256:74cc54e27dc41bb10dc4b2226072d469509f2f22f1a3ce74f4a59661a1d44602", "Size": 13_256,
         "Created": ago(86_400 * 400), "RepoTags": ["hello-world:latest"],
         "RepoDigests": ["hello-world@sha256:1111"]},
        {"Id": "sha256:05455a08881ea9cf0e752bc48e61bbd71a34c029bb13df01e40e3e70e0d007bd", "Size": 7_390_000,
         "Created": ago(86_400 * 20), "RepoTags": ["alpine:3.20", "localhost:5000/alpine:latest"],
         "RepoDigests": []},
        {"Id": "sha256:99455a08881ea9cf0e752bc48e61bbd71a34c029bb13df01e40e3e70e0d007bd", "Size": 999_900,
         "Created": 0, "RepoTags": null, "RepoDigests": null}
    ]);
    let daemon = Daemon::new(&[("GET /images/json", json(&images.to_string()))]);
    let mut text = String::new();
    for words in [&["images"][..], &["images", "--digests"], &["image", "ls", "-q"]] {
        text.push_str(&format!("$ learn {}\n{}\n", words.join(" "), stdout(&against(&daemon, words))));
    }
    snapshot("images", &text);
}

#[test]
fn a_name_filters_images_by_reference() {
    let daemon = Daemon::new(&[("GET /images/json", json("[]"))]);
    against(&daemon, &["images", "alpine"]);
    assert_eq!(
        daemon.lines()[1],
        "GET /v1.47/images/json?filters=%7B%22reference%22%3A%7B%22alpine%22%3Atrue%7D%7D"
    );
}

#[test]
fn inspect_keeps_the_daemons_fields_and_tries_images_after_containers() {
    let daemon = Daemon::new(&[
        ("GET /containers/c/json", json(r#"{"Id":"c","Zed":[],"Args":["a","b"]}"#)),
        ("GET /containers/i/json", error(404, "No such container: i")),
        ("GET /images/i/json", json(r#"{"Id":"sha256:i"}"#)),
        ("GET /containers/x/json", error(404, "No such container: x")),
        ("GET /images/x/json", error(404, "No such image: x")),
    ]);
    let output = against(&daemon, &["inspect", "c", "i", "x"]);
    snapshot("inspect", &seen(&output));
}

#[test]
fn version_shows_both_sides_and_a_client_that_stepped_down() {
    let version = serde_json::json!({
        "Platform": {"Name": "learn"}, "Version": "0.1.0", "ApiVersion": "1.43", "MinAPIVersion": "1.41",
        "Components": [{"Name": "Engine", "Version": "0.1.0", "Details": {
            "ApiVersion": "1.43", "MinAPIVersion": "1.41", "GitCommit": "abc1234", "Os": "linux",
            "Arch": "amd64", "KernelVersion": "6.1.0", "Experimental": "false"}}]
    });
    let daemon = Daemon::of_version("1.43", &[("GET /version", json(&version.to_string()))]);
    let output = against(&daemon, &["version"]);
    assert_eq!(daemon.lines(), ["HEAD /_ping", "GET /v1.43/version"]);
    let text = stdout(&output)
        .replace(&format!("linux/{}", arch()), "linux/ARCH")
        .replace("linux/amd64", "linux/ARCH");
    snapshot("version", &text);
}

fn arch() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

#[test]
fn info_lists_what_the_daemon_knows() {
    let info = serde_json::json!({
        "ID": "d1", "Containers": 3, "ContainersRunning": 1, "ContainersPaused": 0, "ContainersStopped": 2,
        "Images": 2, "ServerVersion": "0.1.0", "Driver": "overlay2",
        "DriverStatus": [["Backing Filesystem", "extfs"]], "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs", "CgroupVersion": "2",
        "Plugins": {"Volume": ["local"], "Network": ["host", "null"], "Log": ["json-file"]},
        "Runtimes": {"learn": {}}, "DefaultRuntime": "learn",
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
        "KernelVersion": "6.1.0", "OperatingSystem": "Debian", "OSType": "linux", "Architecture": "x86_64",
        "NCPU": 2, "MemTotal": 8_217_722_880_i64, "Name": "box", "DockerRootDir": "/var/lib/learn",
        "LiveRestoreEnabled": true, "Warnings": ["WARNING: No swap limit support"]
    });
    let daemon = Daemon::new(&[("GET /info", json(&info.to_string()))]);
    snapshot("info", &seen(&against(&daemon, &["info"])));
}

#[test]
fn acts_on_several_containers_name_what_went_well_and_what_did_not() {
    let daemon = Daemon::new(&[
        ("DELETE /containers/a", Reply::Plain(204, String::new())),
        ("DELETE /containers/b", error(404, "No such container: b")),
        ("DELETE /containers/c", Reply::Plain(204, String::new())),
    ]);
    let output = against(&daemon, &["rm", "a", "b", "c"]);
    assert_eq!(stdout(&output), "a\nc\n");
    assert_eq!(stderr(&output), "Error response from daemon: No such container: b\n");
    assert_eq!(output.status.code(), Some(1));
    let forced = against(&daemon, &["rm", "-f", "b"]);
    assert_eq!(forced.status.code(), Some(0));
    assert_eq!(stderr(&forced), "Error response from daemon: No such container: b\n");
}

#[test]
fn an_answer_of_no_change_is_no_error() {
    let daemon = Daemon::new(&[("POST /containers/a/stop", Reply::Plain(304, String::new()))]);
    assert_eq!(stdout(&against(&daemon, &["stop", "-t", "1", "a"])), "a\n");
    assert_eq!(daemon.lines()[1], "POST /v1.47/containers/a/stop?t=1");
}

#[test]
fn one_connection_serves_all_requests_of_a_command() {
    let daemon = Daemon::new(&[("POST /containers/a/kill", Reply::Plain(204, String::new()))]);
    against(&daemon, &["kill", "-s", "TERM", "a", "a"]);
    assert_eq!(daemon.connections(), 1);
    let kill = "POST /v1.47/containers/a/kill?signal=TERM";
    assert_eq!(daemon.lines(), ["HEAD /_ping", kill, kill]);
}

#[test]
fn advice_is_printed_apart_from_the_error() {
    let refused = r#"{"message":"disk is full","hint":"free-disk"}"#;
    let daemon = Daemon::new(&[("POST /containers/a/start", Reply::Plain(500, refused.to_owned()))]);
    let output = against(&daemon, &["start", "a"]);
    let text = stderr(&output);
    let words = "Error response from daemon: disk is full\nError: failed to start containers: a\n\nhint: ";
    assert!(text.starts_with(words), "{text}");
}
