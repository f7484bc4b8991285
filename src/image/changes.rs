//! `--change`: one Dockerfile instruction applied to an image's configuration, as `import` and
//! `commit` take it.

use super::error::Error;
use crate::wire::{Healthcheck, ImageConfig, duration};
use serde_json::{Map, Value};

/// What may be changed: `validCommitCommands` of moby's builder.
const KNOWN: [&str; 11] = [
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
/// Instructions of a Dockerfile that change more than the configuration.
const OTHERS: [&str; 8] = ["add", "arg", "copy", "from", "maintainer", "run", "shell", "workspace"];

/// Applies instructions in their order.
///
/// # Errors
/// An instruction that is unknown, not allowed here, or malformed, in Docker's words.
pub fn apply(config: &mut ImageConfig, changes: &[String]) -> Result<(), Error> {
    let lines = changes.iter().flat_map(|change| change.lines()).map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.to_lowercase();
        if OTHERS.contains(&name.as_str()) {
            return Err(Error::Change(format!("{name} is not a valid change command")));
        }
        if !KNOWN.contains(&name.as_str()) {
            let shown = name.to_uppercase();
            return Err(Error::Change(format!(
                "dockerfile parse error on line 1: unknown instruction: {shown}"
            )));
        }
        let rest = rest.trim();
        if rest.is_empty() {
            let shown = name.to_uppercase();
            return Err(Error::Change(format!("{shown} requires at least one argument")));
        }
        change(config, &name, rest)?;
    }
    Ok(())
}

fn change(config: &mut ImageConfig, name: &str, rest: &str) -> Result<(), Error> {
    match name {
        "cmd" => config.cmd = Some(command(rest)),
        "entrypoint" => config.entrypoint = Some(command(rest)),
        "env" => {
            for (key, value) in pairs("ENV", rest)? {
                let start = format!("{key}=");
                config.env.retain(|known| !known.starts_with(&start));
                config.env.push(format!("{key}={value}"));
            }
        }
        "label" => config.labels.get_or_insert_default().extend(pairs("LABEL", rest)?),
        "expose" => {
            for port in words(rest)? {
                let port = if port.contains('/') { port } else { format!("{port}/tcp") };
                check_port(&port)?;
                config.exposed_ports.insert(port, Value::Object(Map::new()));
            }
        }
        "volume" => {
            let places = json_words(rest).map_or_else(|| words(rest), Ok)?;
            let volumes = config.volumes.get_or_insert_default();
            volumes.extend(places.into_iter().map(|place| (place, Value::Object(Map::new()))));
        }
        "user" => config.user = rest.to_owned(),
        "workdir" => {
            config.working_dir = match rest.starts_with('/') {
                true => rest.to_owned(),
                false => format!("{}/{rest}", config.working_dir.trim_end_matches('/')),
            }
        }
        "stopsignal" => config.stop_signal = Some(rest.to_owned()),
        "onbuild" => config.on_build.get_or_insert_default().push(rest.to_owned()),
        _ => config.healthcheck = Some(healthcheck(rest)?),
    }
    Ok(())
}

/// A list in JSON is taken as it is; anything else is a line for the shell.
fn command(rest: &str) -> Vec<String> {
    json_words(rest).unwrap_or_else(|| ["/bin/sh", "-c", rest].map(str::to_owned).to_vec())
}

fn json_words(rest: &str) -> Option<Vec<String>> {
    serde_json::from_str(rest).ok()
}

fn words(rest: &str) -> Result<Vec<String>, Error> {
    shell_words::split(rest).map_err(|error| Error::Change(error.to_string()))
}

/// `KEY=value KEY="two words"`, or the older `KEY one value to the end of the line`.
fn pairs(name: &str, rest: &str) -> Result<Vec<(String, String)>, Error> {
    let first = rest.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let pair = rest.split_once(char::is_whitespace);
        let (key, value) = pair.ok_or_else(|| Error::Change(format!("{name} must have two arguments")))?;
        return Ok(vec![(key.to_owned(), value.trim().to_owned())]);
    }
    let pair = |word: String| {
        let message = || format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value");
        let (key, value) = word.split_once('=').ok_or_else(|| Error::Change(message()))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    words(rest)?.into_iter().map(pair).collect()
}

fn check_port(port: &str) -> Result<(), Error> {
    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let good = numbers.split('-').all(|number| number.parse::<u16>().is_ok());
    if good && ["tcp", "udp", "sctp"].contains(&protocol) {
        return Ok(());
    }
    Err(Error::Change(format!("Invalid containerPort: {numbers}")))
}

fn healthcheck(rest: &str) -> Result<Healthcheck, Error> {
    let mut check = Healthcheck::default();
    let mut rest = rest;
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let bad = || Error::Change(format!("invalid duration {value:?}"));
        match name {
            "interval" => check.interval = duration::parse(value).ok_or_else(bad)?,
            "timeout" => check.timeout = duration::parse(value).ok_or_else(bad)?,
            "start-period" => check.start_period = duration::parse(value).ok_or_else(bad)?,
            "retries" => check.retries = value.parse().map_err(|_| bad())?,
            _ => return Err(Error::Change(format!("unknown flag: {name}"))),
        }
        rest = after.trim_start();
    }
    let (kind, line) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    check.test = match kind.to_uppercase().as_str() {
        "NONE" => vec!["NONE".into()],
        "CMD" => match json_words(line.trim()) {
            Some(words) => std::iter::once("CMD".to_owned()).chain(words).collect(),
            None => vec!["CMD-SHELL".into(), line.trim().to_owned()],
        },
        other => {
            return Err(Error::Change(format!("Unknown type {other:?} in HEALTHCHECK (try CMD)")));
        }
    };
    Ok(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Result<ImageConfig, String> {
        let mut config = ImageConfig::default();
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        apply(&mut config, &changes).map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn instructions_change_the_configuration() {
        let config = changed(&[
            "CMD [\"/hello\", \"a b\"]",
            "ENTRYPOINT exec top",
            "ENV A=1 B=\"two words\"",
            "env A 3",
            "EXPOSE 80 53/udp",
            "LABEL a=b",
            "VOLUME [\"/data\"]",
            "WORKDIR /srv",
            "WORKDIR sub",
            "USER me",
            "HEALTHCHECK --interval=1m30s --retries=2 CMD true",
        ])
        .expect("all good");
        assert_eq!(config.cmd.unwrap_or_default(), ["/hello", "a b"]);
        assert_eq!(config.entrypoint.unwrap_or_default(), ["/bin/sh", "-c", "exec top"]);
        assert_eq!(config.env, ["B=two words", "A=3"]);
        assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["53/udp", "80/tcp"]);
        assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/srv/sub", "me"));
        let check = config.healthcheck.unwrap_or_default();
        assert_eq!((check.interval, check.retries), (90_000_000_000, 2));
        assert_eq!(check.test, ["CMD-SHELL", "true"]);
    }

    #[test]
    fn what_cannot_be_changed_is_refused_by_name() {
        assert_eq!(changed(&["RUN ls"]).expect_err("refused"), "run is not a valid change command");
        let unknown = changed(&["NOPE x"]).expect_err("refused");
        assert_eq!(unknown, "dockerfile parse error on line 1: unknown instruction: NOPE");
        assert!(changed(&["EXPOSE x"]).is_err() && changed(&["ENV A"]).is_err());
    }
}
