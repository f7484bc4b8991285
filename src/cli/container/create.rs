//! `learn create`, and what it shares with `run`: from flags to the request, and the pull that
//! a missing image asks for.

use super::args::{Create, PullPolicy, Shape, Stream};
use super::{environment, health};
use crate::cli::failure::while_at;
use crate::cli::image::pull::{self, Progress};
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, output};
use crate::client::container::Streams;
use crate::text::{Lang, ui};
use crate::wire::{Config, CreateRequest, HostConfig, LogConfig, RestartPolicy, Ulimit};
use hyper::StatusCode;
use std::collections::BTreeMap;

/// Networks that need no bridge.
const NETWORKS: [&str; 3] = ["default", "host", "none"];

/// Makes a container and prints its id.
pub async fn create(context: &Context, create: Create) -> Result<(), Failure> {
    let id = make(context, "create", &create.shape, true).await?;
    output::line(&id)
}

/// Makes a container, pulling its image first when that is missing or asked for. Its id.
pub async fn make(
    context: &Context,
    verb: &'static str,
    shape: &Shape,
    attach: bool,
) -> Result<String, Failure> {
    let request = request(context.lang, verb, shape, attach)?;
    let image = &request.config.image;
    let reference = Reference::parse(image).ok().filter(|_| !is_id(image));
    let parse = || {
        Reference::parse(image).map_err(|error| {
            Failure::Usage(format!("learn: {error}\n\nRun 'learn {verb} --help' for more information"))
        })
    };
    if reference.is_none() && !is_id(image) {
        parse()?;
    }
    // A pull that is narrated needs no second telling.
    let told = context.session.is_some();
    let progress = if shape.quiet || told { Progress::Quiet } else { Progress::Stderr };
    if shape.pull == PullPolicy::Always {
        pull::pull(context, &parse()?, shape.platform.as_deref(), progress, while_at(verb)).await?;
    }
    let ask = || context.client.create_container(shape.name.as_deref(), shape.platform.as_deref(), &request);
    let created = match (ask().await, reference) {
        (Err(error), Some(reference))
            if error.status() == Some(StatusCode::NOT_FOUND) && shape.pull == PullPolicy::Missing =>
        {
            if !shape.quiet {
                output::error_line(&format!("Unable to find image '{}' locally", reference.familiar()))?;
            }
            pull::pull(context, &reference, shape.platform.as_deref(), progress, while_at(verb)).await?;
            ask().await
        }
        (answer, _) => answer,
    };
    let created = created.map_err(while_at(verb))?;
    for warning in &created.warnings {
        output::error_line(&format!("WARNING: {warning}"))?;
    }
    Ok(created.id)
}

