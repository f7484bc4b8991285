use crate::bench::*;
use learn::kernel::{Host, Jail};
use learn::op::FsOp;
use nix::libc::{EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY, EPERM};

#[test]
fn a_missing_name_and_a_file_on_the_way_have_their_own_errors() {
    let mut jail = host().jail().expect("a shim");
    jail.act(write("/tmp/file", "x")).expect("a new file");
    assert_eq!(jail.act(write("/tmp/no/file", "x")), Err(ENOENT));
    assert_eq!(jail.act(write("/tmp/file/below", "x")), Err(ENOTDIR));
    assert_eq!(jail.act(directory("/tmp/file")), Err(EEXIST));
    assert_eq!(jail.act(write("/tmp", "x")), Err(EISDIR));
}

#[test]
fn links_are_followed_but_not_for_ever() {
    let host = host();
    let mut jail = host.jail().expect("a shim");
    jail.act(directory("/srv/deep/er")).expect("parents are made");
    jail.act(write("/srv/deep/file", "found\n")).expect("a new file");
    jail.act(link("../deep/er/../file", "/srv/deep/link")).expect("a new link");
    assert_eq!(host.read("/srv/deep/link").expect("it leads somewhere"), b"found\n");
    jail.act(link("/srv/b", "/srv/a")).expect("a new link");
    jail.act(link("/srv/a", "/srv/b")).expect("a new link");
    assert_eq!(jail.act(write("/srv/a/x", "x")), Err(ELOOP));
    assert_eq!(jail.read_link("/srv/a").expect("a link"), "/srv/b");
    assert_eq!(jail.act(link("/", "/srv/a")), Err(EEXIST));
}

#[test]
fn renames_obey_what_is_there() {
    let mut jail = host().jail().expect("a shim");
    jail.act(directory("/srv/full/inner")).expect("parents are made");
    jail.act(directory("/srv/other")).expect("a new directory");
    jail.act(write("/srv/file", "x")).expect("a new file");
    assert_eq!(jail.act(rename("/srv/none", "/srv/there")), Err(ENOENT));
    assert_eq!(jail.act(rename("/srv/file", "/srv/other")), Err(EISDIR));
    assert_eq!(jail.act(rename("/srv/other", "/srv/file")), Err(ENOTDIR));
    assert_eq!(jail.act(rename("/srv/other", "/srv/full")), Err(ENOTEMPTY));
    assert_eq!(jail.act(rename("/srv/full", "/srv/full/inner/self")), Err(EINVAL));
    jail.act(rename("/srv/full", "/srv/other")).expect("an empty directory gives way");
    assert!(jail.exists("/srv/other/inner"));
}

#[test]
fn removing_takes_the_right_call() {
    let host = host();
    let mut jail = host.jail().expect("a shim");
    jail.act(directory("/srv/tree/inner")).expect("parents are made");
    assert_eq!(jail.act(FsOp::RemoveFile { path: "/srv/tree".into() }), Err(EISDIR));
    assert_eq!(jail.act(FsOp::RemoveFile { path: "/srv/none".into() }), Err(ENOENT));
    let whole = FsOp::RemoveTree { path: "/srv/tree".into() };
    perform(&host, whole, learn::kernel::Payload::Empty).expect("a tree goes as a whole");
    assert!(!jail.exists("/srv/tree"));
    assert_eq!(host.list("/srv").expect("still a directory"), Vec::<String>::new());
}

#[test]
fn a_user_who_is_not_root_meets_permission_bits() {
    let host = learn::kernel::sim::SimHost::new(config(v2(1000))).expect("a bare machine boots");
    let mut jail = host.jail().expect("a shim");
    assert_eq!(jail.act(directory("/var/lib/learn")), Err(EACCES));
    assert_eq!(jail.act(directory("/sys/fs/cgroup/learn")), Err(EACCES));
    jail.act(directory("/home/learner/.local/share/learn")).expect("one's own home");
    let node = FsOp::MakeNode { path: "/home/learner/null".into(), major: 1, minor: 3, mode: 0o666 };
    assert_eq!(jail.act(node), Err(EPERM));
}

#[test]
fn the_kernels_own_trees_take_no_new_names() {
    let mut jail = host().jail().expect("a shim");
    assert_eq!(jail.act(directory("/proc/new")), Err(ENOENT));
    assert_eq!(jail.act(directory("/sys/kernel/new")), Err(EPERM));
    assert_eq!(jail.act(write("/sys/fs/cgroup/new", "x")), Err(EACCES));
}
