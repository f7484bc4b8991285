//! Where the daemon is, and what happens when it is not.

use crate::{learn, stderr, stdout};
use std::os::unix::net::UnixListener;

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("file"), "").unwrap();
    let host = format!("unix://{}", place.path().join("none.sock").display());
    let output = learn(&host, &place.path().join("file/root"), &["ps"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("daemon did not start: "), "{}", stderr(&output));
    assert!(stderr(&output).contains("file/root"), "{}", stderr(&output));
}

#[test]
fn a_daemon_that_gives_up_shows_the_end_of_its_log() {
    let place = tempfile::tempdir().unwrap();
    // The socket's directory is a file: nobody can listen there.
    std::fs::write(place.path().join("run"), "").unwrap();
    let root = place.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("daemon.log"), "words of an earlier daemon\n").unwrap();
    let host = format!("unix://{}", place.path().join("run/learn.sock").display());
    let output = learn(&host, &root, &["daemon", "start"]).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("daemon did not start: it ended with exit status: 1"), "{text}");
    assert!(text.contains("root/daemon.log:\n  "), "{text}");
    assert!(!text.contains("earlier daemon"), "{text}");
}

#[test]
fn status_says_when_nobody_listens() {
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("learn.sock");
    // A socket nobody serves any more, as a killed daemon leaves it.
    drop(UnixListener::bind(&socket).unwrap());
    let host = format!("unix://{}", socket.display());
    let output = learn(&host, place.path(), &["daemon", "status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), format!("the daemon is not up ({host})\n"));
    let korean = learn(&host, place.path(), &["daemon", "status", "--lang=ko"]).output().unwrap();
    assert!(stderr(&korean).contains("꺼져 있습니다"));
}

#[test]
fn stop_refuses_a_listener_that_is_not_ours() {
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("learn.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let output = learn(&host, place.path(), &["daemon", "stop"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("not stopped: pid "), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}
