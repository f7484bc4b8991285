//! A user's seccomp profile: the JSON file of `--security-opt seccomp=FILE`, in Docker's format.
//!
//! The format is the `seccomp` object of runtime-spec `config-linux.md`, with conditions on each
//! rule (`includes`, `excludes`) and `archMap` in place of `architectures`; see the `seccomp`
//! package of github.com/moby/profiles. As there, unknown fields are passed over, `null` is the
//! same as absent, and the old single `name` is understood.

use std::path::PathBuf;
use std::str::FromStr;

use oci_spec::runtime::{Arch, Capabilities, LinuxSeccomp, LinuxSeccompArg, LinuxSyscall};
use serde::Deserialize;

use crate::error::{Classify, Kind};

use super::abi::Machine;
use super::profile;

/// Why a profile cannot be used. Every variant names the file and what in it is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or a field of the wrong type; the cause says which line and column.
    #[error("decoding seccomp profile {file} failed: {cause}")]
    Json {
        /// The profile's name as the user gave it.
        file: String,
        /// What the JSON reader met.
        cause: serde_json::Error,
    },
    /// A field with a value that means nothing.
    #[error("seccomp profile {file}: {field}: {value:?} is not a known {what}")]
    Value {
        /// The profile's name as the user gave it.
        file: String,
        /// Where in the file, e.g. `syscalls[3].args[0].op`.
        field: String,
        /// What stands there.
        value: String,
        /// What should stand there, e.g. `action`.
        what: &'static str,
    },
    /// Two fields that exclude each other.
    #[error("seccomp profile {file}: {field}: both {first} and {second} are given, use one of them")]
    Both {
        /// The profile's name as the user gave it.
        file: String,
        /// The object that holds both.
        field: String,
        /// One field.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Who the conditions of a profile are judged for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The container's bounding set.
    pub capabilities: &'a Capabilities,
    /// The kernel's version (major, minor).
    pub kernel: (u32, u32),
    /// The machine, or `None` for one without a syscall table.
    pub machine: Option<Machine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    default_action: Option<String>,
    default_errno_ret: Option<u32>,
    architectures: Option<Vec<String>>,
    arch_map: Option<Vec<Architecture>>,
    flags: Option<Vec<String>>,
    listener_path: Option<PathBuf>,
    listener_metadata: Option<String>,
    syscalls: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Architecture {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: Option<String>,
    errno_ret: Option<u32>,
    args: Option<Vec<Argument>>,
    includes: Option<Condition>,
    excludes: Option<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: usize,
    #[serde(default)]
    value: u64,
    value_two: Option<u64>,
    op: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// Reads the profile `json` and keeps the rules that apply to `subject`. `file` is its name, for
/// errors only.
///
/// `None` means that the profile is empty (neither a default action nor a rule): the container runs
/// without one.
///
/// # Errors
/// [`Error`], at the first thing wrong.
pub fn parse(file: &str, json: &str, subject: Subject) -> Result<Option<LinuxSeccomp>, Error> {
    let cause = |cause| Error::Json { file: file.to_owned(), cause };
    let document: Document = serde_json::from_str(json).map_err(cause)?;
    Reader { file, subject }.profile(document)
}

struct Reader<'a> {
    file: &'a str,
    subject: Subject<'a>,
}

impl Reader<'_> {
    fn profile(&self, document: Document) -> Result<Option<LinuxSeccomp>, Error> {
        let rules = document.syscalls.unwrap_or_default();
        let action = document.default_action.unwrap_or_default();
        if action.is_empty() && rules.is_empty() {
            return Ok(None);
        }
        let listed = document.architectures.unwrap_or_default();
        let map = document.arch_map.unwrap_or_default();
        if !listed.is_empty() && !map.is_empty() {
            return Err(self.both("profile", "architectures", "archMap"));
        }
        let mut architectures = self.list("architectures", "architecture", &listed)?;
        architectures.extend(self.mapped(&map)?);
        let mut syscalls = Vec::with_capacity(rules.len());
        for (at, rule) in rules.into_iter().enumerate() {
            syscalls.extend(self.rule(&format!("syscalls[{at}]"), rule)?);
        }
        let flags = document.flags.map(|flags| self.list("flags", "flag", &flags)).transpose()?;
        let mut profile = LinuxSeccomp::default();
        profile
            .set_default_action(self.value("defaultAction", "action", &action)?)
            .set_default_errno_ret(document.default_errno_ret)
            .set_architectures((!architectures.is_empty()).then_some(architectures))
            .set_flags(flags)
            .set_listener_path(document.listener_path)
            .set_listener_metadata(document.listener_metadata)
            .set_syscalls(Some(syscalls));
        Ok(Some(profile))
    }

    /// This machine's entry of `archMap`, with its sub-architectures; the other entries are for
    /// other machines.
    fn mapped(&self, map: &[Architecture]) -> Result<Vec<Arch>, Error> {
        let Some(machine) = self.subject.machine else { return Ok(Vec::new()) };
        let native = machine.architectures()[0];
        let name = native.to_string();
        let Some(at) = map.iter().position(|entry| entry.architecture == name) else { return Ok(Vec::new()) };
        let subs = map[at].sub_architectures.as_deref().unwrap_or_default();
        let subs: Vec<Arch> = self.list(&format!("archMap[{at}].subArchitectures"), "architecture", subs)?;
        Ok([vec![native], subs].concat())
    }

    /// One rule, or `None` if its conditions leave it out.
    fn rule(&self, field: &str, rule: Rule) -> Result<Option<LinuxSyscall>, Error> {
        let names = match (rule.name.filter(|name| !name.is_empty()), rule.names.unwrap_or_default()) {
            (Some(_), names) if !names.is_empty() => return Err(self.both(field, "name", "names")),
            (Some(name), _) => vec![name],
            (None, names) => names,
        };
        let mut args = Vec::new();
        for (at, argument) in rule.args.unwrap_or_default().into_iter().enumerate() {
            args.push(self.argument(&format!("{field}.args[{at}]"), &argument)?);
        }
        let action = self.value(&format!("{field}.action"), "action", &rule.action.unwrap_or_default())?;
        let excluded = match &rule.excludes {
            Some(condition) => self.any(&format!("{field}.excludes"), condition)?,
            None => false,
        };
        let included = match &rule.includes {
            Some(condition) => self.all(&format!("{field}.includes"), condition)?,
            None => true,
        };
        let mut syscall = LinuxSyscall::default();
        syscall
            .set_names(names)
            .set_action(action)
            .set_errno_ret(rule.errno_ret)
            .set_args((!args.is_empty()).then_some(args));
        Ok((included && !excluded).then_some(syscall))
    }

    fn argument(&self, field: &str, argument: &Argument) -> Result<LinuxSeccompArg, Error> {
        let op = self.value(&format!("{field}.op"), "operator", &argument.op)?;
        Ok(profile::argument(argument.index, op, argument.value, argument.value_two))
    }

    /// `excludes`: one hit is enough.
    fn any(&self, field: &str, condition: &Condition) -> Result<bool, Error> {
        let caps = condition.caps.iter().flatten().any(|name| self.holds(name));
        let arches = condition.arches.as_deref().is_some_and(|arches| self.is_among(arches));
        let kernel = self.new_enough(field, condition)?;
        Ok(caps || arches || kernel == Some(true))
    }

    /// `includes`: everything asked for must be there; of the architectures, one.
    fn all(&self, field: &str, condition: &Condition) -> Result<bool, Error> {
        let caps = condition.caps.iter().flatten().all(|name| self.holds(name));
        let arches =
            condition.arches.as_deref().is_none_or(|arches| arches.is_empty() || self.is_among(arches));
        let kernel = self.new_enough(field, condition)?;
        Ok(caps && arches && kernel != Some(false))
    }

    fn holds(&self, name: &str) -> bool {
        let capability = name.strip_prefix("CAP_").and_then(|bare| bare.parse().ok());
        capability.is_some_and(|capability| self.subject.capabilities.contains(&capability))
    }

    fn is_among(&self, arches: &[String]) -> bool {
        let native = self.subject.machine.map(Machine::docker_name);
        arches.iter().any(|arch| Some(arch.as_str()) == native)
    }

    /// Whether the kernel is at least `minKernel`; `None` if the condition does not ask.
    fn new_enough(&self, field: &str, condition: &Condition) -> Result<Option<bool>, Error> {
        let Some(text) = condition.min_kernel.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let version = text
            .split_once('.')
            .and_then(|(kernel, major)| Some((kernel.parse().ok()?, major.parse().ok()?)));
        match version {
            Some(version) if version != (0, 0) => Ok(Some(self.subject.kernel >= version)),
            _ => Err(self.unknown(&format!("{field}.minKernel"), "kernel version (<kernel>.<major>)", text)),
        }
    }

    fn list<T: FromStr>(&self, field: &str, what: &'static str, texts: &[String]) -> Result<Vec<T>, Error> {
        let value = |(at, text): (usize, &String)| self.value(&format!("{field}[{at}]"), what, text);
        texts.iter().enumerate().map(value).collect()
    }

    fn value<T: FromStr>(&self, field: &str, what: &'static str, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| self.unknown(field, what, text))
    }

    fn unknown(&self, field: &str, what: &'static str, value: &str) -> Error {
        let (file, field, value) = (self.file.to_owned(), field.to_owned(), value.to_owned());
        Error::Value { file, field, value, what }
    }

    fn both(&self, field: &str, first: &'static str, second: &'static str) -> Error {
        Error::Both { file: self.file.to_owned(), field: field.to_owned(), first, second }
    }
}
