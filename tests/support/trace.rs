//! Builds traces as an engine would write them, with fixed times, ids and digests.

#![allow(dead_code, reason = "shared by several test binaries; each uses a part")]

use learn::op::{
    CgroupOp, FsOp, HttpOp, MountOp, Namespace, NamespaceOp, Op, ProcessOp, StoreOp, WriteReason,
};
use learn::trace::{Event, Facts, Note, Record, Scope, facts};

/// Writes records; scopes nest by closures.
pub struct Builder {
    pub records: Vec<Record>,
    scope: u32,
    next: u32,
    at: u64,
}

impl Builder {
    pub fn new() -> Builder {
        Builder { records: Vec::new(), scope: 0, next: 1, at: 0 }
    }

    /// One record of the current scope.
    pub fn emit(&mut self, event: Event) {
        self.emit_in(self.scope, event);
    }

    /// One record of any scope, for work that runs side by side.
    pub fn emit_in(&mut self, scope: u32, event: Event) {
        self.at += 100;
        self.records.push(Record { seq: self.records.len() as u64, at: self.at, scope, event });
    }

    /// Opens a scope without entering it.
    pub fn open_in(&mut self, parent: u32, kind: Scope, about: &str) -> u32 {
        let id = self.next;
        self.next += 1;
        self.emit_in(parent, Event::Opened { id, kind, about: about.into() });
        id
    }

    pub fn within(&mut self, kind: Scope, about: &str, work: impl FnOnce(&mut Builder)) {
        self.ended(kind, about, None, work);
    }

    /// A scope that ends with an error.
    pub fn ended(&mut self, kind: Scope, about: &str, error: Option<&str>, work: impl FnOnce(&mut Builder)) {
        let (outer, began) = (self.scope, self.at);
        self.scope = self.open_in(outer, kind, about);
        work(self);
        let took = self.at - began;
        self.emit(Event::Closed { error: error.map(str::to_owned), took });
        self.scope = outer;
    }

    pub fn note<const N: usize>(&mut self, note: Note, pairs: [(&str, &dyn ToString); N]) {
        self.emit(Event::Note { note, facts: facts(pairs) });
    }

    pub fn op(&mut self, op: impl Into<Op>) {
        self.op_with(op, Facts::new());
    }

    pub fn op_with(&mut self, op: impl Into<Op>, facts: Facts) {
        let op = op.into();
        let name = op.name();
        self.emit(Event::Will { op });
        self.emit(Event::Did { op: name, facts, took: 40 });
    }

    pub fn op_fails(&mut self, op: impl Into<Op>, errno: i32, error: &str, facts: Facts) {
        let op = op.into();
        let name = op.name();
        self.emit(Event::Will { op });
        self.emit(Event::Failed { op: name, errno: Some(errno), error: error.into(), facts, took: 40 });
    }
}

pub const ID: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
pub const SHORT: &str = "c0ffee00c0ff";
pub const REFERENCE: &str = "docker.io/library/hello-world:latest";

/// `sha256:` and one digit repeated.
pub fn digest(digit: char) -> String {
    format!("sha256:{}", String::from(digit).repeat(64))
}

fn request(b: &mut Builder, path: &str, status: u16, work: impl FnOnce(&mut Builder)) {
    let (method, path) = path.split_once(' ').unwrap();
    let error = (status >= 400).then_some("No such image: hello-world:latest");
    b.ended(Scope::Request, &format!("{method} {path}"), error, |b| {
        b.note(
            Note::Peer,
            [
                ("client", &"learn"),
                ("pid", &900),
                ("uid", &0),
                ("socket", &"/run/learn/learn.sock"),
                ("method", &method),
                ("path", &path),
            ],
        );
        work(b);
        b.note(Note::Answered, [("status", &status)]);
    });
}

fn get(url: &str) -> HttpOp {
    HttpOp::Request {
        method: "GET".into(),
        url: format!("http://127.0.0.1:5000{url}"),
        headers: vec![("Authorization".into(), "***".into())],
    }
}

fn ok() -> Facts {
    facts([("status", &200)])
}

