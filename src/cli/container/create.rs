//! `learn create`, and what it shares with `run`: from flags to the request, and the pull that
//! a missing image asks for.

use super::args::{Create, Shape, Stream};
use super::flags::{cidfile::CidFile, security};
use super::{environment, health};
use crate::cli::failure::while_at;
use crate::cli::image::pull::{self, Progress};
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, output};
use crate::client::container::Streams;
use crate::wire::{Config, CreateRequest, HostConfig, LogConfig, RestartPolicy, Ulimit};
use hyper::StatusCode;
use std::collections::{BTreeMap, BTreeSet};

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
    if !matches!(shape.pull.as_str(), "always" | "missing" | "never") {
        let known = "must be one of \"always\", \"missing\" or \"never\"";
        return Err(refused(verb, &format!("invalid pull option: '{}': {known}", shape.pull)));
    }
    let request = request(shape, attach).map_err(|problem| refused(verb, &problem))?;
    let cidfile = CidFile::create(shape.cidfile.as_deref()).map_err(|problem| unmade(verb, problem))?;
    let image = &request.config.image;
    let reference = Reference::parse(image).ok().filter(|_| !is_id(image));
    let parse = || Reference::parse(image).map_err(|error| refused(verb, &error.to_string()));
    if reference.is_none() && !is_id(image) {
        parse()?;
    }
    // A pull that is narrated needs no second telling.
    let told = context.session.is_some();
    let progress = if shape.quiet || told { Progress::Quiet } else { Progress::Stderr };
    if shape.pull == "always" {
        pull::pull(context, &parse()?, shape.platform.as_deref(), progress, while_at(verb)).await?;
    }
    let ask = || context.client.create_container(shape.name.as_deref(), shape.platform.as_deref(), &request);
    let created = match (ask().await, reference) {
        (Err(error), Some(reference))
            if error.status() == Some(StatusCode::NOT_FOUND) && shape.pull == "missing" =>
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
    cidfile.write(&created.id).map_err(|problem| unmade(verb, problem))?;
    Ok(created.id)
}

/// What goes wrong beside the request; `create` says it without a frame.
fn unmade(verb: &'static str, problem: String) -> Failure {
    match verb {
        "create" => Failure::Arguments(problem),
        verb => Failure::Unmade { verb, problem },
    }
}

/// Docker's frame around what the client itself refuses.
fn refused(verb: &str, problem: &str) -> Failure {
    Failure::Usage(format!("learn: {problem}\n\nRun 'learn {verb} --help' for more information"))
}

/// A full id is never pulled.
fn is_id(image: &str) -> bool {
    let digits = image.strip_prefix("sha256:").unwrap_or(image);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The request the flags ask for, as Docker's client fills it.
fn request(shape: &Shape, attach: bool) -> Result<CreateRequest, String> {
    let (image, command) =
        shape.image_and_command.split_first().map_or(("", &[][..]), |(image, command)| (image, command));
    let labels = environment::labels(&shape.label, &shape.label_file)?;
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
        env: environment::variables(&shape.env, &shape.env_file)?,
        cmd: (!command.is_empty()).then(|| command.to_vec()),
        image: image.to_owned(),
        working_dir: shape.workdir.clone().unwrap_or_default(),
        entrypoint: shape.entrypoint.clone().map(|program| vec![program]),
        labels: pairs(&labels),
        stop_signal: shape.stop_signal.clone(),
        stop_timeout: shape.stop_timeout,
        healthcheck: health::check(&shape.health).map_err(|failure| failure.to_string())?,
        ..Config::default()
    };
    let policy = restart_policy(shape.restart.as_deref().unwrap_or("no"))?;
    if shape.rm && !matches!(policy.name.as_str(), "" | "no") {
        return Err("conflicting options: cannot specify both --restart and --rm".to_owned());
    }
    if shape.log_driver.as_deref() == Some("none") && !shape.log_opt.is_empty() {
        return Err("invalid logging opts for driver none".to_owned());
    }
    let host_config = HostConfig {
        container_id_file: shape.cidfile.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        restart_policy: policy,
        log_config: LogConfig {
            r#type: shape.log_driver.clone().unwrap_or_default(),
            config: pairs(&shape.log_opt),
        },
        oom_kill_disable: Some(shape.oom_kill_disable),
        oom_score_adj: shape.oom_score_adj.unwrap_or(0),
        auto_remove: shape.rm,
        init: shape.init.then_some(true),
        cap_add: capabilities(&shape.cap_add),
        cap_drop: capabilities(&shape.cap_drop),
        privileged: shape.privileged,
        readonly_rootfs: shape.read_only,
        ulimits: ulimits(&shape.ulimit),
        ..HostConfig::default()
    };
    let mut request = CreateRequest { config, host_config, ..CreateRequest::default() };
    shape.limits.fill(&mut request.host_config)?;
    shape.files.fill(&mut request)?;
    shape.machine.fill(&mut request)?;
    security::fill(&shape.security_opt, &mut request.host_config)?;
    shape.network.fill(&mut request)?;
    Ok(request)
}

/// Each once, in full and in order: `net_admin` is `CAP_NET_ADMIN`.
fn capabilities(given: &[String]) -> Option<Vec<String>> {
    let full = given.iter().map(|name| match name.to_uppercase() {
        name if name == "ALL" || name.starts_with("CAP_") => name,
        name => format!("CAP_{name}"),
    });
    (!given.is_empty()).then(|| full.collect::<BTreeSet<_>>().into_iter().collect())
}

/// The last of each name, in the order of the names.
fn ulimits(given: &[Ulimit]) -> Vec<Ulimit> {
    let named: BTreeMap<_, _> = given.iter().map(|limit| (limit.name.clone(), limit.clone())).collect();
    named.into_values().collect()
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

/// `KEY=VALUE`, or `KEY` for an empty value.
fn pairs(given: &[String]) -> BTreeMap<String, String> {
    given
        .iter()
        .map(|label| label.split_once('=').unwrap_or((label, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
