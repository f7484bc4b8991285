//! Owners, modes, times and attributes.

use crate::bench::{Bench, needs_root};
use crate::tarball::{Tarball, directory, file, hard_link, symlink};
use std::os::unix::fs::MetadataExt;

/// `CAP_NET_RAW+ep` as the kernel stores it, and a version that holds a newline byte.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const WITH_NEWLINE: [u8; 20] = [1, 0, 0, 2, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn modes_are_exact_whatever_the_umask() {
    let bench = Bench::new();
    let tar = Tarball::of([
        file("f", "").mode(0o666),
        directory("d").mode(0o1777),
        file("d/x", ""),
        directory("shut").mode(0o000),
        file("shut/x", ""),
        directory("./").mode(0o750),
    ]);
    bench.unpack(&tar).unwrap();
    let mode = |path: &str| bench.at(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!([mode("f"), mode("d"), mode("shut"), mode("")], [0o666, 0o1777, 0, 0o750]);
}

#[test]
fn times_are_kept_directories_included() {
    let bench = Bench::new();
    let tar = Tarball::of([
        directory("d").mtime(1),
        file("d/x", "").mtime(2),
        symlink("d/l", "x").mtime(3),
        hard_link("d/h", "d/x").mtime(9),
        file("p", "").pax(&[("mtime", b"1234567890.25")]),
        file("d/later", "").mtime(5),
    ]);
    bench.unpack(&tar).unwrap();
    let time = |path: &str| bench.at(path).symlink_metadata().unwrap().mtime();
    assert_eq!([time("d"), time("d/x"), time("d/l")], [1, 2, 3]);
    let precise = bench.at("p").metadata().unwrap();
    assert_eq!((precise.mtime(), precise.mtime_nsec()), (1_234_567_890, 250_000_000));
}

#[test]
fn root_keeps_owners_setuid_bits_and_capabilities() {
    if needs_root("chown") {
        return;
    }
    let bench = Bench::new();
    let tar = Tarball::of([
        directory("group").mode(0o2775).owner(0, 50),
        file("group/mine", "").owner(0, 0),
        file("su", "").mode(0o4755).owner(1000, 1001),
        file("ping", "").owner(7, 0).pax(&[("SCHILY.xattr.security.capability", &CAPABILITY)]),
        file("nl", "").pax(&[("SCHILY.xattr.security.capability", &WITH_NEWLINE)]),
        symlink("link", "su").owner(1000, 1001),
        file("big", "").pax(&[("uid", b"3000000"), ("gid", b"3000001")]),
    ]);
    bench.unpack(&tar).unwrap();
    let there = |path: &str| bench.at(path).symlink_metadata().unwrap();
    let owner = |path: &str| (there(path).uid(), there(path).gid());
    assert_eq!(owner("su"), (1000, 1001));
    assert_eq!(owner("link"), (1000, 1001));
    assert_eq!(owner("big"), (3_000_000, 3_000_001));
    assert_eq!(owner("group/mine"), (0, 0), "not the setgid directory's group");
    assert_eq!(there("su").mode() & 0o7777, 0o4755);
    assert_eq!(there("group").mode() & 0o7777, 0o2775);
    for (path, expected) in [("ping", CAPABILITY), ("nl", WITH_NEWLINE)] {
        let mut value = [0; 64];
        let length = rustix::fs::getxattr(bench.at(path), "security.capability", &mut value[..]).unwrap();
        assert_eq!(value[..length], expected, "{path}");
    }
}
