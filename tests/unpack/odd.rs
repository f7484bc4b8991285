//! What tools really write, and what they should not have.

use crate::bench::{Bench, GZIP, Hand};
use crate::tarball::{Entry, Tarball, directory, extension, file, gzip, hard_link, symlink};
use learn::error::Kind;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use tar::EntryType;

#[test]
fn names_of_300_characters_survive_in_gnu_and_pax_form() {
    let long = format!("{}/{}/{}", "d".repeat(120), "e".repeat(120), "f".repeat(58));
    let bench = Bench::new();
    bench.unpack(&Tarball::of([file(&long, "gnu")])).unwrap();
    assert_eq!(bench.text(&long), "gnu");

    let bench = Bench::new();
    let link = format!("../{}", "t".repeat(297));
    let tar = Tarball::of([
        file("short", "pax").pax(&[("path", long.as_bytes())]),
        symlink("a", "short").pax(&[("linkpath", link.as_bytes())]),
        symlink("b", &link),
    ]);
    bench.unpack(&tar).unwrap();
    assert_eq!(bench.text(&long), "pax");
    for name in ["a", "b"] {
        assert_eq!(bench.at(name).read_link().unwrap().to_str(), Some(&*link));
    }
}

#[test]
fn a_component_longer_than_the_kernel_takes_is_named_in_the_error() {
    let bench = Bench::new();
    let fault = bench.unpack(&Tarball::of([file(&"x".repeat(256), "")])).unwrap_err();
    assert_eq!(fault.errno, Some(libc::ENAMETOOLONG));
}

#[test]
fn a_size_in_a_pax_record_overrides_the_header() {
    let bench = Bench::new();
    bench.unpack(&Tarball::of([file("x", "12345").size(0).pax(&[("size", b"5")]), file("y", "y")])).unwrap();
    assert_eq!((bench.text("x"), bench.text("y")), ("12345".into(), "y".into()));
}

