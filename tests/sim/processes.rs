use crate::bench::*;
use learn::error::Kind;
use learn::kernel::sim::{Programs, SimHost, SimJail};
use learn::kernel::{Child, ExitStatus, Jail, OpError, Payload, Value};
use learn::op::{GuardOp, Namespace, NamespaceOp, NetworkOp, Op, ProcessOp};
use nix::libc::{EINVAL, EPERM, ESRCH, SIGCONT, SIGKILL, SIGTERM};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// A machine with programs at its root: an applet each, and a file that is not executable.
fn programs() -> SimJail {
    let mut config = config(v2(0));
    config.programs = Programs::standard(Duration::ZERO).with_text("/hello", GREETING);
    let host = SimHost::new(config).expect("a bare machine boots");
    let layer = [
        Entry::File("bin/busybox", "\x7fELF", 0o755),
        Entry::Link("bin/ls", "/bin/busybox"),
        Entry::Link("bin/sh", "/bin/busybox"),
        Entry::File("bin/cat", "\x7fELF", 0o755),
        Entry::File("bin/sleep", "\x7fELF", 0o755),
        Entry::File("bin/strange", "\x7fELF", 0o755),
        Entry::File("bin/garbage", "garbage", 0o755),
        Entry::File("bin/script", "#!/bin/none\n", 0o755),
        Entry::File("bin/data", "data", 0o644),
        Entry::File("hello", "\x7fELF", 0o755),
    ];
    install(&host, &layer);
    host.jail().expect("a shim")
}

fn exec(program: &str, argv: &[&str]) -> Op {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    ProcessOp::Exec { program: program.into(), argv, env: Vec::new(), seccomp: 0 }.into()
}

fn environment() -> Payload {
    Payload::Exec { env: vec!["PATH=/bin".into()], filter: Vec::new() }
}

/// Starts a program in namespaces of its own.
fn start(jail: &mut SimJail, namespaces: &[Namespace], argv: &[&str]) -> (Box<dyn Child>, File, File) {
    let op = exec(argv[0], argv);
    let (mut child, out, err) = clone(
        jail,
        namespaces,
        Box::new(move |jail| {
            let failed = |fault| OpError { op: Box::new(op.clone()), fault };
            jail.perform(&op, environment()).map(drop).map_err(failed)
        }),
    )
    .expect("root clones");
    child.proceed().expect("it becomes the program");
    (child, out, err)
}

fn run(jail: &mut SimJail, argv: &[&str]) -> (i32, String, String) {
    let (mut child, out, err) = start(jail, &ALL, argv);
    let output = (text(out), text(err));
    (child.reap().expect("it ended").code(), output.0, output.1)
}

#[test]
fn pids_and_inodes_are_the_same_on_every_machine() {
    let born = || {
        let mut jail = host().jail().expect("a shim");
        let (child, _, _) = clone(&mut jail, &ALL, Box::new(|_| Ok(()))).expect("root clones");
        let pid = child.pid();
        let link = |name: &str| jail.read_link(&format!("/proc/{pid}/ns/{name}")).expect("procfs");
        let links: Vec<String> = ["mnt", "pid", "net", "uts", "ipc", "cgroup", "user"].map(link).to_vec();
        let own = jail.read_link("/proc/self/ns/user").expect("procfs");
        assert_eq!(links[6], own, "no new user namespace was asked for");
        assert_ne!(links[1], jail.read_link("/proc/self/ns/pid").expect("procfs"));
        (pid, links)
    };
    let first = born();
    assert_eq!(first, born());
    assert_eq!(first.0, 1002);
    assert!(first.1[0].starts_with("mnt:[4026532"));
}

