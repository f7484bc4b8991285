//! What the daemon does to the machine, one operation at a time.

use learn::error::{Hint, Kind};
use learn::kernel::linux::host::{LinuxHost, Transport};
use learn::kernel::linux::probe::probe;
use learn::kernel::linux::seal::SealedExe;
use learn::kernel::{Fault, Host, Outcome, Payload, Value};
use learn::op::{CgroupOp, FsOp, HttpOp, NamespaceOp, Op, ProcessOp, StoreOp, WriteReason};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug)]
struct NoNetwork;

impl Transport for NoNetwork {
    fn request<'a>(
        &'a self,
        op: &'a HttpOp,
        _: Payload,
    ) -> futures_util::future::BoxFuture<'a, Result<Outcome, Fault>> {
        panic!("asked for {op:?}")
    }
}

fn host_running(program: &str) -> LinuxHost {
    LinuxHost::new(SealedExe::of(Path::new(program)).unwrap(), Box::new(NoNetwork))
}

fn perform(op: impl Into<Op>, payload: Payload) -> Result<Outcome, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(host_running("/bin/true").perform(&op.into(), payload))
}

fn refused(op: impl Into<Op>, payload: Payload) -> Fault {
    perform(op, payload).err().expect("the operation is refused")
}

fn done(op: impl Into<Op>) {
    perform(op, Payload::Empty).unwrap();
}

fn inside(directory: &tempfile::TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_store_file_is_replaced_whole_and_leaves_no_temporary_file() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "record.json");
    fs::write(inside(&temp, "record.json.new"), "what a crash left, longer than the text").unwrap();
    for value in ["first", "second"] {
        done(FsOp::WriteFile { path: path.clone(), value: value.into(), why: WriteReason::Store });
        assert_eq!(fs::read_to_string(&path).unwrap(), value);
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn a_store_file_that_cannot_be_replaced_stays_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "taken");
    fs::create_dir_all(format!("{path}/full")).unwrap();
    let op = FsOp::WriteFile { path: path.clone(), value: "x".into(), why: WriteReason::Store };
    assert!(perform(op, Payload::Empty).is_err());
    assert!(Path::new(&path).join("full").is_dir());
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn the_whole_text_travels_beside_the_operation() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "config.json");
    let op = FsOp::WriteFile { path: path.clone(), value: "{…".into(), why: WriteReason::Bundle };
    perform(op, Payload::Bytes("{\n}\n".into())).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "{\n}\n");
}

#[test]
fn a_kernel_file_is_never_created() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "memory.max");
    let op = FsOp::WriteFile { path: path.clone(), value: "1".into(), why: WriteReason::Cgroup };
    assert_eq!(refused(op, Payload::Empty).kind, Kind::NotFound);
    assert!(!Path::new(&path).exists());
}

#[test]
fn directories_are_made_with_their_parents_and_left_alone_when_there() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "a/b");
    done(FsOp::CreateDirectory { path: path.clone(), mode: 0o777 });
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o777, "whatever the umask");
    done(FsOp::CreateDirectory { path: path.clone(), mode: 0o700 });
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o777);
}

#[test]
fn a_blob_is_kept_only_under_its_own_digest() {
    let temp = tempfile::tempdir().unwrap();
    let path = inside(&temp, "blob");
    let put = |digest: &str| StoreOp::PutBlob { digest: digest.into(), path: path.clone(), size: 2 };
    let right = "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    let wrong = right.replace('8', "9");
    let fault = refused(put(&wrong), Payload::Bytes("hi".into()));
    assert_eq!(fault.hint, Some(Hint::PullAgain));
    assert!(fault.message.contains(&wrong) && fault.message.contains(right), "{}", fault.message);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    perform(put(right), Payload::Bytes("hi".into())).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"hi");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn a_signal_reaches_its_process() {
    let mut sleeper = Command::new("sleep").arg("1000").spawn().unwrap();
    done(ProcessOp::Signal { pid: sleeper.id(), signal: "SIGUSR1".into() });
    let status = sleeper.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGUSR1));
    let gone = ProcessOp::Signal { pid: sleeper.id(), signal: "SIGTERM".into() };
    assert_eq!(refused(gone, Payload::Empty).errno, Some(libc::ESRCH));
}

