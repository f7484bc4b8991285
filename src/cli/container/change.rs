//! `learn rename` and `learn update`: what can change while a container runs.

use super::args::{Rename, Update};
use super::create::restart_policy;
use crate::cli::format::size;
use crate::cli::{Context, Failure, output};
use crate::wire::{HostConfig, RestartPolicy};

/// Gives a container another name.
pub async fn rename(context: &Context, rename: Rename) -> Result<(), Failure> {
    let (old, new) = (rename.container.trim(), rename.new_name.trim());
    if old.is_empty() || new.is_empty() {
        return Err(Failure::Arguments("Error: Neither old nor new names may be empty".to_owned()));
    }
    match context.client.rename_container(old, new).await {
        Ok(()) => Ok(()),
        Err(error) => {
            output::error_line(&error.to_string())?;
            Err(Failure::Arguments(format!("Error: failed to rename container named {old}")))
        }
    }
}

/// Changes limits and restart policy of containers.
pub async fn update(context: &Context, update: Update) -> Result<(), Failure> {
    let asked = asked(&update)?;
    if asked == HostConfig::default() {
        return Err(Failure::Arguments(
            "you must provide one or more flags when using this command".to_owned(),
        ));
    }
    let mut warnings = Vec::new();
    let mut failures = Vec::new();
    for name in &update.containers {
        match context.client.update_container(name, &asked).await {
            Ok(answer) => {
                output::line(name)?;
                warnings.extend(answer.warnings);
            }
            Err(error) => failures.push(error.into()),
        }
    }
    if !warnings.is_empty() {
        output::line(&warnings.join("\n"))?;
    }
    Failure::all(failures)
}

fn asked(update: &Update) -> Result<HostConfig, Failure> {
    let usage = |flag: &str, value: &str, why: &str| {
        Failure::Usage(format!("invalid argument \"{value}\" for \"{flag}\" flag: {why}"))
    };
    let bytes = |flag: &str, given: &Option<String>| -> Result<i64, Failure> {
        match given.as_deref() {
            None => Ok(0),
            Some("-1") if flag == "--memory-swap" => Ok(-1),
            Some(text) => {
                size::parse(text).ok_or_else(|| usage(flag, text, &format!("invalid size: '{text}'")))
            }
        }
    };
    let nano_cpus = match update.cpus.as_deref() {
        None => 0,
        Some(text) => nano_cpus(text).map_err(|why| usage("--cpus", text, &why))?,
    };
    let restart_policy = match &update.restart {
        None => RestartPolicy::default(),
        Some(text) => restart_policy(text).map_err(Failure::Arguments)?,
    };
    Ok(HostConfig {
        blkio_weight: update.blkio_weight.unwrap_or(0),
        cpu_period: update.cpu_period.unwrap_or(0),
        cpu_quota: update.cpu_quota.unwrap_or(0),
        cpu_shares: update.cpu_shares.unwrap_or(0),
        nano_cpus,
        cpuset_cpus: update.cpuset_cpus.clone().unwrap_or_default(),
        cpuset_mems: update.cpuset_mems.clone().unwrap_or_default(),
        memory: bytes("-m, --memory", &update.memory)?,
        memory_reservation: bytes("--memory-reservation", &update.memory_reservation)?,
        memory_swap: bytes("--memory-swap", &update.memory_swap)?,
        pids_limit: update.pids_limit.filter(|limit| *limit != 0),
        restart_policy,
        ..HostConfig::default()
    })
}

/// `1.5` as billionths of a processor; no more digits than those.
fn nano_cpus(text: &str) -> Result<i64, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(format!("failed to parse {text} as a rational number"));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err("value is too precise".to_owned());
    }
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i64>().ok() };
    let whole = number(whole).and_then(|whole| whole.checked_mul(1_000_000_000));
    let nanos = number(&format!("{fraction:0<9}"));
    whole.zip(nanos).map(|(whole, nanos)| whole + nanos).ok_or_else(|| "value is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_read_to_the_billionth() {
        assert_eq!(nano_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(nano_cpus("2"), Ok(2_000_000_000));
        assert_eq!(nano_cpus(".25"), Ok(250_000_000));
        assert!(nano_cpus("1.0000000001").is_err() && nano_cpus("one").is_err() && nano_cpus("").is_err());
    }
}