#[test]
fn a_namespaces_first_process_is_pid_one_inside() {
    let mut jail = host().jail().expect("a shim");
    inside(&mut jail, &[Namespace::Mount, Namespace::Pid], |jail| {
        let before = jail.read("/proc/self/status").expect("the host's procfs still");
        assert!(before.contains("\nNSpid:\t1002\t1\n"), "{before}");
        jail.act(mount("proc", "/proc", "proc", &[], "")).expect("root mounts");
        assert_eq!(jail.read_link("/proc/self").expect("procfs"), "1");
        assert!(!jail.exists("/proc/1000"), "the daemon is not seen");
    });
}

#[test]
fn init_is_spared_what_it_does_not_handle_and_nothing_spares_it_sigkill() {
    let mut jail = programs();
    let (mut child, _out, _err) = start(&mut jail, &ALL, &["/bin/sleep", "infinity"]);
    child.signal(SIGTERM).expect("delivered and ignored");
    assert!(jail.read(&format!("/proc/{}/status", child.pid())).expect("procfs").contains("State:\tS"));
    child.signal(SIGKILL).expect("delivered");
    assert_eq!(child.reap().expect("it ended"), ExitStatus::Signal(SIGKILL));
    assert_eq!(child.signal(SIGCONT).expect_err("reaped").raw_os_error(), Some(ESRCH));
    let (mut plain, _out, _err) = start(&mut jail, &[Namespace::Uts], &["/bin/sleep", "infinity"]);
    assert_eq!(plain.signal(65).expect_err("no such signal").raw_os_error(), Some(EINVAL));
    plain.signal(SIGTERM).expect("delivered");
    assert_eq!(plain.reap().expect("it ended").code(), 143);
}

#[test]
fn a_child_that_is_never_let_go_ends_with_its_parent_s_interest() {
    let mut jail = host().jail().expect("a shim");
    let (mut child, _, _) =
        clone(&mut jail, &ALL, Box::new(|_| panic!("never let go"))).expect("root clones");
    child.signal(SIGKILL).expect("a waiting child");
    child.proceed().expect("a child that died already shows in ended");
    assert_eq!(child.reap().expect("it ended"), ExitStatus::Signal(SIGKILL));
    let (child, out, _) = clone(&mut jail, &ALL, Box::new(|_| panic!("never let go"))).expect("root clones");
    let pid = child.pid();
    drop(child);
    assert_eq!(text(out), "");
    assert!(jail.read(&format!("/proc/{pid}/status")).expect("not reaped").contains("State:\tZ"));
}

#[test]
fn looking_for_a_program_says_where_it_was_looked_for() {
    let mut jail = programs();
    let mut lookup = |name: &str, path: &str| {
        jail.perform(
            &ProcessOp::LookupProgram { name: name.into(), path: path.into() }.into(),
            Payload::Empty,
        )
    };
    let found = lookup("ls", "/sbin:/bin").expect("it is in the second place");
    assert!(matches!(found.value, Value::Program(path) if path == "/bin/ls"));
    assert_eq!(found.facts["tried"], "/sbin/ls: ENOENT");
    let fault = lookup("nosuch", "/sbin:/bin").err().expect("nowhere");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Kind::NotFound, "exec: \"nosuch\": executable file not found in $PATH")
    );
    assert_eq!(fault.facts["tried"], "/sbin/nosuch: ENOENT; /bin/nosuch: ENOENT");
    let fault = lookup("/no/such", "/bin").err().expect("nowhere");
    assert_eq!(fault.message, "exec: \"/no/such\": stat /no/such: no such file or directory");
    for denied in ["/bin/data", "/bin"] {
        assert_eq!(lookup(denied, "").err().expect("not to be run").kind, Kind::Denied, "{denied}");
    }
}

#[test]
fn becoming_what_is_no_program_fails_as_execve_says() {
    let mut jail = programs();
    for (program, message) in [
        ("/bin/none", "exec /bin/none: enoent: no such file or directory"),
        ("/bin/data", "exec /bin/data: eacces: permission denied"),
        ("/bin/garbage", "exec /bin/garbage: exec format error"),
        ("/bin/script", "exec /bin/script: enoent: no such file or directory"),
    ] {
        let fault = jail.perform(&exec(program, &[program]), environment()).err().expect("no program");
        let plain = message.replace("enoent: ", "").replace("eacces: ", "");
        assert_eq!(fault.message, plain);
    }
}

