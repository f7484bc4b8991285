//! Names and links that want out.

use crate::bench::{Bench, needs_root};
use crate::tarball::{Tarball, device, directory, file, hard_link, symlink};
use learn::error::Kind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

#[test]
fn a_name_that_climbs_above_the_root_is_refused() {
    for name in ["../outside", "a/../../outside", ".."] {
        let bench = Bench::new();
        let fault = bench.unpack(&Tarball::of([file(name, "broken")])).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid, "{name}");
        assert!(fault.message.contains(name), "{}", fault.message);
        bench.assert_nothing_escaped();
    }
}

#[test]
fn an_absolute_name_is_one_beneath_the_root() {
    let bench = Bench::new();
    let name = bench.temp.path().join("outside");
    bench.unpack(&Tarball::of([file(name.to_str().unwrap(), "inside")])).unwrap();
    assert_eq!(bench.text(name.to_str().unwrap().trim_start_matches('/')), "inside");
    bench.assert_nothing_escaped();
}

#[test]
fn a_file_through_a_link_out_of_the_layer_stays_inside() {
    for target in ["..", "/", "/..", "../../../../../.."] {
        let bench = Bench::new();
        let tar = Tarball::of([symlink("door", target), file("door/outside", "inside")]);
        bench.unpack(&tar).unwrap();
        assert_eq!(bench.text("outside"), "inside", "{target}");
        bench.assert_nothing_escaped();
    }
}

#[test]
fn a_file_through_an_absolute_link_to_a_missing_directory_stays_inside() {
    let bench = Bench::new();
    let target = bench.temp.path().to_str().unwrap().to_owned();
    bench.unpack(&Tarball::of([symlink("door", &target), file("door/outside", "inside")])).unwrap();
    assert_eq!(bench.text(&format!("{}/outside", target.trim_start_matches('/'))), "inside");
    bench.assert_nothing_escaped();
}

#[test]
fn a_file_in_place_of_a_link_does_not_write_through_it() {
    let bench = Bench::new();
    bench.unpack(&Tarball::of([symlink("x", "../outside"), file("x", "inside")])).unwrap();
    assert!(bench.at("x").symlink_metadata().unwrap().is_file());
    bench.assert_nothing_escaped();
}

#[test]
fn a_directory_in_place_of_a_link_is_a_directory() {
    let bench = Bench::new();
    let tar = Tarball::of([symlink("x", ".."), directory("x").mode(0o700), file("x/outside", "inside")]);
    bench.unpack(&tar).unwrap();
    assert!(bench.at("x").symlink_metadata().unwrap().is_dir());
    bench.assert_nothing_escaped();
}

#[test]
fn a_hard_link_to_a_file_outside_is_refused() {
    for target in ["/etc/passwd", "../outside", "door/outside"] {
        let bench = Bench::new();
        let tar = Tarball::of([symlink("door", ".."), hard_link("x", target), file("x", "broken")]);
        let fault = bench.unpack(&tar).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid, "{target}: {}", fault.message);
        assert!(fault.message.contains("outside") || fault.message.contains("passwd"), "{}", fault.message);
        bench.assert_nothing_escaped();
    }
}

#[test]
fn a_hard_link_to_a_link_does_not_follow_it() {
    let bench = Bench::new();
    let tar = Tarball::of([symlink("door", "../outside"), hard_link("x", "door"), file("x", "inside")]);
    bench.unpack(&tar).unwrap();
    assert_eq!(bench.text("x"), "inside");
    bench.assert_nothing_escaped();
}

#[test]
fn links_in_a_circle_end_with_an_error() {
    let bench = Bench::new();
    let tar = Tarball::of([symlink("a", "b"), symlink("b", "a"), file("a/x", "lost")]);
    let fault = bench.unpack(&tar).unwrap_err();
    assert_eq!(fault.errno, Some(libc::ELOOP), "{}", fault.message);
}

#[test]
fn root_makes_devices_as_they_are() {
    if needs_root("mknod") {
        return;
    }
    let bench = Bench::new();
    bench.unpack(&Tarball::of([device("null", 1, 3).mode(0o666)])).unwrap();
    let there = bench.at("null").symlink_metadata().unwrap();
    assert!(there.file_type().is_char_device());
    assert_eq!((there.rdev(), there.mode() & 0o7777), (rustix::fs::makedev(1, 3), 0o666));
}

#[test]
fn an_image_cannot_steer_the_overlay_it_becomes_part_of() {
    let bench = Bench::new();
    let entry = directory("d").pax(&[
        ("SCHILY.xattr.trusted.overlay.redirect", b"/../../outside"),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.kept", b"1"),
    ]);
    let result = bench.unpack(&Tarball::of([entry])).unwrap();
    assert_eq!(result.facts["skipped-xattrs"], "2");
    let mut names = vec![0; 4096];
    let length = rustix::fs::listxattr(bench.at("d"), &mut names[..]).unwrap();
    assert_eq!(String::from_utf8_lossy(&names[..length]), "user.kept\0");
}
