//! What an instruction changes in an image's configuration: those that make no files, as
//! `commit --change` and the end of a build apply them.

use super::dockerfile::instruction::Health;
use super::dockerfile::{CommandForm, Instruction, Problem, one};
use super::expand::{self, Expander};
use crate::error::{Classify, Kind};
use crate::wire::{Healthcheck, ImageConfig};
use serde_json::{Map, Value};

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An instruction that makes files, or none at all.
    #[error("{0} is not a valid change command")]
    NotAChange(String),
    /// What it says makes no sense.
    #[error("{0}")]
    Problem(#[from] Problem),
    /// A variable.
    #[error(transparent)]
    Expand(#[from] expand::Error),
    /// A port that is none.
    #[error("{0}")]
    Port(String),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// The instructions that change a configuration and make no files.
const CHANGES: [&str; 11] = [
    "cmd",
    "entrypoint",
    "env",
    "expose",
    "healthcheck",
    "label",
    "onbuild",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Applies the lines of `commit --change`.
///
/// # Errors
/// The first line that is none.
pub fn apply_lines(config: &mut ImageConfig, lines: &[String]) -> Result<(), Error> {
    for line in lines.iter().flat_map(|lines| lines.lines()).map(str::trim).filter(|line| !line.is_empty()) {
        let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        if !CHANGES.contains(&word.as_str()) {
            return Err(Error::NotAChange(word));
        }
        apply(config, &one(line)?)?;
    }
    Ok(())
}

/// Applies one instruction; variables have the configuration's own values.
///
/// # Errors
/// [`Error::NotAChange`] for one that makes files.
pub fn apply(config: &mut ImageConfig, instruction: &Instruction) -> Result<(), Error> {
    let env = config.env.clone();
    let lookup = move |name: &str| {
        let named = |entry: &String| entry.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        env.iter().rev().find_map(named)
    };
    let expander = Expander { escape: '\\', lookup: &lookup };
    match instruction {
        Instruction::Cmd(form) => config.cmd = Some(command(config, form)),
        Instruction::Entrypoint(form) => {
            config.entrypoint = Some(command(config, form)).filter(|words| !words.is_empty());
        }
        Instruction::Env(pairs) => {
            for (name, value) in pairs {
                set_env(&mut config.env, &expander.word(name)?, &expander.word(value)?);
            }
        }
        Instruction::Label(pairs) => {
            for (name, value) in pairs {
                let (name, value) = (expander.word(name)?, expander.word(value)?);
                config.labels.get_or_insert_default().insert(name, value);
            }
        }
        Instruction::Expose(words) => {
            for word in words {
                for port in ports(&expander.word(word)?)? {
                    config.exposed_ports.insert(port, empty());
                }
            }
        }
        Instruction::Volume(paths) => {
            for path in paths {
                config.volumes.get_or_insert_default().insert(expander.word(path)?, empty());
            }
        }
        Instruction::User(user) => config.user = expander.word(user)?,
        Instruction::Stopsignal(signal) => config.stop_signal = Some(expander.word(signal)?),
        Instruction::Workdir(path) => config.working_dir = below(&config.working_dir, &expander.word(path)?),
        Instruction::Onbuild(trigger) => config.on_build.get_or_insert_default().push(trigger.clone()),
        Instruction::Healthcheck(health) => config.healthcheck = Some(healthcheck(health.as_ref())),
        Instruction::Shell(words) => config.shell = Some(words.clone()),
        Instruction::Add(_) => return Err(Error::NotAChange("add".into())),
        Instruction::Arg(_) => return Err(Error::NotAChange("arg".into())),
        Instruction::Copy(_) => return Err(Error::NotAChange("copy".into())),
        Instruction::Maintainer(_) => return Err(Error::NotAChange("maintainer".into())),
        Instruction::Run(_) => return Err(Error::NotAChange("run".into())),
    }
    Ok(())
}

fn empty() -> Value {
    Value::Object(Map::new())
}

/// A list as it is; a text is the shell's.
fn command(config: &ImageConfig, form: &CommandForm) -> Vec<String> {
    match form {
        CommandForm::Exec(words) => words.clone(),
        CommandForm::Shell(text) if text.is_empty() => Vec::new(),
        CommandForm::Shell(text) => {
            let usual = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
            let mut words = config.shell.clone().filter(|shell| !shell.is_empty()).unwrap_or_else(usual);
            words.push(text.clone());
            words
        }
    }
}

fn healthcheck(health: Option<&Health>) -> Healthcheck {
    let Some(health) = health else {
        return Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() };
    };
    let test = match &health.command {
        CommandForm::Exec(words) => ["CMD".to_owned()].into_iter().chain(words.iter().cloned()).collect(),
        CommandForm::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
    };
    Healthcheck {
        test,
        interval: health.interval,
        timeout: health.timeout,
        start_period: health.start_period,
        start_interval: health.start_interval,
        retries: health.retries,
    }
}

/// A variable keeps its place when it gets another value.
fn set_env(env: &mut Vec<String>, name: &str, value: &str) {
    let entry = format!("{name}={value}");
    match env.iter_mut().find(|entry| entry.split('=').next() == Some(name)) {
        Some(known) => *known = entry,
        None => env.push(entry),
    }
}

/// `80`, `80/udp`, `8000-8002/tcp`.
fn ports(text: &str) -> Result<Vec<String>, Error> {
    let bad = || Error::Port(format!("Invalid containerPort: {text}"));
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(Error::Port(format!("Invalid proto: {protocol}")));
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
    if last < first {
        return Err(bad());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

/// A path, absolute or from the directory before.
fn below(before: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{before}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> ImageConfig {
        let mut config = ImageConfig::default();
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        apply_lines(&mut config, &lines).unwrap();
        config
    }

    fn refused(line: &str) -> String {
        apply_lines(&mut ImageConfig::default(), &[line.to_owned()]).unwrap_err().to_string()
    }

    #[test]
    fn commands_are_lists_or_the_shells() {
        assert_eq!(after(&["CMD [\"a\", \"b\"]"]).cmd.unwrap(), ["a", "b"]);
        assert_eq!(after(&["cmd echo hi"]).cmd.unwrap(), ["/bin/sh", "-c", "echo hi"]);
        assert_eq!(after(&["ENTRYPOINT [\"/x\"]"]).entrypoint.unwrap(), ["/x"]);
    }

    #[test]
    fn later_values_see_earlier_ones() {
        let config = after(&["ENV A=1 B=\"x y\"", "ENV C=$A-${B}", "ENV A=2"]);
        assert_eq!(config.env, ["A=2", "B=x y", "C=1-x y"]);
        let config = after(&["WORKDIR /srv", "WORKDIR app", "USER web:www", "STOPSIGNAL SIGQUIT"]);
        assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/srv/app", "web:www"));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGQUIT"));
    }

    #[test]
    fn ports_volumes_labels_and_triggers_are_added() {
        let lines = ["EXPOSE 80 53/udp 8000-8001", "VOLUME [\"/a\", \"/b\"]", "VOLUME /c", "LABEL k=v"];
        let config = after(&lines);
        let ports: Vec<&String> = config.exposed_ports.keys().collect();
        assert_eq!(ports, ["53/udp", "80/tcp", "8000/tcp", "8001/tcp"]);
        assert_eq!(config.volumes.unwrap().keys().collect::<Vec<_>>(), ["/a", "/b", "/c"]);
        assert_eq!(config.labels.unwrap()["k"], "v");
        assert_eq!(after(&["ONBUILD RUN make"]).on_build.unwrap(), ["RUN make"]);
    }

    #[test]
    fn what_changes_no_configuration_is_refused_with_dockers_words() {
        assert_eq!(refused("RUN make"), "run is not a valid change command");
        assert_eq!(refused("USER"), "USER requires exactly one argument");
        assert_eq!(refused("EXPOSE"), "EXPOSE requires at least one argument");
        assert_eq!(refused("EXPOSE http"), "Invalid containerPort: http");
    }
}