#[test]
fn programs_speak_through_real_pipes() {
    let mut jail = programs();
    assert_eq!(run(&mut jail, &["/hello"]), (0, GREETING.to_owned(), String::new()));
    let (code, out, _) = run(&mut jail, &["/bin/ls", "/bin"]);
    assert_eq!((code, out.as_str()), (0, "busybox\ncat\ndata\ngarbage\nls\nscript\nsh\nsleep\nstrange\n"));
    assert_eq!(run(&mut jail, &["/bin/ls", "/none"]).0, 1);
    assert_eq!(run(&mut jail, &["/bin/cat", "/etc/hostname"]).1, "model\n");
    assert_eq!(run(&mut jail, &["/bin/busybox", "pwd"]).1, "/\n");
    assert_eq!(run(&mut jail, &["/bin/sleep", "1"]).0, 0, "simulated time");
    assert_eq!(run(&mut jail, &["/bin/sh", "-c", "exit 7"]).0, 7);
    assert_eq!(run(&mut jail, &["/bin/sh", "-c", "ls /srv"]).2, "ls: /srv: No such file or directory\n");
    assert_eq!(run(&mut jail, &["/bin/sh", "-c", "nosuch"]).0, 127);
}

#[test]
fn what_is_not_modelled_says_so() {
    let mut jail = programs();
    let (code, out, err) = run(&mut jail, &["/bin/strange"]);
    assert_eq!((code, out.as_str()), (126, ""));
    assert_eq!(err, "the simulator does not model this program: /bin/strange\n");
    let (code, _, err) = run(&mut jail, &["/bin/sh", "-c", "for i in 1; do echo; done"]);
    assert_eq!(code, 126);
    assert!(err.contains("sh -c for i in 1"), "{err}");
    assert_eq!(run(&mut jail, &["/bin/ls", "-l"]).2, "the simulator does not model this program: ls -l\n");
    assert_eq!(run(&mut jail, &["/bin/sh", "-c", "strange"]).0, 126);
}

#[test]
fn input_reaches_the_program_and_its_end_too() {
    let mut jail = programs();
    let (stdin, feed) = pipe();
    let ((out, stdout), (_err, stderr)) = (pipe(), pipe());
    let stdio = learn::kernel::Stdio { stdin, stdout, stderr };
    let op = NamespaceOp::Clone { namespaces: ALL.to_vec(), cgroup: None }.into();
    let init: learn::kernel::Init = Box::new(|jail| {
        let op = exec("/bin/cat", &["cat"]);
        jail.perform(&op, environment()).map(drop).map_err(|fault| OpError { op: Box::new(op), fault })
    });
    let mut child = jail.clone_init(&op, stdio, init).expect("root clones");
    child.proceed().expect("cat runs");
    let mut feed = File::from(feed);
    feed.write_all("한글\n".as_bytes()).expect("cat reads");
    drop(feed);
    assert_eq!(text(out.into()), "한글\n");
    assert_eq!(child.reap().expect("it ended"), ExitStatus::Code(0));
}

#[test]
fn a_model_may_be_brought_along() {
    let mut config = config(v2(0));
    config.programs = config.programs.with(
        "/tool",
        Arc::new(|context| {
            let line = format!("{} {:?}\n", context.hostname()?, context.arguments());
            context.out(line.as_bytes()).map(|()| 3)
        }),
    );
    let host = SimHost::new(config).expect("a bare machine boots");
    install(&host, &[Entry::File("tool", "\x7fELF", 0o755)]);
    let mut jail = host.jail().expect("a shim");
    assert_eq!(run(&mut jail, &["/tool", "a"]), (3, "model [\"a\"]\n".to_owned(), String::new()));
}