/// A full id is never pulled.
fn is_id(image: &str) -> bool {
    let digits = image.strip_prefix("sha256:").unwrap_or(image);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The request the flags ask for, as Docker's client fills it.
fn request(lang: Lang, verb: &str, shape: &Shape, attach: bool) -> Result<CreateRequest, Failure> {
    let usage = |problem: String| {
        Failure::Usage(format!("learn: {problem}\n\nRun 'learn {verb} --help' for more information"))
    };
    let (image, command) =
        shape.image_and_command.split_first().map_or(("", &[][..]), |(image, command)| (image, command));
    if let Some(network) = shape.network.as_deref().filter(|network| !NETWORKS.contains(network)) {
        let reason = ui(lang, "refused.networks", &[]);
        return Err(usage(format!("network not supported: {network}: {reason}")));
    }
    let streams = if attach { attached(shape) } else { Streams::default() };
    let config = Config {
        hostname: shape.hostname.clone().unwrap_or_default(),
        user: shape.user.clone().unwrap_or_default(),
        attach_stdin: streams.stdin,
        attach_stdout: streams.stdout,
        attach_stderr: streams.stderr,
        tty: shape.tty,
        open_stdin: shape.interactive,
        stdin_once: streams.stdin && shape.interactive,
        env: environment::collect(&shape.env, &shape.env_file)?,
        cmd: (!command.is_empty()).then(|| command.to_vec()),
        image: image.to_owned(),
        working_dir: shape.workdir.clone().unwrap_or_default(),
        entrypoint: shape.entrypoint.clone().map(|program| vec![program]),
        labels: labels(&shape.label),
        stop_signal: shape.stop_signal.clone(),
        stop_timeout: shape.stop_timeout,
        healthcheck: health::check(&shape.health)?,
        ..Config::default()
    };
    let policy = restart_policy(shape.restart.as_deref().unwrap_or("no")).map_err(usage)?;
    if shape.rm && !matches!(policy.name.as_str(), "" | "no") {
        return Err(usage("conflicting options: cannot specify both --restart and --rm".to_owned()));
    }
    let host_config = HostConfig {
        network_mode: shape.network.clone().unwrap_or_else(|| "default".to_owned()),
        restart_policy: policy,
        log_config: LogConfig {
            r#type: shape.log_driver.clone().unwrap_or_default(),
            config: labels(&shape.log_opt),
        },
        oom_kill_disable: Some(shape.oom_kill_disable),
        oom_score_adj: shape.oom_score_adj.unwrap_or(0),
        auto_remove: shape.rm,
        init: shape.init.then_some(true),
        cap_add: some(&shape.cap_add),
        cap_drop: some(&shape.cap_drop),
        privileged: shape.privileged,
        readonly_rootfs: shape.read_only,
        security_opt: some(&security(&shape.security_opt).map_err(usage)?),
        ulimits: shape.ulimit.iter().map(|text| ulimit(text).map_err(usage)).collect::<Result<_, _>>()?,
        ..HostConfig::default()
    };
    Ok(CreateRequest { config, host_config, ..CreateRequest::default() })
}

/// The streams `-a` names; without it the outputs, and standard input with `-i`.
pub fn attached(shape: &Shape) -> Streams {
    let named = |stream| shape.attach.contains(&stream);
    let all = shape.attach.is_empty();
    Streams {
        stdin: named(Stream::Stdin) || shape.interactive,
        stdout: all || named(Stream::Stdout),
        stderr: all || named(Stream::Stderr),
        ..Streams::default()
    }
}

/// `on-failure:3`; what the names mean is the daemon's business.
///
/// # Errors
/// A count that is none, in the words of Docker's client.
pub fn restart_policy(text: &str) -> Result<RestartPolicy, String> {
    let (name, count) = text.split_once(':').unwrap_or((text, ""));
    if name.is_empty() && text.contains(':') {
        return Err("invalid restart policy format: no policy provided before colon".to_owned());
    }
    let maximum_retry_count = match count {
        "" => 0,
        count => count.parse().map_err(|_| {
            "invalid restart policy format: maximum retry count must be an integer".to_owned()
        })?,
    };
    Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count })
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// `KEY=VALUE`, or `KEY` for an empty value.
fn labels(given: &[String]) -> BTreeMap<String, String> {
    given
        .iter()
        .map(|label| label.split_once('=').unwrap_or((label, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The daemon cannot see the client's files: a seccomp profile travels as text.
fn security(given: &[String]) -> Result<Vec<String>, String> {
    given
        .iter()
        .map(|option| match option.split_once(['=', ':']) {
            None if option == "no-new-privileges" => Ok(option.clone()),
            Some(("no-new-privileges", "true" | "false")) => Ok(option.clone()),
            Some(("seccomp", "unconfined" | "builtin")) => Ok(option.clone()),
            Some(("seccomp", file)) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("opening seccomp profile ({file}) failed: {error}"))?;
                let profile: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
                    format!("compacting json for seccomp profile ({file}) failed: {error}")
                })?;
                Ok(format!("seccomp={profile}"))
            }
            _ => Err(format!(
                "security option not supported: {option}: this version knows no-new-privileges and seccomp"
            )),
        })
        .collect()
}

/// `nofile=1024:2048`; one number is both limits, -1 is none.
fn ulimit(text: &str) -> Result<Ulimit, String> {
    const NAMES: [&str; 16] = [
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let invalid = |why: &str| format!("invalid argument \"{text}\" for \"--ulimit\" flag: {why}");
    let (name, limits) = text.split_once('=').ok_or_else(|| invalid("expected NAME=SOFT[:HARD]"))?;
    if !NAMES.contains(&name) {
        return Err(invalid(&format!("invalid ulimit type: {name}")));
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| invalid("limits are whole numbers"));
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(limits)?, number(limits)?),
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(invalid("ulimit soft limit must be less than or equal to hard limit"));
    }
    Ok(Ulimit { name: name.to_owned(), hard, soft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulimits_are_read_and_checked() {
        let limit = ulimit("nofile=1024:2048").unwrap();
        assert_eq!((limit.soft, limit.hard), (1024, 2048));
        assert_eq!(ulimit("nproc=5").unwrap().hard, 5);
        for text in ["nofile", "files=1", "nofile=a", "nofile=9:1", "nofile=-1:1"] {
            assert!(ulimit(text).unwrap_err().contains(text), "{text}");
        }
    }

    #[test]
    fn other_security_options_are_refused_by_name() {
        let known = ["no-new-privileges".to_owned(), "seccomp=unconfined".to_owned()];
        assert_eq!(security(&known).unwrap(), known);
        assert!(security(&["apparmor=x".to_owned()]).unwrap_err().contains("apparmor=x"));
    }
}
