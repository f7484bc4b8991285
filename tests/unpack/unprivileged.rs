//! The same layers, unpacked by an ordinary user.

use crate::bench::as_nobody;
use crate::tarball::{Tarball, device, directory, file};
use std::os::unix::fs::MetadataExt;

#[test]
fn devices_are_left_out_and_counted() {
    as_nobody(|bench| {
        let tar = Tarball::of([device("dev/null", 1, 3), device("dev/sda", 8, 0), file("x", "x")]);
        let result = bench.unpack(&tar).unwrap();
        assert_eq!(result.facts["skipped-devices"], "2");
        assert!(!bench.at("dev/null").exists());
        assert_eq!(bench.text("x"), "x");
    });
}

#[test]
fn owners_are_the_users_own_and_modes_exact() {
    as_nobody(|bench| {
        let tar = Tarball::of([file("su", "").mode(0o4755).owner(0, 0), file("x", "").owner(1000, 1000)]);
        bench.unpack(&tar).unwrap();
        let me = rustix::process::geteuid().as_raw();
        for (path, mode) in [("su", 0o4755), ("x", 0o644)] {
            let there = bench.at(path).metadata().unwrap();
            assert_eq!((there.uid(), there.mode() & 0o7777), (me, mode), "{path}");
        }
    });
}

#[test]
fn a_directory_without_permissions_is_filled_before_it_is_shut() {
    as_nobody(|bench| {
        let tar = Tarball::of([
            directory("a").mode(0),
            directory("a/b").mode(0o500).mtime(5),
            file("a/b/c", "deep"),
            directory("a-b").mode(0o700),
        ]);
        bench.unpack(&tar).unwrap();
        assert_eq!(bench.at("a").metadata().unwrap().mode() & 0o7777, 0);
        assert!(bench.at("a/b/c").metadata().is_err(), "shut for its owner too");
    });
}

#[test]
fn attributes_beyond_the_users_are_left_out_and_counted() {
    as_nobody(|bench| {
        let entry = file("x", "").pax(&[
            ("SCHILY.xattr.security.capability", &[1, 0, 0, 2, 0, 0x20, 0, 0]),
            ("SCHILY.xattr.user.note", b"kept"),
        ]);
        let result = bench.unpack(&Tarball::of([entry])).unwrap();
        assert_eq!(result.facts["skipped-xattrs"], "1");
        let mut value = [0; 16];
        let length = rustix::fs::getxattr(bench.at("x"), "user.note", &mut value[..]).unwrap();
        assert_eq!(value[..length], *b"kept");
    });
}
