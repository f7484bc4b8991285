//! What a piece of work did, gathered: dozens of mounts, limits and written values become a few
//! lines at its end.

use crate::op::{CgroupOp, FsOp, GuardOp, MountOp, NamespaceOp, NetworkOp, Op, WriteReason};

/// Directory below which each v1 hierarchy has its own; what differs only there is told at once.
const HIERARCHIES: &str = "/sys/fs/cgroup/";

/// Hierarchies that are still told by name.
const FEW: usize = 3;

/// Lines shown of one written value.
const LINES: usize = 3;

/// What one scope did so far.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By [`Op::name`], in the order they came first.
    acts: Vec<(String, Vec<String>)>,
    /// Kernel files and what was written into them.
    written: Vec<(String, String)>,
}

impl Gathered {
    /// Takes an operation in; `false` when there is nothing in it to gather. Paths below `root`
    /// are told as the container sees them.
    pub fn take(&mut self, op: &Op, root: &str) -> bool {
        if let Op::Fs(FsOp::WriteFile { path, value, why: WriteReason::Cgroup | WriteReason::IdMap }) = op {
            // How controllers are handed down is of interest only in full: depth `kernel`.
            if !path.ends_with("/cgroup.subtree_control") {
                self.written.push((path.clone(), one_line(value)));
            }
            return true;
        }
        let Some(item) = gist(op, root) else { return false };
        let name = op.name();
        match self.acts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, items)) => items.push(item),
            None => self.acts.push((name, vec![item])),
        }
        true
    }

    /// Operation names, each with what it was done to.
    pub fn acts(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.acts.iter().map(|(name, items)| {
            let paths = items.iter().map(|item| (item.clone(), String::new())).collect::<Vec<_>>();
            (name.as_str(), merge(&paths).into_iter().map(|(path, _)| path).collect())
        })
    }

    /// Written values: path and value.
    pub fn written(&self) -> Vec<(String, String)> {
        merge(&self.written)
    }
}

/// A value of many lines as its first few, and how many there are.
fn one_line(value: &str) -> String {
    let lines: Vec<&str> = value.trim_end().lines().collect();
    match lines.len() {
        0..=LINES => lines.join(", "),
        count => format!("{}, … ({count})", lines[..LINES].join(", ")),
    }
}

/// What is worth telling of an operation, besides that it was done.
fn gist(op: &Op, root: &str) -> Option<String> {
    let inside = |path: &str| match path.strip_prefix(root).filter(|_| !root.is_empty()) {
        Some("") => "/".to_owned(),
        Some(below) if below.starts_with('/') => below.to_owned(),
        _ => path.to_owned(),
    };
    Some(match op {
        Op::Cgroup(CgroupOp::Create { path } | CgroupOp::Remove { path }) => path.clone(),
        Op::Cgroup(CgroupOp::Freeze { file } | CgroupOp::Thaw { file }) => file.clone(),
        Op::Fs(FsOp::MakeNode { path, .. }) => inside(path),
        Op::Fs(FsOp::RemoveFile { path } | FsOp::RemoveTree { path }) => path.clone(),
        Op::Mount(MountOp::Mount { target, fstype, flags, .. }) => {
            let kind = match fstype.as_str() {
                "" if flags.iter().any(|flag| flag == "remount") => "remount",
                "" => "bind",
                fstype => fstype,
            };
            let ro = if flags.iter().any(|flag| flag == "ro") { " ro" } else { "" };
            format!("{} ({kind}{ro})", inside(target))
        }
        Op::Mount(MountOp::Mask { path } | MountOp::MakeReadonly { path }) => path.clone(),
        Op::Namespace(NamespaceOp::SetHostname { name }) => name.clone(),
        Op::Network(op) => return link(op),
        Op::Guard(GuardOp::SetLimit { resource, soft, .. }) => format!("{resource} {soft}"),
        Op::Guard(GuardOp::BoundCapabilities { keep }) => {
            let names: Vec<&str> = keep.iter().map(|name| name.trim_start_matches("CAP_")).collect();
            format!("{} CAP_{{{}}}", keep.len(), names.join(", "))
        }
        Op::Guard(GuardOp::SetUser { uid, gid, .. }) => format!("{uid}:{gid}"),
        _ => return None,
    })
}

