//! Operations as plain data.
//!
//! Every act that matters to a learner is a value of [`Op`]: it can be shown before it happens,
//! performed by the real kernel or by the simulator, stored in a trace and replayed. Each knows
//! its system call ([`Op::syscall`]), a line a learner could type instead ([`Op::shell`]) and
//! what takes it back ([`Op::undo`]). Bulk bytes never travel in an `Op`.

pub mod archive;
pub mod cgroup;
pub mod fs;
pub mod guard;
pub mod http;
pub mod mount;
pub mod namespace;
pub mod network;
pub mod process;
mod redact;
pub mod store;
pub mod terminal;

pub use archive::ArchiveOp;
pub use cgroup::CgroupOp;
pub use fs::{FsOp, WriteReason};
pub use guard::GuardOp;
pub use http::HttpOp;
pub use mount::MountOp;
pub use namespace::{Namespace, NamespaceOp};
pub use network::NetworkOp;
pub use process::ProcessOp;
pub use redact::redact_environment;
pub use store::StoreOp;
pub use terminal::TerminalOp;

use serde::{Deserialize, Serialize};

/// One act, of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(tag = "family", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Op {
    /// A container's files as a tar.
    Archive(ArchiveOp),
    /// Control groups.
    Cgroup(CgroupOp),
    /// Files and directories.
    Fs(FsOp),
    /// Privileges and limits of a process.
    Guard(GuardOp),
    /// Requests to a registry.
    Http(HttpOp),
    /// The mount table.
    Mount(MountOp),
    /// Namespaces.
    Namespace(NamespaceOp),
    /// Network interfaces.
    Network(NetworkOp),
    /// Processes and programs.
    Process(ProcessOp),
    /// The image store.
    Store(StoreOp),
    /// Terminals.
    Terminal(TerminalOp),
}

/// Calls `$method` on the family inside an [`Op`].
macro_rules! each_family {
    ($op:expr, $method:ident) => {
        match $op {
            Op::Archive(op) => op.$method(),
            Op::Cgroup(op) => op.$method(),
            Op::Fs(op) => op.$method(),
            Op::Guard(op) => op.$method(),
            Op::Http(op) => op.$method(),
            Op::Mount(op) => op.$method(),
            Op::Namespace(op) => op.$method(),
            Op::Network(op) => op.$method(),
            Op::Process(op) => op.$method(),
            Op::Store(op) => op.$method(),
            Op::Terminal(op) => op.$method(),
        }
    };
}

impl Op {
    /// `family.name`, the key of its texts in `lessons/glossary.yaml`: `mount.pivot-root`.
    pub fn name(&self) -> String {
        let family: &'static str = self.into();
        let name = match self {
            Op::Archive(op) => <&'static str>::from(op),
            Op::Cgroup(op) => op.into(),
            Op::Fs(op) => op.into(),
            Op::Guard(op) => op.into(),
            Op::Http(op) => op.into(),
            Op::Mount(op) => op.into(),
            Op::Namespace(op) => op.into(),
            Op::Network(op) => op.into(),
            Op::Process(op) => op.into(),
            Op::Store(op) => op.into(),
            Op::Terminal(op) => op.into(),
        };
        format!("{family}.{name}")
    }

    /// The names of all operations there are, in the order of the families.
    pub fn names() -> Vec<String> {
        use strum::VariantNames;
        let families: [(&str, &[&str]); 11] = [
            ("archive", ArchiveOp::VARIANTS),
            ("cgroup", CgroupOp::VARIANTS),
            ("fs", FsOp::VARIANTS),
            ("guard", GuardOp::VARIANTS),
            ("http", HttpOp::VARIANTS),
            ("mount", MountOp::VARIANTS),
            ("namespace", NamespaceOp::VARIANTS),
            ("network", NetworkOp::VARIANTS),
            ("process", ProcessOp::VARIANTS),
            ("store", StoreOp::VARIANTS),
            ("terminal", TerminalOp::VARIANTS),
        ];
        families
            .iter()
            .flat_map(|(family, names)| names.iter().map(move |name| format!("{family}.{name}")))
            .collect()
    }

    /// The system call (or the pair of them) this becomes, as strace would print it.
    pub fn syscall(&self) -> String {
        each_family!(self, syscall)
    }

    /// A shell line that would do the same, for a learner to type.
    pub fn shell(&self) -> String {
        each_family!(self, shell)
    }

    /// What takes this back when a later step fails; `None` where nothing outlives the process.
    pub fn undo(&self) -> Option<Op> {
        match self {
            Op::Cgroup(op) => op.undo(),
            Op::Fs(op) => op.undo(),
            Op::Network(op) => op.undo(),
            Op::Process(op) => op.undo(),
            Op::Store(op) => op.undo(),
            Op::Guard(_)
            | Op::Http(_)
            | Op::Mount(_)
            | Op::Namespace(_)
            | Op::Terminal(_)
            | Op::Archive(_) => None,
        }
    }
}

/// Turns each family into an [`Op`], so that call sites read `FsOp::RemoveTree { .. }.into()`.
macro_rules! into_op {
    ($($family:ident => $variant:ident),* $(,)?) => {
        $(impl From<$family> for Op {
            fn from(op: $family) -> Op {
                Op::$variant(op)
            }
        })*
    };
}

into_op! {
    ArchiveOp => Archive, CgroupOp => Cgroup, FsOp => Fs, GuardOp => Guard, HttpOp => Http,
    MountOp => Mount, NamespaceOp => Namespace, NetworkOp => Network, ProcessOp => Process,
    StoreOp => Store, TerminalOp => Terminal,
}

/// Quotes one word for a shell line.
pub(crate) fn quote(word: &str) -> String {
    shell_words::quote(word).into_owned()
}
