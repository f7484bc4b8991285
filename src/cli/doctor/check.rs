//! The checks: pure functions from what was found to a judgement.

use crate::wire::{Examination, Reach, Trial};

/// How a check came out; also the name of its sentence in `lessons/doctor.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// Containers run, with something missing.
    Warn,
    /// Containers cannot run.
    Fail,
}

impl Status {
    /// The key of its word and its sentences.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub key: &'static str,
    /// Its outcome.
    pub status: Status,
    /// What the sentence's placeholders stand for.
    pub facts: Vec<(&'static str, String)>,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Finding {
    fn new(key: &'static str, status: Status) -> Finding {
        Finding { key, status, facts: Vec::new(), mend: None }
    }

    fn fact(mut self, name: &'static str, value: impl ToString) -> Finding {
        self.facts.push((name, value.to_string()));
        self
    }

    fn mend(mut self, command: impl Into<String>) -> Finding {
        self.mend = Some(command.into());
        self
    }
}

/// How the daemon's socket answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// Somebody listens.
    Listening,
    /// Nobody does: the first command starts one.
    Absent,
    /// The socket's group is not ours.
    Denied {
        /// Its name.
        group: String,
    },
}

/// All checks, in the order of the report.
pub fn all(found: &Examination, socket: &str, daemon: &Daemon) -> Vec<Finding> {
    let machine: [fn(&Examination) -> Finding; 9] =
        [kernel, privilege, cgroups, overlay, seccomp, network, subordinate_ids, disk, registry];
    let mut findings: Vec<Finding> = machine.iter().map(|check| check(found)).collect();
    findings.push(reachable(found, socket, daemon));
    findings
}

/// Whether containers can run for real.
pub fn can_run(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.status < Status::Fail)
}

/// Linux 5.8: openat2 (5.6), whiteouts by ordinary users (5.8), pidfds (5.4), clone3 (5.3).
const OLDEST: (u32, u32) = (5, 8);
/// Linux 5.12: a read-only mount keeps the runtime's program from being written to.
const COMFORTABLE: (u32, u32) = (5, 12);

fn kernel(found: &Examination) -> Finding {
    let status = match found.version {
        version if version < OLDEST => Status::Fail,
        version if version < COMFORTABLE => Status::Warn,
        _ => Status::Ok,
    };
    Finding::new("kernel", status).fact("release", &found.kernel)
}

fn privilege(found: &Examination) -> Finding {
    if found.uid == 0 {
        return Finding::new("privilege", Status::Ok).fact("who", "root");
    }
    let finding = |status| Finding::new("privilege", status).fact("who", &found.user);
    let Trial::Refused(errno) = found.user_namespace else {
        return finding(Status::Ok);
    };
    let settings = &found.settings;
    let (name, value, wanted) = match (settings.apparmor, settings.clone, settings.max) {
        (_, _, Some(0)) => ("user.max_user_namespaces", 0, 15_000),
        (_, Some(0), _) => ("kernel.unprivileged_userns_clone", 0, 1),
        (Some(restricts @ 1..), _, _) => ("kernel.apparmor_restrict_unprivileged_userns", restricts, 0),
        // Nothing we know of: a sandbox around us, most likely.
        _ => return finding(Status::Fail).fact("cause", errno_name(errno)).mend("sudo -E learn doctor"),
    };
    finding(Status::Fail)
        .fact("cause", format!("{name} = {value}"))
        .mend(format!("sudo sysctl -w {name}={wanted}"))
}

/// Limits people set: without these controllers `--memory`, `--cpus` and `--pids-limit` are
/// refused.
const WANTED: [&str; 3] = ["cpu", "memory", "pids"];

fn cgroups(found: &Examination) -> Finding {
    let missing: Vec<&str> =
        WANTED.into_iter().filter(|wanted| !found.controllers.iter().any(|there| there == wanted)).collect();
    let whole = found.cgroup_writable && missing.is_empty();
    let finding = Finding::new("cgroups", if whole { Status::Ok } else { Status::Warn })
        .fact("mode", &found.cgroup_mode)
        .fact("controllers", list(found.controllers.iter().map(String::as_str)))
        .fact("missing", list(if found.cgroup_writable { missing } else { WANTED.to_vec() }));
    match (whole, found.uid, &*found.cgroup_mode) {
        (true, ..) => finding,
        (_, 0, "none") => finding.mend("mount -t cgroup2 none /sys/fs/cgroup"),
        (_, 0, _) => finding,
        // A group of its own, of which systemd hands over the control; v1 knows no such thing.
        (_, _, "v2") => finding.mend("systemd-run --user --scope -p Delegate=yes learn daemon start"),
        (..) => finding,
    }
}

