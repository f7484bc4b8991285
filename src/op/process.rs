//! Processes and programs: execve(2), kill(2), setsid(2).

use super::{Op, quote};
use serde::{Deserialize, Serialize};

/// An act on processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProcessOp {
    /// Starts the shim, the small parent that stays with the container.
    SpawnShim {
        /// Container id, 64 hex digits.
        container: String,
        /// Directory of the OCI bundle.
        bundle: String,
    },
    /// Makes a helper that joins the namespaces of a running container.
    Fork,
    /// Makes the process that will be the program, in the pid namespace joined before, as a child
    /// of the shim. Last of all, so that nobody inside sees a process that is still half outside.
    ForkInside,
    /// Starts the proxy that carries published ports into a container; it ends with the container.
    SpawnProxy {
        /// Short id of the container.
        container: String,
        /// The process it ends with, on the host.
        pid: u32,
        /// What it carries, as `0.0.0.0:8080/tcp → 172.17.0.2:80`.
        ports: Vec<String>,
    },
    /// Takes the name `ps` shows. A small init is this very process: it executes nothing that could
    /// name it.
    SetCommandLine {
        /// The words.
        argv: Vec<String>,
    },
    /// Splits in two: the caller goes on as a child that will be the program, and its former self
    /// stays as PID 1, passes signals on and reaps what is left behind.
    Supervise {
        /// Length of the seccomp program PID 1 loads, too; 0 for none.
        seccomp: usize,
    },
    /// Becomes leader of a session of its own, away from the caller's terminal.
    NewSession,
    /// Changes the working directory.
    ChangeDirectory {
        /// Path inside the container.
        path: String,
    },
    /// Finds the program: as it is when it holds a slash, else along `PATH`.
    LookupProgram {
        /// `argv[0]`.
        name: String,
        /// `PATH` of the container, colon separated.
        path: String,
    },
    /// Loads the seccomp filter and becomes the program, as one act: a strict filter cannot
    /// silence the narrator in between.
    Exec {
        /// Resolved file.
        program: String,
        /// Arguments, `argv[0]` first.
        argv: Vec<String>,
        /// Environment, secrets as `***`; the true values travel beside the `Op`.
        env: Vec<String>,
        /// Length of the seccomp program in BPF instructions; 0 for none.
        seccomp: usize,
    },
    /// Sends a signal.
    Signal {
        /// Process on the host.
        pid: u32,
        /// `SIGTERM`, …
        signal: String,
    },
}

impl ProcessOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            ProcessOp::SpawnShim { .. } => "posix_spawn(\"/proc/self/fd/…\", [\"learn-shim\"])".into(),
            ProcessOp::Fork => "clone3({flags=CLONE_PIDFD, exit_signal=SIGCHLD})".into(),
            ProcessOp::ForkInside => "clone3({flags=CLONE_PIDFD|CLONE_PARENT})".into(),
            ProcessOp::SpawnProxy { .. } => "posix_spawn(\"/proc/self/fd/…\", [\"learn-proxy\"])".into(),
            ProcessOp::SetCommandLine { argv } => format!("prctl(PR_SET_MM, PR_SET_MM_ARG_START, {argv:?})"),
            ProcessOp::Supervise { .. } => "clone3({exit_signal=SIGCHLD}); sigwaitinfo(); waitpid(-1)".into(),
            ProcessOp::NewSession => "setsid()".into(),
            ProcessOp::ChangeDirectory { path } => format!("chdir({path:?})"),
            ProcessOp::LookupProgram { name, .. } => format!("stat(\"<PATH entry>/{name}\")"),
            ProcessOp::Exec { program, argv, env, seccomp } => {
                let filter = match seccomp {
                    0 => String::new(),
                    n => format!("seccomp(SECCOMP_SET_MODE_FILTER, {{len={n}}}); "),
                };
                format!("{filter}execve({program:?}, {argv:?}, /* {} vars */)", env.len())
            }
            ProcessOp::Signal { pid, signal } => {
                format!("pidfd_send_signal(pidfd_open({pid}), {signal})")
            }
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            ProcessOp::SpawnShim { container, bundle } => {
                format!("learn shim {} {} &", &container[..container.len().min(12)], quote(bundle))
            }
            ProcessOp::Fork => "sh".into(),
            ProcessOp::ForkInside => "nsenter --fork sh".into(),
            ProcessOp::SpawnProxy { ports, .. } => {
                let one = |port: &String| match port.split_once(" → ") {
                    Some((from, to)) => {
                        let (address, protocol) = from.rsplit_once('/').unwrap_or((from, "tcp"));
                        let (host, number) = address.rsplit_once(':').unwrap_or(("", address));
                        let kind = protocol.to_uppercase();
                        format!("socat {kind}-LISTEN:{number},bind={host},fork,reuseaddr {kind}:{to} &")
                    }
                    None => String::new(),
                };
                ports.iter().map(one).collect::<Vec<_>>().join(" ")
            }
            ProcessOp::SetCommandLine { argv } => {
                format!("exec -a {} sh", quote(argv.first().map_or("", String::as_str)))
            }
            ProcessOp::Supervise { .. } => "tini -- sh".into(),
            ProcessOp::NewSession => "setsid sh".into(),
            ProcessOp::ChangeDirectory { path } => format!("cd {}", quote(path)),
            ProcessOp::LookupProgram { name, .. } => format!("command -v {}", quote(name)),
            ProcessOp::Exec { argv, .. } => format!("exec {}", shell_words::join(argv)),
            ProcessOp::Signal { pid, signal } => {
                format!("kill -s {} {pid}", signal.trim_start_matches("SIG"))
            }
        }
    }

    pub(super) fn undo(&self) -> Option<Op> {
        None
    }
}
