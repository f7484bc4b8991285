//! What a layer says about the layers below it.

use crate::bench::{Bench, as_nobody, needs_root};
use crate::tarball::{Tarball, directory, file};
use learn::error::Kind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

fn is_whiteout(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|there| there.file_type().is_char_device() && there.rdev() == 0)
}

fn opaque(path: &Path, name: &str) -> bool {
    let mut value = [0; 8];
    rustix::fs::getxattr(path, name, &mut value[..]).is_ok_and(|length| value[..length] == *b"y")
}

fn layer() -> Vec<u8> {
    Tarball::of([
        directory("etc"),
        file("etc/.wh.gone", ""),
        directory("var"),
        file("var/.wh..wh..opq", ""),
        file("var/new", "new"),
        file("missing/.wh.deep", ""),
        file(".wh..wh.plnk", ""),
    ])
}

fn assert_hides(bench: &Bench, attribute: &str) {
    bench.unpack(&layer()).unwrap();
    assert!(is_whiteout(&bench.at("etc/gone")));
    assert!(is_whiteout(&bench.at("missing/deep")));
    assert!(opaque(&bench.at("var"), attribute) && !opaque(&bench.at("etc"), attribute));
    assert_eq!(bench.text("var/new"), "new");
    assert!(!bench.at("etc/.wh.gone").exists() && !bench.at("var/.wh..wh..opq").exists());
    assert!(!bench.at(".wh..wh.plnk").exists());
}

#[test]
fn root_hides_with_trusted_attributes() {
    if needs_root("trusted.* attributes") {
        return;
    }
    assert_hides(&Bench::new(), "trusted.overlay.opaque");
}

#[test]
fn an_ordinary_user_hides_with_user_attributes() {
    as_nobody(|bench| assert_hides(bench, "user.overlay.opaque"));
}

#[test]
fn a_whiteout_does_not_hide_its_own_layers_entries() {
    as_nobody(|bench| {
        let tar = Tarball::of([
            file("a", "kept"),
            file(".wh.a", ""),
            directory("b"),
            file("b/x", "kept"),
            file(".wh.b", ""),
            file(".wh.c", ""),
            directory("c"),
            file("c/x", "kept"),
            file(".wh.d", ""),
            file("d", "kept"),
        ]);
        bench.unpack(&tar).unwrap();
        for path in ["a", "b/x", "c/x", "d"] {
            assert_eq!(bench.text(path), "kept", "{path}");
        }
        // The lower layers' directories of these names are gone all the same.
        assert!(opaque(&bench.at("b"), "user.overlay.opaque"));
        assert!(opaque(&bench.at("c"), "user.overlay.opaque"));
    });
}

#[test]
fn a_whiteout_that_names_its_own_directory_is_refused() {
    for name in [".wh.", ".wh..", "a/.wh..."] {
        let fault = Bench::new().unpack(&Tarball::of([file(name, "")])).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid, "{name}");
    }
}
