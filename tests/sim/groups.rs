use crate::bench::*;
use learn::kernel::sim::SimHost;
use learn::kernel::{Jail, Stdio};
use learn::op::{CgroupOp, NamespaceOp};
use nix::libc::{EBADF, EBUSY, EINVAL, ENOENT, ENOSPC, EPERM, ESRCH};

fn make(path: &str) -> CgroupOp {
    CgroupOp::Create { path: path.into() }
}

fn remove(path: &str) -> CgroupOp {
    CgroupOp::Remove { path: path.into() }
}

#[test]
fn a_group_with_members_is_busy_until_they_end() {
    let mut jail = host().jail().expect("a shim");
    let group = "/sys/fs/cgroup/learn/abc";
    jail.act(make(group)).expect("root makes groups");
    let (mut child, _, _) = clone(&mut jail, &ALL, Box::new(|_| Ok(()))).expect("root clones");
    jail.act(control(&format!("{group}/cgroup.procs"), &child.pid().to_string())).expect("it joins");
    assert_eq!(jail.read(&format!("{group}/cgroup.procs")).expect("a member"), format!("{}\n", child.pid()));
    assert_eq!(jail.read(&format!("/proc/{}/cgroup", child.pid())).expect("procfs"), "0::/learn/abc\n");
    assert_eq!(jail.act(remove(group)), Err(EBUSY));
    assert_eq!(jail.act(remove("/sys/fs/cgroup/learn")), Err(EBUSY), "a group below");
    child.signal(nix::libc::SIGKILL).expect("a child");
    jail.act(remove(group)).expect("a dead process is no member");
    jail.act(remove(group)).expect("gone is gone");
    child.reap().expect("it ended");
}

#[test]
fn a_process_moves_itself_or_is_born_in_a_group() {
    let mut jail = host().jail().expect("a shim");
    let group = "/sys/fs/cgroup/learn/abc";
    jail.act(make(group)).expect("root makes groups");
    let born =
        |cgroup: &str| NamespaceOp::Clone { namespaces: ALL.to_vec(), cgroup: Some(cgroup.into()) }.into();
    let stdio = || {
        let (stdin, stdout) = rustix::pipe::pipe().expect("a pipe");
        let stderr = stdout.try_clone().expect("a descriptor");
        Stdio { stdin, stdout, stderr }
    };
    let child = jail.clone_init(&born(group), stdio(), Box::new(|_| Ok(()))).expect("it is born");
    assert_eq!(jail.read(&format!("{group}/cgroup.procs")).expect("a member"), format!("{}\n", child.pid()));
    for (place, errno) in [("/sys/fs/cgroup/none", ENOENT), ("/proc", EBADF)] {
        let refused = jail.clone_init(&born(place), stdio(), Box::new(|_| Ok(()))).err().expect(place);
        assert_eq!(refused.errno, Some(errno), "{place}");
    }
    jail.act(control(&format!("{group}/cgroup.procs"), "0")).expect("0 is the writer");
    let members = jail.read(&format!("{group}/cgroup.procs")).expect("two members");
    assert_eq!(members.lines().count(), 2, "{members}");
}

#[test]
fn files_that_are_not_there_and_pids_that_are_not() {
    let mut jail = host().jail().expect("a shim");
    jail.act(make("/sys/fs/cgroup/learn")).expect("root makes groups");
    jail.act(control("/sys/fs/cgroup/learn/memory.max", "6291456")).expect("the controller is on");
    assert_eq!(jail.read("/sys/fs/cgroup/learn/memory.max").expect("kept"), "6291456\n");
    assert_eq!(jail.act(control("/sys/fs/cgroup/learn/io.max", "x")), Err(ENOENT), "no io controller here");
    assert_eq!(jail.act(control("/sys/fs/cgroup/learn/cgroup.procs", "999999")), Err(ESRCH));
    assert_eq!(jail.act(control("/sys/fs/cgroup/learn/cgroup.procs", "x")), Err(EINVAL));
}

#[test]
fn controllers_are_handed_down_only_by_groups_without_members() {
    let mut jail = host().jail().expect("a shim");
    jail.act(make("/sys/fs/cgroup/learn/abc")).expect("root makes groups");
    assert!(!jail.exists("/sys/fs/cgroup/learn/abc/pids.max"), "nothing was handed down yet");
    jail.act(control("/sys/fs/cgroup/learn/cgroup.subtree_control", "+pids")).expect("pids is there");
    assert!(jail.exists("/sys/fs/cgroup/learn/abc/pids.max"));
    assert_eq!(jail.act(control("/sys/fs/cgroup/learn/cgroup.subtree_control", "+none")), Err(EINVAL));
    assert_eq!(
        jail.act(control("/sys/fs/cgroup/learn/abc/cgroup.subtree_control", "+memory")),
        Err(ENOENT),
        "its parent has not handed memory down"
    );
    let procs = "/sys/fs/cgroup/learn/cgroup.procs";
    assert_eq!(jail.act(control(procs, "0")), Err(EBUSY), "no internal processes");
}

#[test]
fn version_one_has_a_tree_for_each_controller_and_empty_cpusets() {
    let mut jail = SimHost::new(config(v1())).expect("a bare machine boots").jail().expect("a shim");
    for controller in ["cpuset", "devices", "memory", "pids"] {
        jail.act(make(&format!("/sys/fs/cgroup/{controller}/learn"))).expect("root makes groups");
    }
    assert_eq!(jail.act(control("/sys/fs/cgroup/memory/learn/pids.max", "1")), Err(ENOENT));
    jail.act(control("/sys/fs/cgroup/pids/learn/pids.max", "100")).expect("its own tree");
    jail.act(control("/sys/fs/cgroup/devices/learn/devices.allow", "c 1:3 rwm\nc 1:5 rwm"))
        .expect("a line a write");
    let procs = "/sys/fs/cgroup/cpuset/learn/cgroup.procs";
    assert_eq!(jail.act(control(procs, "0")), Err(ENOSPC), "no processors yet");
    jail.act(control("/sys/fs/cgroup/cpuset/learn/cpuset.cpus", "0-1")).expect("a control file");
    jail.act(control("/sys/fs/cgroup/cpuset/learn/cpuset.mems", "0")).expect("a control file");
    jail.act(control(procs, "0")).expect("now it may");
}

#[test]
fn a_device_filter_needs_a_group_and_privilege() {
    let attach = |path: &str| CgroupOp::AttachDeviceFilter {
        path: path.into(),
        rules: vec!["deny a *:* rwm".into()],
        instructions: 8,
    };
    let mut jail = host().jail().expect("a shim");
    assert_eq!(jail.act(attach("/sys/fs/cgroup/learn")), Err(ENOENT));
    jail.act(make("/sys/fs/cgroup/learn")).expect("root makes groups");
    jail.act(attach("/sys/fs/cgroup/learn")).expect("root guards devices");
    let mut user = SimHost::new(config(v2(1000))).expect("a bare machine boots").jail().expect("a shim");
    assert_eq!(user.act(attach("/sys/fs/cgroup")), Err(EPERM));
}
