use crate::bench::*;
use learn::kernel::{Host, Jail};
use learn::op::{MountOp, Namespace, ProcessOp};
use nix::libc::{EACCES, EBUSY, EINVAL, ENODEV, ENOENT, ENOTDIR, EPERM, EROFS};

fn pivot(new_root: &str) -> MountOp {
    MountOp::PivotRoot { new_root: new_root.into(), put_old: ".".into() }
}

fn unmount(target: &str, detach: bool) -> MountOp {
    MountOp::Unmount { target: target.into(), detach }
}

fn private() -> MountOp {
    MountOp::SetPropagation { target: "/".into(), mode: "rprivate".into() }
}

fn chdir(path: &str) -> ProcessOp {
    ProcessOp::ChangeDirectory { path: path.into() }
}

#[test]
fn the_new_root_must_be_a_private_mount_point() {
    let mut jail = host().jail().expect("a shim");
    jail.act(directory("/srv/root")).expect("parents are made");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        assert_eq!(jail.act(pivot("/srv/root")), Err(EINVAL), "others would see it");
        jail.act(private()).expect("the root is a mount point");
        assert_eq!(jail.act(pivot("/srv/root")), Err(EBUSY), "it is on the old root's mount");
        jail.act(mount("/srv/root", "/srv/root", "", &["rbind"], "")).expect("bound to itself");
        jail.act(directory("/srv/root/below")).expect("a new directory");
        assert_eq!(jail.act(pivot("/srv/root/below")), Err(EINVAL), "no mount point");
        assert_eq!(jail.act(pivot("/srv/none")), Err(ENOENT));
        jail.act(write("/srv/root/file", "inside")).expect("a new file");
        jail.act(pivot("/srv/root")).expect("all rules are kept");
        jail.act(unmount(".", true)).expect("the old root is stacked over the new one");
        jail.act(chdir("/")).expect("the new root");
        assert_eq!(jail.read("/file").expect("the new root"), "inside");
        assert!(!jail.exists("/etc/hostname"), "the old root is gone");
    });
    assert!(jail.exists("/etc/hostname"), "for everyone else it is there");
}

#[test]
fn mounts_are_seen_in_their_own_namespace_only() {
    let host = host();
    let mut jail = host.jail().expect("a shim");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("tmpfs", "/tmp", "tmpfs", &["nosuid"], "mode=755")).expect("root mounts");
        jail.act(write("/tmp/hidden", "x")).expect("a new file");
        let table = jail.read("/proc/self/mountinfo").expect("procfs");
        assert!(
            table.lines().any(|line| line.contains(" /tmp rw,nosuid ") && line.contains("- tmpfs")),
            "{table}"
        );
        assert_eq!(jail.act(unmount("/tmp/hidden", false)), Err(EINVAL));
        jail.act(unmount("/tmp", false)).expect("nobody uses it");
        assert!(!jail.exists("/tmp/hidden"));
    });
    assert_eq!(host.list("/tmp").expect("a directory"), Vec::<String>::new());
}

#[test]
fn a_mount_in_use_goes_only_when_detached() {
    let mut jail = host().jail().expect("a shim");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("tmpfs", "/tmp", "tmpfs", &[], "")).expect("root mounts");
        jail.act(chdir("/tmp")).expect("a directory");
        assert_eq!(jail.act(unmount("/tmp", false)), Err(EBUSY));
        jail.act(unmount("/tmp", true)).expect("as soon as nobody uses it");
    });
}

#[test]
fn binds_show_the_same_files_and_may_be_readonly() {
    let mut jail = host().jail().expect("a shim");
    jail.act(directory("/srv/data")).expect("parents are made");
    jail.act(write("/srv/data/file", "one")).expect("a new file");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(mount("/srv/data", "/mnt", "", &["bind"], "")).expect_err("no mount point");
        jail.act(directory("/mnt")).expect("a new directory");
        jail.act(mount("/srv/data", "/mnt", "", &["bind", "ro"], "")).expect("a directory on another");
        assert_eq!(jail.act(write("/mnt/file", "two")), Err(EROFS));
        jail.act(write("/srv/data/file", "two")).expect("the source stays writable");
        assert_eq!(jail.read("/mnt/file").expect("the same file"), "two");
        assert_eq!(jail.act(mount("/srv/data/file", "/mnt", "", &["bind"], "")), Err(ENOTDIR));
        assert_eq!(jail.act(mount("none", "/mnt", "nosuchfs", &[], "")), Err(ENODEV));
    });
}

#[test]
fn masked_paths_read_as_nothing() {
    let mut jail = host().jail().expect("a shim");
    inside(&mut jail, &[Namespace::Mount], |jail| {
        jail.act(MountOp::Mask { path: "/etc/hostname".into() }).expect("a file");
        jail.act(MountOp::Mask { path: "/etc".into() }).expect("a directory");
        assert!(!jail.exists("/etc/hostname"));
        assert_eq!(jail.act(write("/etc/new", "x")), Err(EROFS));
        assert_eq!(jail.act(MountOp::Mask { path: "/none".into() }), Err(ENOENT));
        jail.act(MountOp::MakeReadonly { path: "/proc/sys".into() }).expect("a directory");
        let write = learn::op::FsOp::WriteFile {
            path: "/proc/sys/kernel/hostname".into(),
            value: "x".into(),
            why: learn::op::WriteReason::Proc,
        };
        assert_eq!(jail.act(write), Err(EROFS));
    });
}

#[test]
fn mounting_takes_privilege_or_a_user_namespace() {
    let host = learn::kernel::sim::SimHost::new(config(v2(1000))).expect("a bare machine boots");
    let mut jail = host.jail().expect("a shim");
    assert_eq!(jail.act(mount("tmpfs", "/tmp", "tmpfs", &[], "")), Err(EPERM));
    let refused = clone(&mut jail, &ALL, Box::new(|_| Ok(()))).err().expect("no privilege");
    assert_eq!(refused.errno, Some(EPERM));
    inside(&mut jail, &[Namespace::User, Namespace::Mount], |jail| {
        jail.act(mount("tmpfs", "/tmp", "tmpfs", &[], "")).expect("privileged inside");
        assert_eq!(
            jail.act(mount("sysfs", "/sys", "sysfs", &[], "")),
            Err(EPERM),
            "the network is the host's"
        );
        assert_eq!(jail.act(write("/etc/hostname", "mine")), Err(EACCES), "root's files stay root's");
    });
}

#[test]
fn a_confined_path_never_leaves_the_root() {
    let mut jail = host().jail().expect("a shim");
    jail.act(directory("/srv/root")).expect("parents are made");
    jail.act(link("/etc", "/srv/root/etc")).expect("an image's link");
    jail.confine("/srv/root").expect("a directory");
    jail.act(write("/srv/root/etc/made", "x")).expect_err("nothing is there yet");
    jail.act(directory("/srv/root/real")).expect("a new directory");
    jail.act(link("/real", "/srv/root/deep/link")).expect("parents are made");
    jail.act(directory("/srv/root/deep/link/inner")).expect("through the link");
    assert!(jail.exists("/srv/root/real/inner"));
    assert!(!jail.exists("/etc/made"));
}
