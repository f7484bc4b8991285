//! Trees that do not want to go.

use crate::bench::{Bench, as_nobody, text};
use learn::kernel::linux::remove::remove_tree;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_tree_that_is_gone_is_removed() {
    let bench = Bench::new();
    remove_tree(&text(&bench.root())).unwrap();
    remove_tree(&text(&bench.at("not/even/its/parents"))).unwrap();
}

#[test]
fn links_go_and_what_they_point_to_stays() {
    let bench = Bench::new();
    fs::create_dir_all(bench.at("d")).unwrap();
    symlink("../../outside", bench.at("d/file")).unwrap();
    symlink("/", bench.at("d/root")).unwrap();
    remove_tree(&text(&bench.root())).unwrap();
    assert!(!bench.root().exists());
    fs::create_dir(bench.root()).unwrap();
    bench.assert_nothing_escaped();
}

#[test]
fn a_user_removes_directories_without_permissions() {
    as_nobody(|bench| {
        fs::create_dir_all(bench.at("a/b/c")).unwrap();
        fs::write(bench.at("a/b/c/x"), "").unwrap();
        fs::write(bench.at("a/b/x"), "").unwrap();
        for path in ["a/b/c", "a/b", "a"] {
            let mode = if path == "a/b" { 0o555 } else { 0 };
            fs::set_permissions(bench.at(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        remove_tree(&text(&bench.root())).unwrap();
        assert!(!bench.root().exists());
    });
}

#[test]
fn a_tree_deeper_than_any_path_and_any_descriptor_table_is_removed() {
    // The usual limit is 1024; lower, so that the other tests' descriptors do not matter.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 512, hard).unwrap();
    as_nobody(|bench| {
        fs::create_dir(bench.root()).unwrap();
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let mut at = openat(CWD, bench.root(), flags, Mode::empty()).unwrap();
        // 800 levels of ten characters: PATH_MAX is 4096 bytes.
        for _ in 0..800 {
            mkdirat(&at, "0123456789", Mode::RWXU).unwrap();
            at = openat(&at, "0123456789", flags, Mode::empty()).unwrap();
        }
        remove_tree(&text(&bench.root())).unwrap();
        assert!(!bench.root().exists());
    });
}

#[test]
fn removing_the_root_directory_is_refused() {
    assert!(remove_tree("/").is_err());
    assert!(remove_tree("..").is_err());
}
