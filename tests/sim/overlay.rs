use crate::bench::*;
use learn::kernel::Host;
use learn::op::{FsOp, Namespace};
use nix::libc::{EINVAL, EROFS, EXDEV};

const DATA: &str = "lowerdir=/srv/top:/srv/base,upperdir=/srv/upper,workdir=/srv/work";

/// Two lower layers and an empty upper one, with the mount point `/srv/merged`.
fn layers() -> (learn::kernel::sim::SimHost, learn::kernel::sim::SimJail) {
    let host = host();
    let mut jail = host.jail().expect("a shim");
    for path in ["/srv/base/etc/deep", "/srv/top/etc", "/srv/upper", "/srv/work", "/srv/merged"] {
        jail.act(directory(path)).expect("parents are made");
    }
    for (path, text) in [
        ("/srv/base/etc/name", "base"),
        ("/srv/base/etc/gone", "base"),
        ("/srv/base/etc/deep/file", "base"),
        ("/srv/top/etc/name", "top"),
    ] {
        jail.act(write(path, text)).expect("a new file");
    }
    let whiteout = FsOp::MakeNode { path: "/srv/top/etc/gone".into(), major: 0, minor: 0, mode: 0 };
    jail.act(whiteout).expect("root makes nodes");
    (host, jail)
}

#[test]
fn upper_layers_win_and_whiteouts_hide() {
    let (_, mut jail) = layers();
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("root mounts");
        assert_eq!(jail.read("/srv/merged/etc/name").expect("from the top"), "top");
        assert_eq!(jail.read("/srv/merged/etc/deep/file").expect("from the base"), "base");
        assert!(!jail.exists("/srv/merged/etc/gone"));
    });
}

#[test]
fn a_change_is_copied_up_and_a_removal_leaves_a_whiteout() {
    let (host, mut jail) = layers();
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("root mounts");
        jail.act(write("/srv/merged/etc/deep/file", "mine")).expect("copied up");
        jail.act(FsOp::RemoveFile { path: "/srv/merged/etc/name".into() }).expect("hidden");
        jail.act(rename("/srv/merged/etc/deep/file", "/srv/merged/moved")).expect("a file moves");
        assert_eq!(
            jail.act(rename("/srv/merged/etc/deep", "/srv/merged/elsewhere")),
            Err(EXDEV),
            "a directory of a lower layer does not"
        );
    });
    assert_eq!(host.read("/srv/base/etc/deep/file").expect("untouched"), b"base");
    assert_eq!(host.read("/srv/upper/moved").expect("written through"), b"mine");
    let upper = host.list("/srv/upper/etc").expect("copied up");
    assert_eq!(upper, ["deep", "name"]);
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("mounted anew");
        assert!(!jail.exists("/srv/merged/etc/name"), "the whiteout holds");
        assert!(!jail.exists("/srv/merged/etc/deep/file"), "what moved left a whiteout");
        assert_eq!(jail.read("/srv/merged/moved").expect("it moved"), "mine");
    });
}

#[test]
fn a_directory_made_anew_does_not_show_what_the_old_one_held() {
    let (host, mut jail) = layers();
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("root mounts");
        jail.act(FsOp::RemoveFile { path: "/srv/merged/etc/deep/file".into() }).expect("hidden");
        jail.act(FsOp::RemoveFile { path: "/srv/merged/etc/name".into() }).expect("hidden");
    });
    let whole = FsOp::RemoveTree { path: "/srv/upper/etc".into() };
    perform(&host, whole, learn::kernel::Payload::Empty).expect("the daemon removes trees");
    let whiteout = FsOp::MakeNode { path: "/srv/upper/etc".into(), major: 0, minor: 0, mode: 0 };
    jail.act(whiteout).expect("root makes nodes");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("root mounts");
        assert!(!jail.exists("/srv/merged/etc"));
        jail.act(directory("/srv/merged/etc")).expect("over the whiteout");
    });
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], DATA)).expect("root mounts");
        assert!(jail.exists("/srv/merged/etc"));
        assert!(!jail.exists("/srv/merged/etc/name"), "it is opaque");
    });
}

#[test]
fn options_are_checked() {
    let (_, mut jail) = layers();
    inside(&mut jail, &[Namespace::Mount], |jail| {
        let refused = "lowerdir=/srv/base,upperdir=/srv/upper";
        assert_eq!(jail.act(mount("overlay", "/srv/merged", "overlay", &[], refused)), Err(EINVAL));
        let readonly = "lowerdir=/srv/top:/srv/base";
        jail.act(mount("overlay", "/srv/merged", "overlay", &[], readonly)).expect("without an upper layer");
        assert_eq!(jail.act(write("/srv/merged/new", "x")), Err(EROFS));
    });
}