#[test]
fn privileges_given_up_do_not_come_back() {
    let mut jail = host().jail().expect("a shim");
    inside(&mut jail, &ALL, |jail| {
        jail.act(NamespaceOp::SetHostname { name: "inside".into() }).expect("its own");
        assert_eq!(jail.read("/proc/sys/kernel/hostname").expect("procfs"), "inside\n");
        assert_eq!(jail.act(NamespaceOp::SetHostname { name: "x".repeat(65) }), Err(EINVAL));
        jail.act(NetworkOp::LinkUp { interface: "lo".into(), sandbox: None }).expect("every network has it");
        assert_eq!(
            jail.act(NetworkOp::LinkUp { interface: "eth0".into(), sandbox: None }),
            Err(nix::libc::ENODEV)
        );
        jail.act(ProcessOp::NewSession).expect("no leader yet");
        assert_eq!(jail.act(ProcessOp::NewSession), Err(EPERM));
        let keep = vec!["CAP_CHOWN".to_owned(), "CAP_SYS_ADMIN".to_owned()];
        jail.act(GuardOp::BoundCapabilities { keep }).expect("privileged");
        jail.act(GuardOp::SetUser { uid: 1000, gid: 1000, groups: vec![] }).expect("privileged");
        let chown = vec!["CAP_CHOWN".to_owned()];
        let sets = GuardOp::SetCapabilities { effective: chown, inheritable: vec![], ambient: vec![] };
        jail.act(sets).expect("fewer than before");
        jail.act(GuardOp::NoNewPrivileges).expect("always");
        let status = jail.read("/proc/self/status").expect("procfs");
        assert!(status.contains("Uid:\t1000\t") && status.contains("NoNewPrivs:\t1"), "{status}");
        assert!(status.contains("CapBnd:\t0000000000200001"), "{status}");
        assert_eq!(jail.act(GuardOp::SetUser { uid: 0, gid: 0, groups: vec![] }), Err(EPERM));
        assert_eq!(jail.act(NetworkOp::LinkUp { interface: "lo".into(), sandbox: None }), Err(EPERM));
    });
}

#[test]
fn a_user_namespace_maps_the_callers_own_id_only() {
    let host = SimHost::new(config(v2(1000))).expect("a bare machine boots");
    let mut jail = host.jail().expect("a shim");
    let namespaces = [&ALL[..], &[Namespace::User]].concat();
    let (mut child, _, _) = clone(
        &mut jail,
        &namespaces,
        Box::new(|jail| {
            jail.act(GuardOp::SetUser { uid: 0, gid: 0, groups: vec![] }).expect("root inside");
            assert_eq!(jail.act(GuardOp::SetUser { uid: 5, gid: 0, groups: vec![] }), Err(EINVAL));
            Ok(())
        }),
    )
    .expect("a user namespace needs no privilege");
    let map = |file: &str, value: &str| learn::op::FsOp::WriteFile {
        path: format!("/proc/{}/{file}", child.pid()),
        value: value.into(),
        why: learn::op::WriteReason::IdMap,
    };
    assert_eq!(jail.act(map("gid_map", "0 1000 1")), Err(EPERM), "groups were not given up");
    jail.act(map("setgroups", "deny")).expect("always allowed");
    assert_eq!(jail.act(map("uid_map", "0 0 1")), Err(EPERM), "somebody else's");
    assert_eq!(jail.act(map("uid_map", "zero")), Err(EINVAL));
    jail.act(map("uid_map", "0 1000 1")).expect("its own");
    jail.act(map("gid_map", "0 1000 1")).expect("its own");
    assert_eq!(jail.act(map("uid_map", "0 1000 1")), Err(EPERM), "once only");
    child.proceed().expect("nothing failed inside");
}
