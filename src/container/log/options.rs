//! Log drivers and their options: `--log-driver`, `--log-opt`.

use crate::container::{Error, Record};
use crate::runtime::log_format::{LogFormat, LogPlan};
use crate::wire::LogConfig;
use std::collections::BTreeMap;

/// Options of `json-file`.
const JSON_FILE: [&str; 8] =
    ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"];

/// Options of `local`.
const LOCAL: [&str; 3] = ["max-file", "max-size", "compress"];

/// What Docker keeps of `local` unless told otherwise: bytes a file, and files.
const LOCAL_SIZE: u64 = 20_000_000;
const LOCAL_FILES: u32 = 5;

/// Checks driver and options as they are asked for.
///
/// # Errors
/// An unknown driver or option, or a value that makes no sense, in Docker's words; what is not
/// done here, by name.
pub fn check(config: &LogConfig) -> Result<(), Error> {
    let fail = |message: String| Err(Error::Invalid(message));
    let known: &[&str] = match config.r#type.as_str() {
        "none" => return Ok(()),
        "" | "json-file" => &JSON_FILE,
        "local" => &LOCAL,
        "awslogs" | "etwlogs" | "fluentd" | "gcplogs" | "gelf" | "journald" | "logentries" | "splunk"
        | "syslog" => return Err(Error::Unsupported(format!("--log-driver {}", config.r#type))),
        name => return fail(format!("logger: no log driver named '{name}' is registered")),
    };
    let driver = if known.len() == LOCAL.len() { "local" } else { "json-file" };
    for (name, value) in &config.config {
        match name.as_str() {
            "mode" if value == "blocking" || value.is_empty() => {}
            "mode" if value == "non-blocking" => {
                return Err(Error::Unsupported("--log-opt mode=non-blocking".into()));
            }
            "mode" => return fail(format!("logger: logging mode not supported: {value}")),
            "max-buffer-size" => {
                return fail(
                    "logger: max-buffer-size option is only supported with 'mode=non-blocking'".into(),
                );
            }
            "labels-regex" | "env-regex" | "tag" => {
                return Err(Error::Unsupported(format!("--log-opt {name}")));
            }
            name if !known.contains(&name) => {
                return fail(format!("unknown log opt '{name}' for {driver} log driver"));
            }
            _ => {}
        }
    }
    check_sizes(&config.config)
}

fn check_sizes(options: &BTreeMap<String, String>) -> Result<(), Error> {
    let fail = |message: String| Err(Error::Invalid(message));
    if let Some(size) = options.get("max-size")
        && (bytes(size).is_none() || bytes(size) == Some(0))
    {
        return fail(format!("invalid size: '{size}'"));
    }
    if let Some(files) = options.get("max-file") {
        match files.parse::<i64>() {
            Err(_) => return fail(format!("strconv.Atoi: parsing {files:?}: invalid syntax")),
            Ok(..=0) => return fail("max-file cannot be less than 1".into()),
            Ok(_) => {}
        }
    }
    match options.get("compress").map(String::as_str) {
        None | Some("false" | "0" | "f" | "F" | "False" | "FALSE") => Ok(()),
        Some("true" | "1" | "t" | "T" | "True" | "TRUE") => {
            Err(Error::Unsupported("--log-opt compress=true".into()))
        }
        Some(other) => fail(format!("strconv.ParseBool: parsing {other:?}: invalid syntax")),
    }
}

/// `10m`: powers of 1000, as go-units' `FromHumanSize`.
fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let letter = unit.strip_suffix('b').unwrap_or(&unit);
    let power = match letter {
        "" => 0,
        letter => i32::try_from("kmgtp".find(letter).filter(|_| letter.len() == 1)?).ok()? + 1,
    };
    let value: f64 = number.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
    Some((value * 1000_f64.powi(power)) as u64)
}

/// What the shim is to keep; `None` for the driver that keeps nothing. `directory` is the
/// container's own.
pub fn plan(record: &Record, directory: &str) -> Option<LogPlan> {
    let LogConfig { r#type, config } = &record.host_config.log_config;
    let size = config.get("max-size").and_then(|text| bytes(text));
    let files = config.get("max-file").and_then(|text| text.parse().ok());
    match r#type.as_str() {
        "none" => None,
        "local" => Some(LogPlan {
            path: format!("{directory}/{}-local.log", record.id),
            format: LogFormat::Local,
            max_size: size.unwrap_or(LOCAL_SIZE),
            max_files: files.unwrap_or(LOCAL_FILES),
            attributes: BTreeMap::new(),
        }),
        _ => Some(LogPlan {
            path: format!("{directory}/{}-json.log", record.id),
            format: LogFormat::Json,
            max_size: size.unwrap_or(0),
            max_files: files.unwrap_or(1),
            attributes: attributes(record),
        }),
    }
}

/// The labels and variables named by `labels` and `env`.
fn attributes(record: &Record) -> BTreeMap<String, String> {
    let options = &record.host_config.log_config.config;
    let names = |key: &str| options.get(key).into_iter().flat_map(|list| list.split(','));
    let labels =
        names("labels").filter_map(|name| Some((name.to_owned(), record.config.labels.get(name)?.clone())));
    let variable = |name: &str| {
        let pair = record.config.env.iter().filter_map(|entry| entry.split_once('='));
        pair.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next_back()
    };
    let variables = names("env").filter_map(|name| Some((name.to_owned(), variable(name)?)));
    labels.chain(variables).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(driver: &str, options: &[(&str, &str)]) -> LogConfig {
        let config = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        LogConfig { r#type: driver.into(), config }
    }

    #[test]
    fn drivers_and_options_are_refused_with_dockers_words() {
        let refused = |driver, options: &[_]| check(&config(driver, options)).unwrap_err().to_string();
        assert_eq!(refused("nope", &[]), "logger: no log driver named 'nope' is registered");
        assert_eq!(refused("", &[("x", "1")]), "unknown log opt 'x' for json-file log driver");
        assert_eq!(refused("local", &[("env", "A")]), "unknown log opt 'env' for local log driver");
        assert_eq!(refused("json-file", &[("max-file", "0")]), "max-file cannot be less than 1");
        assert_eq!(refused("json-file", &[("max-size", "ten")]), "invalid size: 'ten'");
        assert_eq!(refused("syslog", &[]), "--log-driver syslog is not supported by learn yet");
        assert!(
            refused("local", &[("compress", "true")]).starts_with("--log-opt compress=true is not supported")
        );
        for fine in [config("none", &[]), config("", &[("max-size", "1.5m"), ("max-file", "3")])] {
            assert!(check(&fine).is_ok());
        }
    }

    #[test]
    fn sizes_are_powers_of_a_thousand() {
        assert_eq!(
            [bytes("10m"), bytes("1k"), bytes("7"), bytes("2GB")].map(Option::unwrap),
            [10_000_000, 1000, 7, 2_000_000_000]
        );
        assert_eq!(bytes("m"), None);
    }
}
