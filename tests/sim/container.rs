//! The runtime's own launch and shim, on the model.

use crate::bench::*;
use learn::kernel::sim::SimHost;
use learn::kernel::{Host, Machine, Payload, Report, Stdio, TracedJail, Value};
use learn::op::ProcessOp;
use learn::runtime::guard::{capability, paths};
use learn::runtime::log_format::LogPlan;
use learn::runtime::protocol::{Attach, FromShim, Start, ToShim};
use learn::runtime::{OVERLAY_ANNOTATION, channel, launch, shim};
use learn::trace::{Decision, Event, Stop};
use oci_spec::runtime::{
    LinuxBuilder, LinuxNamespaceBuilder, LinuxNamespaceType, ProcessBuilder, RootBuilder, Spec, SpecBuilder,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

/// Where an engine of this user keeps its state.
fn state(machine: &Machine) -> &'static str {
    if machine.unprivileged() { "/home/learner/learn" } else { "/var/lib/learn" }
}

fn spec(argv: &[&str], machine: &Machine) -> Spec {
    let state = state(machine);
    let overlay = format!(
        "lowerdir={state}/layers/one,upperdir={state}/containers/c/upper,workdir={state}/containers/c/work"
    );
    let capabilities = capability::effective(&[], &[], false).expect("Docker's default");
    let process = ProcessBuilder::default()
        .args(argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        .env(vec!["PATH=/bin".to_owned()])
        .cwd("/")
        .no_new_privileges(false)
        .capabilities(capability::process_sets(&capabilities, 0))
        .build()
        .expect("a process");
    let mut kinds = vec![
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Network,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Cgroup,
    ];
    kinds.extend(machine.unprivileged().then_some(LinuxNamespaceType::User));
    let namespace = |kind| LinuxNamespaceBuilder::default().typ(kind).build().expect("a namespace");
    let linux = LinuxBuilder::default()
        .namespaces(kinds.into_iter().map(namespace).collect::<Vec<_>>())
        .cgroups_path("/learn/c")
        .devices(paths::devices())
        .masked_paths(paths::MASKED.map(str::to_owned).to_vec())
        .readonly_paths(paths::READ_ONLY.map(str::to_owned).to_vec())
        .build()
        .expect("linux");
    SpecBuilder::default()
        .root(RootBuilder::default().path(format!("{state}/containers/c/rootfs")).build().expect("a root"))
        .process(process)
        .hostname("c0ffee")
        .mounts(paths::mounts(paths::SHM_SIZE, false))
        .linux(linux)
        .annotations(HashMap::from([(OVERLAY_ANNOTATION.to_owned(), overlay)]))
        .build()
        .expect("a spec")
}

/// A machine with one layer and a bundle for `argv`.
fn boot(machine: Machine, argv: &[&str]) -> SimHost {
    let spec = spec(argv, &machine);
    let state = state(&machine);
    let mut config = config(machine);
    config.shim = Arc::new(|mut jail, control| shim::run(&mut *jail, control).expect("the daemon talks"));
    let host = SimHost::new(config).expect("a bare machine boots");
    for path in
        ["layers", "containers/c/upper", "containers/c/work", "containers/c/rootfs", "containers/c/bundle"]
    {
        perform(&host, directory(&format!("{state}/{path}")), Payload::Empty).expect("the daemon's own");
    }
    let text = serde_json::to_string(&spec).expect("json");
    let config = write(&format!("{state}/containers/c/bundle/config.json"), &text);
    perform(&host, config, Payload::Empty).expect("the daemon's own");
    let layer = tar(&[
        Entry::File("hello", "\x7fELF", 0o755),
        Entry::File("bin/busybox", "\x7fELF", 0o755),
        Entry::Link("bin/ls", "/bin/busybox"),
        Entry::Link("bin/hostname", "busybox"),
        Entry::Link("bin/sleep", "busybox"),
        Entry::Link("bin/id", "busybox"),
    ]);
    perform(&host, unpack(&format!("{state}/layers/one"), "sha256:"), streamed(0, layer)).expect("a layer");
    host
}

/// Collects what is said, on both sides of the wall.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Event>>>);

impl Report for Collected {
    fn flush(&mut self) {}
    fn record(&mut self, _: u32, event: Event) {
        self.0.lock().expect("nobody panicked").push(event);
    }
    fn gate(&mut self, _: u32, _: &Event) -> Decision {
        Decision::Free
    }
    fn split(&self) -> Box<dyn Report> {
        Box::new(self.clone())
    }
    fn scope_id(&mut self) -> u32 {
        0
    }
    fn open_for_rollback(&mut self) {}
}

struct Ran {
    code: Result<i32, String>,
    out: String,
    events: Vec<Event>,
}

fn run(machine: Machine, argv: &[&str]) -> (Ran, SimHost) {
    let host = boot(machine.clone(), argv);
    let bundle = format!("{}/containers/c/bundle", state(&machine));
    let mut jail = host.jail().expect("a shim");
    let events = Collected::default();
    let (stdin, _) = pipe();
    let ((out, stdout), (_err, stderr)) = (pipe(), pipe());
    let mut traced = TracedJail::new(&mut jail, Box::new(events.clone()), 0);
    let launched = launch::launch(&mut traced, &machine, &bundle, Stdio { stdin, stdout, stderr });
    let code = launched.map_err(|error| error.to_string()).map(|mut launched| {
        let code = launched.child.reap().expect("it ends").code();
        for op in launched.groups.release() {
            traced.perform(op).expect("an empty group goes");
        }
        code
    });
    let events = events.0.lock().expect("nobody panicked").clone();
    (Ran { code, out: text(out.into()), events }, host)
}

#[test]
fn a_whole_container_runs_on_the_model() {
    let (ran, host) = run(v2(0), &["/hello"]);
    assert_eq!(ran.code, Ok(0));
    assert_eq!(ran.out, GREETING);
    assert_eq!(
        host.list("/sys/fs/cgroup/learn")
            .expect("its parent stays")
            .iter()
            .filter(|name| *name == "c")
            .count(),
        0
    );
    let failed: Vec<&Event> =
        ran.events.iter().filter(|event| matches!(event, Event::Failed { .. })).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn the_program_sees_its_own_root_and_name() {
    let (ran, host) = run(v1(), &["ls", "/"]);
    assert_eq!((ran.code, ran.out.as_str()), (Ok(0), "bin\ndev\nhello\nproc\nsys\n"));
    assert!(host.list("/var/lib/learn/containers/c/rootfs").expect("the host's view").is_empty());
    assert_eq!(run(v2(0), &["hostname"]).0.out, "c0ffee\n");
    assert_eq!(run(v2(0), &["ls", "/proc/1/ns"]).0.out, "cgroup\nipc\nmnt\nnet\npid\nuser\nuts\n");
}

#[test]
fn only_the_shim_speaks_for_a_process_that_has_become_the_program() {
    let (ran, _) = run(v2(0), &["/hello"]);
    let last = ran
        .events
        .iter()
        .rposition(|event| matches!(event, Event::Will { op } if op.name() == "process.exec"));
    let after: Vec<&Event> = ran.events[last.expect("it was announced") + 1..].iter().collect();
    let said = after.iter().filter(|event| matches!(event, Event::Did { op, .. } if op == "process.exec"));
    assert_eq!(said.count(), 1, "the shim says it, once: {after:?}");
}

#[test]
fn a_missing_program_fails_with_runcs_words_and_leaves_no_group() {
    let (ran, host) = run(v2(0), &["nosuch"]);
    let error = ran.code.expect_err("there is none");
    assert!(error.contains("exec: \"nosuch\": executable file not found in $PATH"), "{error}");
    let groups = host.list("/sys/fs/cgroup").expect("the root group");
    assert!(!groups.contains(&"c".to_owned()), "{groups:?}");
    let mut jail = host.jail().expect("a shim");
    let gone = learn::op::CgroupOp::Remove { path: "/sys/fs/cgroup/learn".into() };
    jail.act(gone).expect("no group below it is left");
}

#[test]
fn without_privilege_a_user_namespace_does() {
    let (ran, _) = run(v2(1000), &["ls", "/dev"]);
    assert_eq!(ran.code, Ok(0));
    assert!(ran.out.lines().any(|name| name == "null"), "{}", ran.out);
    let failed: Vec<&Event> =
        ran.events.iter().filter(|event| matches!(event, Event::Failed { .. })).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(run(v2(1000), &["id", "-u"]).0.out, "0\n");
}

/// A shim spawned through the daemon's door, as the engine does it.
fn spawn(host: &SimHost) -> (u32, OwnedFd) {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a pair");
    let op = ProcessOp::SpawnShim {
        container: "c".repeat(64),
        bundle: "/var/lib/learn/containers/c/bundle".into(),
    };
    let outcome = perform(host, op, Payload::Control(theirs)).expect("a thread");
    let Value::Pid(pid) = outcome.value else { panic!("a shim has a pid") };
    (pid, ours)
}

fn begin(machine: Machine) -> ToShim {
    ToShim::Start(Box::new(Start {
        exec: None,
        terminal: false,
        id: "c".repeat(64),
        bundle: "/var/lib/learn/containers/c/bundle".into(),
        socket: String::new(),
        log: LogPlan { path: "/var/lib/learn/containers/c/json.log".into(), ..LogPlan::default() },
        exit_file: "/var/lib/learn/containers/c/exit.json".into(),
        scope: 0,
        scope_base: 1000,
        stop: Stop::Never,
        last_stage: None,
        machine,
        open_stdin: false,
        stdin_once: false,
    }))
}

fn next(control: &OwnedFd) -> Option<FromShim> {
    channel::receive::<FromShim>(control).expect("a packet").map(|(message, _)| message)
}

#[test]
fn the_shim_keeps_the_log_and_the_exit_on_the_model() {
    let host = boot(v2(0), &["/hello"]);
    let (pid, control) = spawn(&host);
    assert_eq!(pid, 1001);
    channel::send(&control, &begin(v2(0)), None).expect("the shim listens");
    let (mut client, theirs) = UnixStream::pair().expect("a pair");
    let theirs = OwnedFd::from(theirs);
    let attach = ToShim::Attach(Attach { stdout: true, ..Attach::default() });
    channel::send(&control, &attach, Some(&theirs)).expect("the shim listens");
    drop(theirs);
    channel::send(&control, &ToShim::Go, None).expect("the shim listens");
    let mut said = Vec::new();
    while let Some(message) = next(&control) {
        said.push(message);
    }
    let started = said.iter().find_map(|message| match message {
        FromShim::Started { pid, .. } => Some(*pid),
        _ => None,
    });
    assert_eq!(started, Some(1002));
    assert!(matches!(said.last(), Some(FromShim::Exited(exit)) if exit.code == 0), "{:?}", said.last());
    let log = host.read("/var/lib/learn/containers/c/json.log").expect("a log");
    assert!(String::from_utf8_lossy(&log).contains(r#""log":"hello from the model\n","stream":"stdout""#));
    assert!(host.read("/var/lib/learn/containers/c/exit.json").is_ok());
    let mut frames = Vec::new();
    client.read_to_end(&mut frames).expect("closed at the program's end");
    let header = [1, 0, 0, 0, 0, 0, 0, GREETING.len() as u8];
    assert_eq!(frames, [&header[..], GREETING.as_bytes()].concat());
}

#[test]
fn a_signal_through_the_shim_ends_the_container() {
    let host = boot(v2(0), &["sleep", "infinity"]);
    let (_, control) = spawn(&host);
    channel::send(&control, &begin(v2(0)), None).expect("the shim listens");
    channel::send(&control, &ToShim::Go, None).expect("the shim listens");
    loop {
        match next(&control).expect("the shim goes on") {
            FromShim::Started { .. } => break,
            FromShim::Failed(failure) => panic!("{}", failure.message),
            _ => {}
        }
    }
    channel::send(&control, &ToShim::Signal(nix::libc::SIGKILL), None).expect("the shim listens");
    let exited = std::iter::from_fn(|| next(&control)).find_map(|message| match message {
        FromShim::Exited(exit) => Some(exit),
        _ => None,
    });
    assert_eq!(exited.expect("told").code, 137);
}
