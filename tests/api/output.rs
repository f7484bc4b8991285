//! Much output arrives whole, by attach, by logs, and with a reader on each.

use super::live::{Live, privileged, said, stdout};
use sha2::{Digest, Sha256};
use std::process::Stdio;

/// 10 MB of numbered lines, and what they should be.
const SCRIPT: &str = "seq -w 0 99999 | sed 's/^/0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ \
                      0123456789 0123456789 0123456789 /'";

fn expected() -> Vec<u8> {
    let before =
        "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 0123456789 0123456789";
    (0..100_000).flat_map(|n| format!("{before} {n:05}\n").into_bytes()).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn ten_megabytes_arrive_unchanged_by_attach_and_by_logs() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    let wanted = expected();
    assert!(wanted.len() > 10_000_000);
    let run = live.run(&["run", "--name", "much", "alpine", "sh", "-c", SCRIPT]);
    assert!(run.status.success());
    assert_eq!((run.stdout.len(), digest(&run.stdout)), (wanted.len(), digest(&wanted)), "attach");
    let logs = live.run(&["logs", "much"]);
    assert_eq!((logs.stdout.len(), digest(&logs.stdout)), (wanted.len(), digest(&wanted)), "logs");
    let tail = live.run(&["logs", "--tail", "2", "much"]);
    assert!(stdout(&tail).ends_with(" 99999\n") && stdout(&tail).lines().count() == 2, "{}", said(&tail));
}

#[test]
fn a_follower_from_the_start_sees_what_an_attached_client_sees() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    live.ok(&["create", "--name", "much", "alpine", "sh", "-c", SCRIPT]);
    live.ok(&["start", "much"]);
    let follow = live.learn(&["logs", "-f", "much"]).stdout(Stdio::piped()).spawn().expect("learn runs");
    let followed = follow.wait_with_output().expect("its end");
    let wanted = expected();
    assert_eq!((followed.stdout.len(), digest(&followed.stdout)), (wanted.len(), digest(&wanted)));
}

#[test]
fn a_program_begins_with_no_signal_ignored() {
    if !privileged() {
        return;
    }
    let live = Live::started();
    live.ok(&["pull", "-q", "--hub", "builtin", "alpine"]);
    let ignored = live.ok(&["run", "--rm", "alpine", "grep", "SigIgn", "/proc/self/status"]);
    let mask = ignored.split_whitespace().last().and_then(|hex| u64::from_str_radix(hex, 16).ok());
    // Signals 32 and 33 are the C library's own: nobody can set them back.
    let mask = mask.unwrap_or_else(|| panic!("{ignored}")) & !(0b11 << 31);
    assert_eq!(mask, 0, "{ignored}");
}