/// What an act on a network leaves.
fn link(op: &NetworkOp) -> Option<String> {
    Some(match op {
        NetworkOp::LinkUp { interface, .. } | NetworkOp::RemoveLink { interface, .. } => interface.clone(),
        NetworkOp::CreateBridge { name, .. } | NetworkOp::RemoveBridge { name, .. } => name.clone(),
        NetworkOp::CreateVeth { host, inside, .. } => format!("{host} ═ {inside}"),
        NetworkOp::AttachToBridge { interface, bridge } => format!("{interface} → {bridge}"),
        NetworkOp::AddAddress { interface, address, .. } => format!("{interface} {address}"),
        NetworkOp::AddDefaultRoute { gateway, .. } => format!("default → {gateway}"),
        NetworkOp::ReplaceRules { table, .. } | NetworkOp::RemoveRules { table } => format!("nft {table}"),
        NetworkOp::Listen { protocol, address, port } => match address.contains(':') {
            true => format!("[{address}]:{port}/{protocol}"),
            false => format!("{address}:{port}/{protocol}"),
        },
        NetworkOp::CreateSandbox { .. }
        | NetworkOp::OpenSandbox { .. }
        | NetworkOp::ReleaseSandbox { .. } => return None,
    })
}

/// Entries that differ only in the hierarchy become one, written as a shell would expand it: a few
/// hierarchies in braces, more as `*`.
fn merge(entries: &[(String, String)]) -> Vec<(String, String)> {
    let split = |path: &str| -> Option<(String, String)> {
        let below = path.strip_prefix(HIERARCHIES)?;
        let (hierarchy, rest) = below.split_at(below.find(['/', ' '])?);
        Some((hierarchy.to_owned(), rest.to_owned()))
    };
    let mut merged: Vec<(Vec<String>, String, String)> = Vec::new();
    for (path, value) in entries {
        let (hierarchy, rest) = match split(path) {
            Some((hierarchy, rest)) => (vec![hierarchy], rest),
            None => (Vec::new(), path.clone()),
        };
        let same = merged.iter_mut().find(|(among, known, written)| {
            !among.is_empty() && !hierarchy.is_empty() && *known == rest && written == value
        });
        match same {
            Some((among, _, _)) => among.extend(hierarchy),
            None => merged.push((hierarchy, rest, value.clone())),
        }
    }
    let whole = |among: &[String], rest: String| match among {
        [] => rest,
        few if few.len() == 1 => format!("{HIERARCHIES}{}{rest}", few[0]),
        few if few.len() <= FEW => format!("{HIERARCHIES}{{{}}}{rest}", few.join(",")),
        _ => format!("{HIERARCHIES}*{rest}"),
    };
    merged.into_iter().map(|(among, rest, value)| (whole(&among, rest), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_the_hierarchy_is_told_once() {
        let entry = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        assert_eq!(
            one_line("c 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\n"),
            "c 1:3 rwm, c 1:5 rwm, c 1:7 rwm, … (4)"
        );
        let mounts = ["a", "b", "c", "d"].map(|one| entry(&format!("/sys/fs/cgroup/{one} (bind ro)"), ""));
        assert_eq!(merge(&mounts), [entry("/sys/fs/cgroup/* (bind ro)", "")]);
        let merged = merge(&[
            entry("/sys/fs/cgroup/cpu/learn/a/cgroup.procs", "7"),
            entry("/sys/fs/cgroup/pids/learn/a/pids.max", "7"),
            entry("/sys/fs/cgroup/pids/learn/a/cgroup.procs", "7"),
            entry("/proc/7/uid_map", "0 1000 1"),
        ]);
        let expected = [
            entry("/sys/fs/cgroup/{cpu,pids}/learn/a/cgroup.procs", "7"),
            entry("/sys/fs/cgroup/pids/learn/a/pids.max", "7"),
            entry("/proc/7/uid_map", "0 1000 1"),
        ];
        assert_eq!(merged, expected);
    }
}
