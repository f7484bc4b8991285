//! Layers laid over each other without overlayfs.

use crate::bench::{Bench, as_nobody, host, needs_root, runtime, text};
use crate::tarball::{Tarball, device, directory, file, hard_link, symlink};
use learn::kernel::{Fault, Host, Payload};
use learn::op::{FsOp, Op};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Unpacks layers and lays them over one directory, lowest first.
fn lay(base: &Path, layers: &[Vec<u8>]) -> Result<PathBuf, Fault> {
    let whole = base.join("whole");
    fs::create_dir(&whole).unwrap();
    for layer in layers {
        let bench = Bench { temp: tempfile::tempdir_in(base).unwrap() };
        bench.unpack(layer).unwrap();
        let op: Op = FsOp::CopyTree { from: text(&bench.root()), to: text(&whole) }.into();
        let copied = runtime().block_on(host().perform(&op, Payload::Empty));
        learn::kernel::linux::remove::remove_tree(&text(&bench.root())).unwrap();
        copied?;
    }
    Ok(whole)
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn an_upper_layer_covers_hides_and_empties_the_lower() {
    as_nobody(|bench| {
        let lower = Tarball::of([
            directory("etc"),
            file("etc/gone", "lower"),
            file("etc/changed", "lower"),
            file("etc/kept", "lower"),
            directory("var"),
            file("var/old", "lower"),
            directory("tree"),
            file("tree/x", "lower"),
            file("becomes-directory", "lower"),
            symlink("link", "etc"),
        ]);
        let upper = Tarball::of([
            file("etc/.wh.gone", ""),
            file("etc/changed", "upper"),
            file("var/.wh..wh..opq", ""),
            file("var/new", "upper"),
            file(".wh.tree", ""),
            file("becomes-directory/x", "upper"),
            directory("link").mode(0o711),
            file("link/x", "upper"),
        ]);
        let whole = lay(bench.temp.path(), &[lower, upper]).unwrap();
        for (path, content) in [
            ("etc/changed", "upper"),
            ("etc/kept", "lower"),
            ("var/new", "upper"),
            ("becomes-directory/x", "upper"),
            ("link/x", "upper"),
        ] {
            assert_eq!(read(whole.join(path)), content, "{path}");
        }
        for path in ["etc/gone", "var/old", "tree", "etc/x"] {
            assert!(whole.join(path).symlink_metadata().is_err(), "{path}");
        }
        let mut value = [0; 8];
        let marked = rustix::fs::getxattr(whole.join("var"), "user.overlay.opaque", &mut value[..]);
        assert!(marked.is_err(), "a plain tree carries no marks of overlayfs");
        assert_eq!(whole.join("link").metadata().unwrap().mode() & 0o7777, 0o711);
    });
}

#[test]
fn a_lower_link_does_not_lead_the_upper_layer_out() {
    as_nobody(|bench| {
        let lower = Tarball::of([symlink("door", ".."), symlink("file", "../outside")]);
        let upper = Tarball::of([directory("door"), file("door/outside", "inside"), file("file", "inside")]);
        let whole = lay(bench.temp.path(), &[lower, upper]).unwrap();
        assert_eq!(read(whole.join("door/outside")), "inside");
        assert_eq!(read(bench.temp.path().join("outside")), "untouched");
    });
}

#[test]
fn times_modes_links_and_holes_are_kept() {
    as_nobody(|bench| {
        let records: [(&str, &[u8]); 3] =
            [("GNU.sparse.map", b"0,1"), ("GNU.sparse.size", b"9000000"), ("GNU.sparse.name", b"holes")];
        let layer = Tarball::of([
            directory("d").mode(0o500).mtime(7),
            file("d/x", "x").mode(0o4750).mtime(8),
            hard_link("d/y", "d/x"),
            file("shadow", "secret").mode(0),
            file("holes", "x").pax(&records),
            file("noted", "").pax(&[("SCHILY.xattr.user.note", b"kept")]),
        ]);
        let whole = lay(bench.temp.path(), &[layer]).unwrap();
        let there = |path: &str| whole.join(path).symlink_metadata().unwrap();
        assert_eq!((there("d").mode() & 0o7777, there("d").mtime()), (0o500, 7));
        assert_eq!((there("d/x").mode() & 0o7777, there("d/x").mtime()), (0o4750, 8));
        assert_eq!(there("d/x").ino(), there("d/y").ino());
        assert_eq!(there("shadow").mode() & 0o7777, 0);
        assert_eq!((there("holes").len(), there("holes").blocks() < 100), (9_000_000, true));
        let mut value = [0; 8];
        let length = rustix::fs::getxattr(whole.join("noted"), "user.note", &mut value[..]).unwrap();
        assert_eq!(value[..length], *b"kept");
        fs::set_permissions(whole.join("shadow"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(whole.join("shadow")), "secret");
        fs::set_permissions(whole.join("d"), fs::Permissions::from_mode(0o700)).unwrap();
    });
}

#[test]
fn root_keeps_owners_and_devices() {
    if needs_root("chown and mknod") {
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let layer = Tarball::of([
        directory("d").owner(5, 6),
        file("d/su", "").mode(0o4755).owner(1000, 1001),
        device("null", 1, 3).mode(0o666).owner(0, 9),
        symlink("l", "d").owner(7, 8),
    ]);
    let whole = lay(base.path(), &[layer]).unwrap();
    let owner = |path: &str| {
        let there = whole.join(path).symlink_metadata().unwrap();
        (there.uid(), there.gid())
    };
    assert_eq!(
        [owner("d"), owner("d/su"), owner("null"), owner("l")],
        [(5, 6), (1000, 1001), (0, 9), (7, 8)]
    );
    assert_eq!(whole.join("d/su").metadata().unwrap().mode() & 0o7777, 0o4755);
    assert_eq!(whole.join("null").metadata().unwrap().rdev(), rustix::fs::makedev(1, 3));
}
