//! Which devices a container may open or make: the Spec's rules, in order, and those every runtime
//! adds. Nothing is allowed that no rule allows. A later rule overrides an earlier one.
//!
//! v1 keeps a list of exceptions to "everything is denied" (kernel documentation,
//! cgroup-v1/devices); v2 runs a program of ours: see [`device_filter`](super::device_filter).

use super::Line;
use super::refused::Refused;
use crate::runtime::guard::paths;
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};
use std::fmt;

/// mknod(2).
pub(super) const MAKE: u8 = 1;
/// open(2) for reading.
pub(super) const READ: u8 = 2;
/// open(2) for writing.
pub(super) const WRITE: u8 = 4;
const EVERYTHING: u8 = MAKE | READ | WRITE;

/// One rule; `None` stands for all kinds and all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub allow: bool,
    pub kind: Option<Kind>,
    /// Not negative.
    pub major: Option<i32>,
    /// Not negative.
    pub minor: Option<i32>,
    /// Any of [`MAKE`], [`READ`], [`WRITE`].
    pub access: u8,
}

/// Numbered as `BPF_DEVCG_DEV_BLOCK` and `BPF_DEVCG_DEV_CHAR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Block = 1,
    Character = 2,
}

impl Rule {
    const DENY_ALL: Rule = Rule { allow: false, kind: None, major: None, minor: None, access: EVERYTHING };

    /// Whether rules before this one no longer matter.
    pub(super) fn is_total(&self) -> bool {
        Rule { allow: false, ..*self } == Rule::DENY_ALL
    }

    fn same_devices(&self, other: &Rule) -> bool {
        (self.kind, self.major, self.minor) == (other.kind, other.major, other.minor)
    }

    fn overlaps(&self, other: &Rule) -> bool {
        fn meet<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        let devices = meet(self.kind, other.kind) && meet(self.major, other.major);
        devices && meet(self.minor, other.minor) && self.access & other.access != 0
    }

    /// Whether every device of `other` is one of this rule's.
    fn covers(&self, other: &Rule) -> bool {
        fn over<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || a == b
        }
        over(self.kind, other.kind) && over(self.major, other.major) && over(self.minor, other.minor)
    }

    /// `c 1:3 rwm`, as the device files of v1 have it.
    fn line(&self) -> String {
        let number = |number: Option<i32>| number.map_or("*".to_owned(), |number| number.to_string());
        let kind = match self.kind {
            None => "a",
            Some(Kind::Block) => "b",
            Some(Kind::Character) => "c",
        };
        let letters = [(READ, 'r'), (WRITE, 'w'), (MAKE, 'm')];
        let access: String =
            letters.iter().filter(|(bit, _)| self.access & bit != 0).map(|(_, letter)| letter).collect();
        format!("{kind} {}:{} {access}", number(self.major), number(self.minor))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", if self.allow { "allow" } else { "deny" }, self.line())
    }
}

/// The Spec's rules and, after them, what every runtime must supply. Rules that a later one makes
/// void, because it is about everything, are left out.
pub(super) fn rules(resources: &LinuxResources) -> Result<Vec<Rule>, Refused> {
    let listed = resources.devices().as_deref().unwrap_or_default();
    let mut rules = vec![Rule::DENY_ALL];
    for rule in listed.iter().chain(&paths::runtime_device_rules()) {
        let rule = read(rule)?;
        if rule.is_total() {
            rules.clear();
        }
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// Whether these rules keep anything from the container.
pub(super) fn restrict(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| !rule.allow)
}

fn read(rule: &LinuxDeviceCgroup) -> Result<Rule, Refused> {
    let refuse = |reason| Err(Refused::DeviceRule { rule: shown(rule), reason });
    let kind = match rule.typ() {
        None | Some(LinuxDeviceType::A) => None,
        Some(LinuxDeviceType::B) => Some(Kind::Block),
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(Kind::Character),
        Some(LinuxDeviceType::P) => return refuse("a pipe is no device"),
    };
    let mut access = 0;
    for letter in rule.access().as_deref().unwrap_or("rwm").chars() {
        access |= match letter {
            'r' => READ,
            'w' => WRITE,
            'm' => MAKE,
            _ => return refuse("access is made of the letters r, w and m"),
        };
    }
    if access == 0 {
        return refuse("access is empty");
    }
    // runc's Specs say -1 for every number.
    let number = |number: Option<i64>| match number {
        None | Some(i64::MIN..0) => Ok(None),
        Some(number) => i32::try_from(number).map(Some),
    };
    match (number(rule.major()), number(rule.minor())) {
        (Ok(major), Ok(minor)) => Ok(Rule { allow: rule.allow(), kind, major, minor, access }),
        _ => refuse("no device has such a number"),
    }
}

fn shown(rule: &LinuxDeviceCgroup) -> String {
    let number = |number: Option<i64>| number.map_or("*".to_owned(), |number| number.to_string());
    let kind = rule.typ().unwrap_or(LinuxDeviceType::A);
    let kind = kind.as_str();
    let access = rule.access().as_deref().unwrap_or("rwm");
    let verb = if rule.allow() { "allow" } else { "deny" };
    format!("{verb} {kind} {}:{} {access}", number(rule.major()), number(rule.minor()))
}

/// The writes that bring a group of v1 from whatever it inherited to `rules`: all or nothing
/// first, then the exceptions in order.
pub(super) fn v1_lines(rules: &[Rule]) -> Result<Vec<Line>, Refused> {
    let mut exceptions = Exceptions { but: false, held: Vec::new(), writes: Vec::new() };
    for rule in rules {
        if rule.is_total() {
            exceptions =
                Exceptions { but: rule.allow, held: Vec::new(), writes: vec![(rule.allow, "a".into())] };
            continue;
        }
        // In v1 "a" means all devices and every access, so a narrower rule about both kinds is two.
        let kinds = rule.kind.map_or(vec![Kind::Block, Kind::Character], |kind| vec![kind]);
        for kind in kinds {
            exceptions.apply(Rule { kind: Some(kind), ..*rule })?;
        }
    }
    let file = |allow: &bool| if *allow { "devices.allow" } else { "devices.deny" };
    let runs = exceptions.writes.chunk_by(|a, b| a.0 == b.0);
    Ok(runs
        .map(|run| {
            let lines: Vec<&str> = run.iter().map(|(_, line)| line.as_str()).collect();
            (file(&run[0].0).to_owned(), lines.join("\n"))
        })
        .collect())
}

/// The kernel's list, as it grows.
struct Exceptions {
    /// What is done with a device that is no exception: `true` for allowed.
    but: bool,
    held: Vec<Rule>,
    writes: Vec<(bool, String)>,
}

impl Exceptions {
    fn apply(&mut self, rule: Rule) -> Result<(), Refused> {
        if rule.allow != self.but {
            self.writes.push((rule.allow, rule.line()));
            match self.held.iter_mut().find(|held| held.same_devices(&rule)) {
                Some(held) => held.access |= rule.access,
                None => self.held.push(rule),
            }
            return Ok(());
        }
        // The kernel takes back an exception only under the very numbers it was made with.
        for held in self.held.iter_mut().filter(|held| held.overlaps(&rule)) {
            if !rule.covers(held) {
                let reason = "cgroup v1 cannot take one device back out of a range";
                return Err(Refused::DeviceRule { rule: rule.to_string(), reason });
            }
            self.writes.push((rule.allow, Rule { access: rule.access, ..*held }.line()));
            held.access &= !rule.access;
        }
        self.held.retain(|held| held.access != 0);
        Ok(())
    }
}