#[test]
fn missing_parents_are_made_and_links_to_missing_directories_filled() {
    let bench = Bench::new();
    let tar = Tarball::of([file("a/b/c", "deep"), symlink("lib", "usr/lib"), file("lib/x", "linked")]);
    bench.unpack(&tar).unwrap();
    assert_eq!((bench.text("a/b/c"), bench.text("usr/lib/x")), ("deep".into(), "linked".into()));
    assert!(bench.at("lib").is_symlink());
    assert_eq!(bench.at("a/b").metadata().unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn a_later_entry_of_the_same_name_replaces_the_earlier() {
    let bench = Bench::new();
    let tar = Tarball::of([
        directory("a"),
        file("a/x", "gone"),
        file("a", "file over directory"),
        file("b", "gone"),
        directory("b"),
        file("b/x", "directory over file"),
        file("c", "first"),
        file("c", "second"),
        directory("d").mode(0o700),
        file("d/kept", "kept"),
        directory("d").mode(0o711),
        symlink("e", "c"),
        file("e", "file over link"),
    ]);
    bench.unpack(&tar).unwrap();
    for (path, content) in [
        ("a", "file over directory"),
        ("b/x", "directory over file"),
        ("c", "second"),
        ("d/kept", "kept"),
        ("e", "file over link"),
    ] {
        assert_eq!(bench.text(path), content, "{path}");
    }
    assert_eq!(bench.at("d").metadata().unwrap().mode() & 0o777, 0o711);
}

#[test]
fn a_directory_replaced_by_a_link_does_not_lend_it_its_mode_and_time() {
    let bench = Bench::new();
    let tar = Tarball::of([
        directory("target").mode(0o711).mtime(7),
        directory("x").mode(0o700).mtime(9),
        symlink("x", "target"),
    ]);
    bench.unpack(&tar).unwrap();
    let target = bench.at("target").metadata().unwrap();
    assert_eq!((target.mode() & 0o777, target.mtime()), (0o711, 7));
}

#[test]
fn what_comes_after_a_directory_was_replaced_by_a_link_goes_through_the_link() {
    let bench = Bench::new();
    let tar = Tarball::of([
        directory("a"),
        file("a/before", "gone"),
        directory("b"),
        symlink("a", "b"),
        file("a/after", "in b"),
    ]);
    bench.unpack(&tar).unwrap();
    assert_eq!(bench.text("b/after"), "in b");
    assert!(!bench.at("b/before").exists());
}

#[test]
fn hard_links_share_one_file_and_must_have_a_target() {
    let bench = Bench::new();
    bench.unpack(&Tarball::of([file("a", "x"), hard_link("d/b", "a"), hard_link("a", "./a")])).unwrap();
    assert_eq!(bench.at("a").metadata().unwrap().ino(), bench.at("d/b").metadata().unwrap().ino());

    let bench = Bench::new();
    let fault = bench.unpack(&Tarball::of([hard_link("b", "later"), file("later", "x")])).unwrap_err();
    assert_eq!(fault.kind, Kind::Invalid);
    assert!(fault.message.contains("\"later\""), "{}", fault.message);
}

#[test]
fn sparse_files_of_every_format_keep_their_holes() {
    for format in [
        &["--format=gnu"][..],
        &["--format=posix", "--sparse-version=0.0"],
        &["--format=posix", "--sparse-version=0.1"],
        &["--format=posix", "--sparse-version=1.0"],
    ] {
        let made = tempfile::tempdir().unwrap();
        let path = made.path().join("sparse");
        let mut original = File::create(&path).unwrap();
        // More pieces than the four of a GNU header, so that extension blocks are read too.
        for piece in 0..40u64 {
            original.seek(SeekFrom::Start(piece * 1_000_000)).unwrap();
            original.write_all(format!("piece {piece}").as_bytes()).unwrap();
        }
        original.set_len(50_000_000).unwrap();
        let tar = Command::new("tar")
            .args(["--sparse", "-c", "-f", "-", "-C"])
            .arg(made.path())
            .args(format)
            .args(["sparse", "sparse"])
            .output()
            .expect("tar is installed");
        assert!(tar.status.success() && tar.stdout.len() < 2_000_000, "{format:?}: {tar:?}");
        let bench = Bench::new();
        bench.unpack(&tar.stdout).unwrap_or_else(|fault| panic!("{format:?}: {fault:?}"));
        assert!(std::fs::read(bench.at("sparse")).unwrap() == std::fs::read(&path).unwrap(), "{format:?}");
        assert!(bench.at("sparse").metadata().unwrap().blocks() * 512 < 2_000_000, "{format:?}");
    }
}

#[test]
fn what_follows_the_end_is_hashed_and_not_unpacked() {
    let bench = Bench::new();
    let mut tar = Tarball::of([file("a", "a")]);
    // More than any buffer on the way holds.
    tar.extend(Tarball::of([file("b", vec![b'b'; 3_000_000])]));
    let result = bench.unpack(&tar).unwrap();
    assert_eq!(result.unpacked.diff_id, crate::bench::digest(&tar));
    assert!(bench.at("a").exists() && !bench.at("b").exists());
}

#[test]
fn a_tar_that_stops_early_is_malformed() {
    let whole = Tarball::default().add(file("a", "x".repeat(2000))).cut();
    for length in [100, 512, 1500] {
        let bench = Bench::new();
        let fault = bench.unpack(&whole[..length]).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid);
        assert!(fault.message.contains("the tar ends within"), "{length}: {}", fault.message);
    }
    let lone = Tarball::default().raw(&extension(EntryType::XHeader, b"9 path=x\n")).end();
    assert!(Bench::new().unpack(&lone).unwrap_err().message.contains("after an extended header"));
}

#[test]
fn a_damaged_header_and_an_unknown_type_are_malformed() {
    let mut tar = Tarball::of([file("a", "a")]);
    tar[0] = b'b';
    assert!(Bench::new().unpack(&tar).unwrap_err().message.contains("checksum"));
    let tar = Tarball::of([Entry::new(EntryType::new(b'M'), "a", b"")]);
    assert!(Bench::new().unpack(&tar).unwrap_err().message.contains("unknown type 'M'"));
}

#[test]
fn truncated_gzip_and_garbage_after_it_are_malformed() {
    let whole = gzip(&Tarball::of([file("a", "a".repeat(5000))]));
    let garbage = [&*whole, b"garbage"].concat();
    for layer in [&whole[..whole.len() - 4], &whole[..20], &garbage] {
        let fault = Bench::new().hand(layer, Hand { media_type: GZIP, ..Hand::default() }).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid, "{}", fault.message);
    }
}
