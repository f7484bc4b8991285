//! Who may speak to a user's daemon, and where it listens when nobody says.

use crate::place::{Place, seen};
use crate::{STRANGER, place};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

/// One request by hand: status and body.
pub fn post(place: &Place, target: &str, body: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(place.path("run/learn.sock")).expect("the socket");
    let length = body.len();
    write!(
        stream,
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

#[test]
fn the_socket_is_the_users_and_a_stranger_is_told_what_to_do() {
    let Some(place) = place() else { return };
    place.learn(&["daemon", "start"]).ok();
    let socket = fs::metadata(place.path("run/learn.sock")).expect("the socket");
    assert_eq!((socket.permissions().mode() & 0o777, socket.uid()), (0o660, place.uid()));
    if !nix::unistd::geteuid().is_root() {
        return; // only root can be a stranger
    }
    let mut ps = place.command(&["ps"]);
    let said = seen(ps.uid(STRANGER).gid(STRANGER).output().expect("learn")).failed(1);
    let path = place.path("run/learn.sock").display().to_string();
    assert!(said.contains(&format!("permission denied on the daemon's socket unix://{path}")), "{said}");
    assert!(said.contains("hint: You may not open this socket."), "{said}");
}

#[test]
fn without_a_runtime_directory_the_socket_is_in_a_private_one() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can be a user nobody ever made");
        return;
    }
    let place = Place::of_user(STRANGER);
    let own = Private(PathBuf::from(format!("/tmp/learn-{STRANGER}")));
    let learn = |words: &[&str]| {
        let mut command = place.command(words);
        seen(command.env_remove("LEARN_HOST").env_remove("LEARN_ROOT").output().expect("learn"))
    };
    let started = learn(&["run", "--rm", "--hub", "builtin", "hello-world"]);
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.stderr.contains(&format!("unix://{}/learn.sock", own.0.display())), "{started:?}");
    let made = fs::metadata(&own.0).expect("the directory");
    assert_eq!((made.mode() & 0o777, made.uid()), (0o700, STRANGER));
    assert!(place.path("home/.local/share/learn/images.json").exists());
    learn(&["daemon", "stop"]).ok();

    // A directory somebody else made first could be a trap.
    fs::remove_dir_all(&own.0).expect("gone");
    fs::create_dir(&own.0).expect("root's");
    let said = learn(&["ps"]).failed(1);
    assert!(said.contains(&format!("{} is not owned by uid {STRANGER}", own.0.display())), "{said}");
}

/// A directory that goes with the test.
struct Private(PathBuf);

impl Drop for Private {
    fn drop(&mut self) {
        // Not made is as good.
        let _ = fs::remove_dir_all(&self.0);
    }
}