/// The first run of hello-world, from the built-in hub.
pub fn hello_world_cold() -> Vec<Record> {
    let mut b = Builder::new();
    request(&mut b, "POST /containers/create", 404, |b| {
        let error = "No such image: hello-world:latest";
        b.ended(Scope::ImageLookup, REFERENCE, Some(error), |b| {
            b.note(Note::CacheMiss, [("reference", &REFERENCE)]);
        });
    });
    request(&mut b, "POST /images/create", 200, pull);
    request(&mut b, "POST /containers/create", 201, create);
    request(&mut b, &format!("POST /containers/{SHORT}/start"), 204, start);
    exit(&mut b, 0);
    b.records
}

/// The second run: the cache is hit.
pub fn hello_world_cached() -> Vec<Record> {
    let mut b = Builder::new();
    request(&mut b, "POST /containers/create", 201, create);
    request(&mut b, &format!("POST /containers/{SHORT}/start"), 204, start);
    exit(&mut b, 0);
    b.records
}

/// `hello-world ls`: the program is not in the image.
pub fn hello_world_ls() -> Vec<Record> {
    let mut b = Builder::new();
    request(&mut b, "POST /containers/create", 201, create);
    let error = "exec: \"ls\": executable file not found in $PATH";
    b.ended(Scope::ContainerStart, SHORT, Some(error), |b| {
        b.ended(Scope::ProcessExec, "ls", Some(error), |b| {
            let lookup = ProcessOp::LookupProgram { name: "ls".into(), path: "/usr/bin:/bin".into() };
            b.op_fails(
                lookup,
                2,
                "executable file not found in $PATH",
                facts([("tried", &"/usr/bin/ls; /bin/ls")]),
            );
        });
        b.note(Note::Remains, [("state", &"created")]);
    });
    b.records
}

fn pull(b: &mut Builder) {
    b.within(Scope::ImagePull, REFERENCE, |b| {
        b.within(Scope::RegistryChoose, "docker.io", |b| {
            b.note(
                Note::BuiltinHub,
                [
                    ("registry", &"docker.io"),
                    ("reason", &"name resolution failed"),
                    ("address", &"127.0.0.1:5000"),
                ],
            );
        });
        b.within(Scope::RegistryAuth, "127.0.0.1:5000", |b| {
            b.op_with(get("/v2/"), ok());
            b.note(Note::NoChallenge, [("registry", &"127.0.0.1:5000")]);
        });
        b.within(Scope::ManifestResolve, REFERENCE, |b| {
            b.op_with(get("/v2/library/hello-world/manifests/latest"), ok());
            b.note(
                Note::PlatformChosen,
                [("platform", &"linux/amd64"), ("digest", &digest('a')), ("offered", &"linux/amd64")],
            );
            let path = format!("/var/lib/learn/blobs/sha256/{}", "a".repeat(64));
            b.op(StoreOp::PutBlob { digest: digest('a'), path, size: 525 });
        });
        layers(b);
        b.within(Scope::ImageCommit, REFERENCE, |b| {
            b.note(
                Note::FourHashes,
                [
                    ("blob", &digest('b')),
                    ("index", &digest('a')),
                    ("config", &digest('c')),
                    ("diff-id", &digest('d')),
                ],
            );
            b.op(FsOp::WriteFile {
                path: "/var/lib/learn/images.json".into(),
                value: "{…".into(),
                why: WriteReason::Store,
            });
        });
    });
}

/// Two layers whose records interleave.
fn layers(b: &mut Builder) {
    let parent = b.scope;
    let first = b.open_in(parent, Scope::LayerFetch, &digest('b'));
    let second = b.open_in(parent, Scope::LayerFetch, &digest('e'));
    let unpack = |blob: char| StoreOp::UnpackLayer {
        digest: digest(blob),
        blob: format!("/var/lib/learn/blobs/sha256/{}", String::from(blob).repeat(64)),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(),
        directory: format!("/var/lib/learn/layers/{}.new-1", String::from(blob).repeat(64)),
        limit: 1 << 40,
    };
    for (scope, blob) in [(second, 'e'), (first, 'b')] {
        b.emit_in(scope, Event::Will { op: unpack(blob).into() });
    }
    for (scope, bytes) in [(second, 2048), (first, 10240)] {
        let facts = facts([("bytes", &bytes), ("files", &1)]);
        b.emit_in(scope, Event::Did { op: "store.unpack-layer".into(), facts, took: 900 });
    }
    for (scope, blob) in [(second, 'e'), (first, 'b')] {
        let facts = facts([("subject", &"layer"), ("digest", &digest(blob))]);
        b.emit_in(scope, Event::Note { note: Note::DigestEqual, facts });
        b.emit_in(scope, Event::Closed { error: None, took: 1200 });
    }
}