fn overlay(found: &Examination) -> Finding {
    let finding = |status| Finding::new("overlay", status).fact("disk", &found.disk);
    match found.overlay {
        Trial::Worked => finding(Status::Ok),
        Trial::Refused(errno) => {
            let finding = finding(Status::Warn).fact("cause", errno_name(errno));
            match (errno, found.uid) {
                (libc::ENODEV, 0) => finding.mend("modprobe overlay"),
                (libc::ENODEV, _) => finding.mend("sudo modprobe overlay"),
                _ => finding,
            }
        }
    }
}

fn seccomp(found: &Examination) -> Finding {
    Finding::new("seccomp", if found.seccomp { Status::Ok } else { Status::Warn })
}

fn network(found: &Examination) -> Finding {
    let trials = [("netns", &found.network_namespace), ("veth", &found.veth), ("nftables", &found.nftables)];
    let working = trials.iter().filter(|(_, trial)| trial.worked()).map(|(name, _)| *name);
    let missing: Vec<&str> =
        trials.iter().filter(|(_, trial)| !trial.worked()).map(|(name, _)| *name).collect();
    let finding = Finding::new("network", if missing.is_empty() { Status::Ok } else { Status::Warn })
        .fact("working", list(working))
        .fact("missing", list(missing.iter().copied()));
    let modules: Vec<&str> = missing
        .iter()
        .filter_map(|name| match *name {
            "veth" => Some("veth"),
            "nftables" => Some("nf_tables"),
            _ => None,
        })
        .collect();
    match modules.is_empty() {
        true => finding,
        false => finding.mend(format!("sudo modprobe -a {}", modules.join(" "))),
    }
}

fn subordinate_ids(found: &Examination) -> Finding {
    if found.uid == 0 || found.subordinate_ids {
        return Finding::new("subordinate-ids", Status::Ok).fact("who", &found.user);
    }
    Finding::new("subordinate-ids", Status::Warn).fact("who", &found.user).mend(format!(
        "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}",
        shell_words::quote(&found.user)
    ))
}

/// `hello-world` fits in this.
const LEAST_DISK: u64 = 50 << 20;
/// An ordinary image or two fit in this.
const ENOUGH_DISK: u64 = 1 << 30;

fn disk(found: &Examination) -> Finding {
    let status = match found.disk_free {
        ENOUGH_DISK.. => Status::Ok,
        LEAST_DISK.. => Status::Warn,
        _ => Status::Fail,
    };
    let finding = Finding::new("disk", status)
        .fact("disk", &found.disk)
        .fact("free", format!("{} MiB", found.disk_free >> 20));
    match status {
        Status::Ok => finding,
        _ => {
            finding.mend(format!("du -xh --max-depth=2 {} | sort -h | tail", shell_words::quote(&found.disk)))
        }
    }
}

fn registry(found: &Examination) -> Finding {
    match &found.registry {
        // 401 asks for a token: just what a registry should do.
        Reach::Answered(status @ (200 | 401)) => Finding::new("registry", Status::Ok).fact("status", status),
        Reach::Answered(status) => Finding::new("registry", Status::Warn)
            .fact("cause", format!("HTTP {status}"))
            .mend("curl -sSI https://registry-1.docker.io/v2/"),
        Reach::Silent(cause) => Finding::new("registry", Status::Warn)
            .fact("cause", cause)
            .mend("curl -sSI https://registry-1.docker.io/v2/"),
    }
}

fn reachable(found: &Examination, socket: &str, daemon: &Daemon) -> Finding {
    let finding = |status| Finding::new("daemon", status).fact("socket", socket);
    match daemon {
        Daemon::Listening => finding(Status::Ok),
        Daemon::Absent => finding(Status::Warn).mend("learn daemon start"),
        Daemon::Denied { group } => finding(Status::Fail).fact("group", group).mend(format!(
            "sudo usermod -aG {} {}",
            shell_words::quote(group),
            shell_words::quote(&found.user)
        )),
    }
}

/// `EPERM` and the like: the same in every language.
fn errno_name(errno: i32) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno))
}

/// Names in a row; `-` for none.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "-".into() } else { names.join(", ") }
}