#[test]
fn acts_of_shim_and_init_are_refused_by_name() {
    let fault = refused(NamespaceOp::SetHostname { name: "x".into() }, Payload::Empty);
    assert_eq!(fault.kind, Kind::Internal);
    assert!(fault.message.contains("namespace.set-hostname"), "{}", fault.message);
}

/// The program is `/bin/sh` here, which takes `shim` for a script that does not exist.
#[test]
fn a_shim_gets_its_socket_its_log_and_a_group_and_leaves_no_zombie() {
    let temp = tempfile::tempdir().unwrap();
    let bundle = temp.path().to_str().unwrap().to_owned();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let host = host_running("/bin/sh");
        let op: Op = ProcessOp::SpawnShim { container: "f".repeat(64), bundle: bundle.clone() }.into();
        let outcome = host.perform(&op, Payload::Control(OwnedFd::from(theirs))).await.unwrap();
        let Value::Pid(pid) = outcome.value else { panic!("no pid") };
        assert_eq!(outcome.facts["pid"], pid.to_string());
        // Its end of the socket closes when it ends; then it is only a matter of being reaped.
        let ended = tokio::task::spawn_blocking(move || (&ours).read(&mut [0; 1]).unwrap());
        assert_eq!(ended.await.unwrap(), 0);
        let patience = Instant::now() + Duration::from_secs(10);
        while Path::new(&format!("/proc/{pid}")).exists() {
            assert!(Instant::now() < patience, "the shim is a zombie");
            tokio::task::yield_now().await;
        }
    });
    let log = fs::read_to_string(format!("{bundle}/shim.log")).unwrap();
    assert!(log.starts_with("learn-shim: ") && log.contains("shim"), "{log}");
}

#[test]
fn a_sealed_program_runs_and_cannot_be_written_through_its_process() {
    let temp = tempfile::tempdir().unwrap();
    let copy = temp.path().join("cat");
    fs::copy("/bin/cat", &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    let sealed = SealedExe::of(&copy).unwrap();
    let mut running =
        Command::new(sealed.path().unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // It answers, so it runs: from here on /proc/<pid>/exe is the sealed program.
    running.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    running.stdout.as_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
    let exe = fs::File::open(format!("/proc/{}/exe", running.id())).unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    // Nobody executes it any more, so "text file busy" is not what protects it.
    let through = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&exe));
    let refused =
        fs::OpenOptions::new().write(true).open(through).and_then(|mut file| file.write_all(b"evil"));
    assert!(
        matches!(
            refused.as_ref().map_err(|error| error.raw_os_error()),
            Err(Some(libc::EROFS | libc::EPERM))
        ),
        "{} let a write through: {refused:?}",
        sealed.describe()
    );
    assert!(fs::read(&copy).unwrap() == before);
}

#[test]
fn a_group_goes_with_the_groups_made_inside_it() {
    let machine = probe();
    let mount = machine.cgroups.v1.get("pids").cloned().or(machine.cgroups.v2.map(|v2| v2.mount));
    let usable = mount.filter(|_| machine.uid == 0);
    let Some(mount) = usable else {
        assert!(std::env::var_os("LEARN_REQUIRE_ROOT").is_none(), "needs root and a cgroup hierarchy");
        eprintln!("skipped, needs root and a cgroup hierarchy");
        return;
    };
    let group = format!("{mount}/learn-test-{}", std::process::id());
    done(CgroupOp::Create { path: format!("{group}/deep/deeper") });
    assert!(Path::new(&group).join("deep/deeper/cgroup.procs").exists());
    done(CgroupOp::Remove { path: group.clone() });
    assert!(!Path::new(&group).exists());
    done(CgroupOp::Remove { path: group });
}

#[test]
fn the_probe_agrees_with_the_machine() {
    let machine = probe();
    let uname = Command::new("uname").arg("-r").output().unwrap();
    assert_eq!(machine.kernel, String::from_utf8(uname.stdout).unwrap().trim());
    for mount in machine.cgroups.v1.values() {
        assert!(Path::new(mount).join("tasks").exists(), "{mount}");
    }
    if let Some(v2) = &machine.cgroups.v2 {
        assert!(Path::new(&v2.mount).join("cgroup.procs").exists());
    }
}