fn create(b: &mut Builder) {
    b.within(Scope::ImageLookup, REFERENCE, |b| {
        b.note(Note::CacheHit, [("reference", &REFERENCE), ("id", &digest('c'))]);
    });
    b.within(Scope::ContainerCreate, "amazing_diffie", |b| {
        b.note(Note::NameChosen, [("name", &"amazing_diffie"), ("given", &"no")]);
        b.note(Note::CommandChosen, [("cmd", &"[\"/hello\"]"), ("source", &"image")]);
        b.within(Scope::SnapshotPrepare, SHORT, |b| {
            let upper = format!("/var/lib/learn/containers/{ID}/upper");
            b.op(FsOp::CreateDirectory { path: upper.clone(), mode: 0o755 });
            b.note(
                Note::Overlay,
                [
                    ("lower", &format!("/var/lib/learn/layers/{}", "d".repeat(64))),
                    ("upper", &upper),
                    ("work", &format!("/var/lib/learn/containers/{ID}/work")),
                    ("layers", &1),
                ],
            );
        });
    });
}

fn start(b: &mut Builder) {
    b.within(Scope::ContainerStart, SHORT, |b| {
        b.note(Note::NetworkMode, [("mode", &"loopback")]);
        b.within(Scope::ShimSpawn, SHORT, |b| {
            let bundle = format!("/var/lib/learn/containers/{ID}/bundle");
            b.op_with(ProcessOp::SpawnShim { container: ID.into(), bundle }, facts([("pid", &4710)]));
            b.note(Note::RuntimeSealed, [("how", &"mount_setattr(MOUNT_ATTR_RDONLY)")]);
        });
        b.within(Scope::LimitsApply, "/learn/c0ffee00c0ff", |b| {
            b.note(Note::CgroupMode, [("mode", &"v2"), ("controllers", &"cpu,memory,pids")]);
            let group = "/sys/fs/cgroup/learn/c0ffee00c0ff".to_owned();
            b.op(CgroupOp::Create { path: group.clone() });
            b.op(FsOp::WriteFile {
                path: format!("{group}/pids.max"),
                value: "max".into(),
                why: WriteReason::Cgroup,
            });
        });
        b.within(Scope::NamespacesEnter, SHORT, |b| {
            let namespaces = vec![Namespace::Mount, Namespace::Pid, Namespace::Network, Namespace::Uts];
            b.op_with(NamespaceOp::Clone { namespaces, cgroup: None }, facts([("pid", &4711)]));
            b.note(
                Note::NamespaceInodes,
                [
                    ("mnt", &4026532841_u64),
                    ("host-mnt", &4026531841_u64),
                    ("pid", &4026532844_u64),
                    ("host-pid", &4026531836_u64),
                    ("user", &4026531837_u64),
                    ("host-user", &4026531837_u64),
                ],
            );
        });
        b.within(Scope::RootfsFurnish, "rootfs", |b| {
            b.op(MountOp::Mount {
                source: "proc".into(),
                target: "/proc".into(),
                fstype: "proc".into(),
                flags: vec!["nosuid".into(), "nodev".into(), "noexec".into()],
                data: String::new(),
            });
        });
        b.within(Scope::ProcessExec, "/hello", |b| {
            b.op(ProcessOp::Exec {
                program: "/hello".into(),
                argv: vec!["/hello".into()],
                env: vec!["PATH=/usr/bin:/bin".into()],
                seccomp: 1024,
            });
        });
        b.note(Note::Running, [("pid", &4711), ("inside", &1), ("program", &"/hello")]);
    });
}

fn exit(b: &mut Builder, code: u8) {
    b.within(Scope::ContainerExit, SHORT, |b| {
        b.note(Note::Exited, [("code", &code), ("signal", &""), ("oom", &"false")]);
        b.note(Note::Remains, [("state", &"exited")]);
    });
}
